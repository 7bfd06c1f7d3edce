/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __ADDRESS_H
#define __ADDRESS_H

#include <stddef.h>

/*
 * A socket that listens at ADDR:PORT, [ADDR]:PORT, :PORT (all addresses) or
 * /PATH. -1 after having said why not.
 */
int address_listen(const char *address);

/* Where it listens, as a URL if it is one. */
void address_name(int fd, char *name, size_t size);

/* Removes what is left of a socket at a path. */
void address_remove(const char *address);

#endif
