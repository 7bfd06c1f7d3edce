// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define NEW "/new"
/* The initial file system has it only if it is needed. */
#define PROGRAMS "/programs"

struct mount_point {
	const char *type;
	const char *source;
	const char *target;
	unsigned long flags;
	const char *options;
};

/*
 * cache=loose does not look for changes on the host while the guest runs.
 * Nothing here depends on them, and without a cache every file would be fetched
 * again each time.
 */
#define SHARE "trans=virtio,version=9p2000.L,msize=262144,cache=loose"
#define LAYER ",upperdir=/layer/upper,workdir=/layer/work"

static const struct mount_point root[] = {
	{ "9p", "hostroot", "/host", MS_RDONLY, SHARE },
	{ "tmpfs", "layer", "/layer", 0, "mode=0755" },
	{ "overlay", "root", NEW, 0, "lowerdir=/host" LAYER },
};

/* On another architecture than the host's, with programs of its own. */
static const struct mount_point foreign_root[] = {
	{ "9p", "hostroot", "/host", MS_RDONLY, SHARE },
	{ "9p", "programs", PROGRAMS, MS_RDONLY, SHARE },
	{ "tmpfs", "layer", "/layer", 0, "mode=0755" },
	{ "overlay", "root", NEW, 0, "lowerdir=" PROGRAMS ":/host" LAYER },
};

static const struct mount_point system_mounts[] = {
	{ "proc", "proc", NEW "/proc", 0, NULL },
	{ "sysfs", "sysfs", NEW "/sys", 0, NULL },
	{ "devtmpfs", "devtmpfs", NEW "/dev", 0, NULL },
	{ "devpts", "devpts", NEW "/dev/pts", 0, "ptmxmode=0666,mode=0620" },
	{ "tmpfs", "shm", NEW "/dev/shm", 0, "mode=1777" },
	{ "tmpfs", "run", NEW "/run", 0, "mode=0755" },
};

/* Skipped if the kernel's configuration lacks them. */
static const struct mount_point optional_mounts[] = {
	{ "hugetlbfs", "hugetlbfs", NEW "/dev/hugepages", 0, NULL },
	{ "securityfs", "securityfs", NEW "/sys/kernel/security", 0, NULL },
	{ "debugfs", "debugfs", NEW "/sys/kernel/debug", 0, NULL },
	{ "tracefs", "tracefs", NEW "/sys/kernel/tracing", 0, NULL },
	{ "bpf", "bpf", NEW "/sys/fs/bpf", 0, NULL },
	{ "cgroup2", "cgroup2", NEW "/sys/fs/cgroup", 0, NULL },
};

static int mount_one(const struct mount_point *m)
{
	/* The target may exist already, or only sysfs can create it. */
	mkdir(m->target, 0755);
	return mount(m->source, m->target, m->type, m->flags, m->options);
}

/*
 * If the driver of the IOMMU is a module, other devices are probed in the
 * background once it is loaded: that of the root may not be there yet.
 */
static void mount_patiently(const struct mount_point *m)
{
	int tries;

	for (tries = 0; mount_one(m); tries++) {
		if (errno != ENOENT || tries == 3000)
			die("mounting %s at %s: %s", m->type, m->target,
			    strerror(errno));
		usleep(10000);
	}
}

static void mount_all(const struct mount_point *m, size_t count)
{
	for (; count; m++, count--) {
		mount_patiently(m);
		if (!strcmp(m->target, "/layer")) {
			mkdir("/layer/upper", 0755);
			mkdir("/layer/work", 0755);
		}
	}
}

void mount_root(void)
{
	size_t i;

	if (access(PROGRAMS, F_OK))
		mount_all(root, sizeof(root) / sizeof(root[0]));
	else
		mount_all(foreign_root,
			  sizeof(foreign_root) / sizeof(foreign_root[0]));
	mount_all(system_mounts,
		  sizeof(system_mounts) / sizeof(system_mounts[0]));
	for (i = 0; i < sizeof(optional_mounts) / sizeof(optional_mounts[0]);
	     i++)
		mount_one(&optional_mounts[i]);
	if (chdir(NEW) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") ||
	    chdir("/"))
		die("changing the root: %s", strerror(errno));
}
