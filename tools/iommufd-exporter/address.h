/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __ADDRESS_H
#define __ADDRESS_H

#include <stddef.h>

/*
 * Opens a socket that listens at ADDR:PORT, [ADDR]:PORT, :PORT (all addresses)
 * or /PATH. The file at a path gets the permissions @mode. Returns -1 after
 * reporting an error.
 */
int address_listen(const char *address, unsigned int mode);

/* The address of the socket, as a URL if it has one. */
void address_name(int fd, char *name, size_t size);

/* Removes the socket file at a path. */
void address_remove(const char *address);

#endif
