/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's log. */
#ifndef __LIB_KMSG_H
#define __LIB_KMSG_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Opens the log after its last message, to be polled. Returns -1 after
 * reporting the error.
 */
int kmsg_open(void);

/* The same, but returns a negative errno instead of reporting it. */
int kmsg_try_open(void);

/*
 * Reads the next message; text beyond @size is dropped. Returns false if the
 * next message has not been written yet. If messages were overwritten before
 * this reader had them, adds 1 to @lost.
 */
bool kmsg_read(int fd, char *text, size_t size, __u64 *lost);

#endif
