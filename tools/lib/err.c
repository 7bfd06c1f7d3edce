// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "err.h"

/* The verifier's log can be long, and the reason is at its end. */
static char libbpf_log[8192];

void err_say(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void err_advise(const char *advice)
{
	if (*advice)
		fprintf(stderr, "%s\n", advice);
}

static int show(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return vfprintf(stderr, format, args);
}

static int keep(enum libbpf_print_level level, const char *format, va_list args)
{
	size_t used = strlen(libbpf_log), half = sizeof(libbpf_log) / 2;

	if (level != LIBBPF_WARN)
		return 0;
	if (used > half) {
		memmove(libbpf_log, libbpf_log + used - half, half + 1);
		used = half;
	}
	return vsnprintf(libbpf_log + used, sizeof(libbpf_log) - used, format,
			 args);
}

void err_keep_libbpf(bool verbose)
{
	libbpf_set_print(verbose ? show : keep);
}

const char *err_libbpf_log(void)
{
	return libbpf_log;
}
