/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __LIB_FMT_H
#define __LIB_FMT_H

#include <stddef.h>

#define FMT_LEN 24

/*
 * Human-readable numbers of limited width:
 *
 *   fmt_bytes  powers of 1024, 5 characters, 6 if negative: 512B 4.00K 1023M
 *   fmt_count  powers of 1000, 5 characters: 512 4.10k 12.3M -123k
 *   fmt_short  the same in 4 characters, not negative: 999 1.2k 12k
 *   fmt_rate   the same for fractions: 0.5 12.3
 *   fmt_ns     a duration, 4 characters: 999n 1.2u 345u 1.2m 12s 18h
 *
 * All write to @buf, of FMT_LEN bytes, and return it.
 */
char *fmt_bytes(char *buf, long long bytes);
char *fmt_count(char *buf, long long count);
char *fmt_short(char *buf, unsigned long long count);
char *fmt_rate(char *buf, double rate);
char *fmt_ns(char *buf, unsigned long long ns);

/*
 * A process can have any name, including control characters of terminals: keep
 * printable ASCII and replace the rest with ?.
 */
char *fmt_name(char *dst, size_t size, const char *name);

#endif
