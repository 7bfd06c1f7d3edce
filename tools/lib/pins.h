/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that keep policies attached. */
#ifndef __LIB_PINS_H
#define __LIB_PINS_H

#include <stdbool.h>
#include <stddef.h>

#define PINS "/sys/fs/bpf/iommufd"

/* The path where a policy of this name is pinned. */
void pin_path(const char *name, char *path, size_t size);

/*
 * Creates the folder and mounts its file system. Returns false after reporting
 * an error.
 */
bool pins_prepare(void);

/* Removes the folder if it is empty. */
void pins_clean(void);

#endif
