/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_ERR_H
#define __LIB_ERR_H

#include <stdbool.h>

/*
 * Prints "NAME: message" to standard error, where NAME is the program's name.
 * Advice follows on separate lines.
 */
void err_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void err_advise(const char *advice);

/* Keeps libbpf's messages for err_libbpf_log(), or prints them if @verbose. */
void err_keep_libbpf(bool verbose);

/* libbpf's warnings so far, "" if there were none. */
const char *err_libbpf_log(void);

#endif
