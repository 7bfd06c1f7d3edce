/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The three ways to run, each to its end. They return the exit status.
 */
#ifndef __RUN_H
#define __RUN_H

#include "collect.h"
#include "options.h"

/* A screen, until the user quits. */
int run_live(struct collector *c, struct options *options);

/* Text or JSON, a refresh after each delay. */
int run_batch(struct collector *c, const struct options *options);

/* Text or JSON, once, when a command has ended. */
int run_command(struct collector *c, const struct options *options);

#endif
