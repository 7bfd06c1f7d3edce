/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_ERR_H
#define __LIB_ERR_H

#include <stdbool.h>

/*
 * Messages go to standard error as "NAME: what is wrong", where NAME is the
 * program's; what to do about it follows on lines of its own.
 */
void err_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void err_advise(const char *advice);

/* Keeps what libbpf says, for err_libbpf_log(); @verbose: shows it at once. */
void err_keep_libbpf(bool verbose);

/* What libbpf warned of until now, "" if nothing. */
const char *err_libbpf_log(void);

#endif
