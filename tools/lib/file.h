/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Small files and links of /proc and sysfs. */
#ifndef __LIB_FILE_H
#define __LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads what fits into @text, which ends in a zero. Returns its size, 0 if the
 * file cannot be read.
 */
size_t file_read(char *text, size_t room, const char *path);

/* The same for the first line, without its end. Returns false if it is empty. */
bool file_line(char *line, size_t room, const char *path);

/* The target of a symbolic link; "" and false if it cannot be read. */
bool file_link(char *target, size_t room, const char *path);

/* The last component of that. */
bool file_link_name(char *name, size_t room, const char *path);

#endif
