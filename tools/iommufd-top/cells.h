/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cells that are not numbers: each returns its text, in @buf of CELL_LEN bytes.
 */
#ifndef __WORDS_H
#define __WORDS_H

#include "model.h"

const char *word_command(char *buf, const struct entry *entry);
/* The name of a device, or its id while the name is not known. */
const char *word_device(char *buf, const struct entry *entry);
/* auto, paging, nested or viommu */
const char *word_kind(char *buf, const struct entry *entry);
/* - without flags */
const char *word_flags(char *buf, const struct entry *entry);
const char *word_reason(char *buf, const struct entry *entry);
const char *word_errno(char *buf, const struct entry *entry);
/* The two numbers of a reason, unless they are 0. */
const char *word_numbers(char *buf, const struct entry *entry);
const char *word_request(char *buf, const struct entry *entry);
/* A bar. */
const char *word_share(char *buf, const struct entry *entry);

#endif
