/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files of the host below its root. Paths are formats; they begin with a slash.
 */
#ifndef __HOST_H
#define __HOST_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Room for the first line of a file, or a name. */
#define TEXT_SIZE 256

/**
 * struct host - the machine that is checked
 * @root: what precedes each path, "" for the running one
 * @caps: effective capabilities of the user, one bit each
 * @uid: effective user id
 */
struct host {
	const char *root;
	unsigned long long caps;
	unsigned int uid;
};

#define HOST_FORMAT(n) __attribute__((format(printf, n, (n) + 1)))

void host_init(struct host *host, const char *root);

bool host_can(const struct host *host, int capability);

bool host_has(const struct host *host, const char *format, ...) HOST_FORMAT(2);

/* Whether this user may open the file for reading and writing. */
bool host_may_use(const struct host *host, const char *format, ...)
	HOST_FORMAT(2);

/* NULL if the file can't be opened. */
FILE *host_open(const struct host *host, const char *format, ...)
	HOST_FORMAT(2);

/* The first line, without its newline; false and "" if it can't be read. */
bool host_read(const struct host *host, char line[TEXT_SIZE],
	       const char *format, ...) HOST_FORMAT(3);

/* The value of a file with one number, or @otherwise. */
long long host_number(const struct host *host, long long otherwise,
		      const char *format, ...) HOST_FORMAT(3);

/* Where the symbolic link points; false and "" if it can't be read. */
bool host_link(const struct host *host, char target[TEXT_SIZE],
	       const char *format, ...) HOST_FORMAT(3);

/* The same without folders. */
bool host_link_name(const struct host *host, char name[TEXT_SIZE],
		    const char *format, ...) HOST_FORMAT(3);

/*
 * Entries of a folder in the order of their numbers, without hidden ones. The
 * number is -1, with errno set, if the folder can't be read. The caller frees
 * them with host_free().
 */
int host_list(const struct host *host, struct dirent ***entries,
	      const char *format, ...) HOST_FORMAT(3);
void host_free(struct dirent **entries, int nr);

/*
 * The value of a line "NAME: value" of a file such as /proc/PID/status, without
 * spaces before it. Returns false and sets "" if the field is missing.
 */
bool host_field(const struct host *host, char value[TEXT_SIZE],
		const char *name, const char *format, ...) HOST_FORMAT(4);

/* Whether a file has the word, which may be next to any other bytes. */
bool host_contains(const struct host *host, const char *word,
		   const char *format, ...) HOST_FORMAT(3);

#endif
