/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Cells that are not numbers: each returns its text, in @buf of CELL_LEN bytes.
 */
#ifndef __CELLS_H
#define __CELLS_H

#include "model.h"

const char *cell_command(char *buf, const struct entry *entry);
/* The name of a device, or its id while the name is not known. */
const char *cell_device(char *buf, const struct entry *entry);
/* auto, paging, nested or viommu */
const char *cell_kind(char *buf, const struct entry *entry);
/* - without flags */
const char *cell_flags(char *buf, const struct entry *entry);
const char *cell_reason(char *buf, const struct entry *entry);
const char *cell_errno(char *buf, const struct entry *entry);
/* The two numbers of a reason, unless they are 0. */
const char *cell_numbers(char *buf, const struct entry *entry);
const char *cell_request(char *buf, const struct entry *entry);
/* A bar. */
const char *cell_share(char *buf, const struct entry *entry);

#endif
