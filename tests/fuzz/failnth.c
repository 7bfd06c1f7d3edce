// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lets every allocation fail, without a report in the log. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static void set(const char *pattern, const char *value)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_WRONLY | O_CLOEXEC);

		if (fd >= 0) {
			if (write(fd, value, strlen(value)) < 0)
				_exit(2);
			close(fd);
		}
	}
	globfree(&found);
}

bool failnth_prepare(void)
{
	set("/sys/kernel/debug/fail*/ignore-gfp-wait", "N");
	set("/sys/kernel/debug/fail*/verbose", "0");
	return !access("/proc/self/fail-nth", W_OK);
}
