// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "err.h"
#include "pins.h"

#define BPFFS "/sys/fs/bpf"

void pin_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, PINS "/%s", name);
}

bool pins_prepare(void)
{
	struct statfs fs;

	if (statfs(BPFFS, &fs) || fs.f_type != BPF_FS_MAGIC) {
		if (mount("bpf", BPFFS, "bpf", 0, "mode=0700")) {
			err_say("can't mount %s: %s", BPFFS, strerror(errno));
			return false;
		}
	}
	if (mkdir(PINS, 0700) && errno != EEXIST) {
		err_say("can't create %s: %s", PINS, strerror(errno));
		return false;
	}
	return true;
}

void pins_clean(void)
{
	rmdir(PINS);
}
