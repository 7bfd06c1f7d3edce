/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that keep policies attached. */
#ifndef __PINS_H
#define __PINS_H

#include <stdbool.h>
#include <stddef.h>

#define PINS "/sys/fs/bpf/iommufd"

/* Where the policy of a name is pinned. */
void pin_path(const char *name, char *path, size_t size);

/* Makes the folder, and mounts what it is in. False if it can't be; said. */
bool pins_prepare(void);

/* Removes the folder if nothing is in it. */
void pins_clean(void);

#endif
