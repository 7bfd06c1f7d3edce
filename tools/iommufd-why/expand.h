/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __EXPAND_H
#define __EXPAND_H

#include "failure.h"

#define EXPAND_SIZE 2048

/* Expands a template of sentences.h to @text, of EXPAND_SIZE bytes. */
char *expand(char *text, const char *template, const struct failure *failure);

#endif
