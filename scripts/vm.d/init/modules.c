// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

#define FOLDER "/modules"

static int is_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

void load_modules(void)
{
	struct dirent **entries;
	char path[512];
	int i, fd, count;

	/* The names begin with a number, in the order of dependencies. */
	count = scandir(FOLDER, &entries, is_file, alphasort);
	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), FOLDER "/%s", entries[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			die("loading %s: %s", path, strerror(errno));
		close(fd);
	}
}
