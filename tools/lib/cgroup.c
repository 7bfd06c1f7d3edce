// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "cgroup.h"
#include "err.h"

#define ROOT "/sys/fs/cgroup"

/* Type of file handles in cgroup2, which contain the id of the directory. */
#define FILEID_KERNFS 0xfe

bool cgroup_find(const char *path, __u64 *id)
{
	char below[PATH_MAX];
	struct statfs fs;
	struct stat st;

	if (!strcmp(path, "/"))
		path = ROOT;
	if (stat(path, &st) && *path != '/') {
		snprintf(below, sizeof(below), ROOT "/%s", path);
		path = below;
	}
	if (stat(path, &st) || statfs(path, &fs)) {
		err_say("there is no cgroup %s: %s", path, strerror(errno));
		return false;
	}
	if (fs.f_type != CGROUP2_SUPER_MAGIC) {
		err_say("%s is not a cgroup of cgroup2", path);
		return false;
	}
	*id = st.st_ino;
	return true;
}

bool cgroup_path(__u64 id, char *path, size_t size)
{
	char buffer[sizeof(struct file_handle) + sizeof(id)]
		__attribute__((aligned(8)));
	struct file_handle *handle = (void *)buffer;
	char link[64], target[PATH_MAX];
	int root, fd;
	ssize_t length = -1;

	root = open(ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return false;
	handle->handle_bytes = sizeof(id);
	handle->handle_type = FILEID_KERNFS;
	memcpy(handle->f_handle, &id, sizeof(id));
	fd = open_by_handle_at(root, handle, O_PATH | O_CLOEXEC);
	if (fd >= 0) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, target, sizeof(target) - 1);
		close(fd);
	}
	close(root);
	if (length < 0)
		return false;
	target[length] = '\0';
	snprintf(path, size, "%s", target);
	/* The cgroup may have been removed in the meantime. */
	return !strstr(target, " (deleted)");
}

/**
 * struct each - a walk over all cgroups
 * @path: of the current one, below the mount
 */
struct each {
	void (*take)(void *data, __u64 id, const char *path);
	void *data;
	char path[PATH_MAX];
};

/* Takes the descriptor of the directory of @each->path, of @length bytes. */
static void each_below(struct each *each, int fd, size_t length)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int below, used;

	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		used = snprintf(each->path + length,
				sizeof(each->path) - length, "/%s",
				entry->d_name);
		if (used >= (int)(sizeof(each->path) - length))
			continue;
		each->take(each->data, entry->d_ino, each->path);
		below = openat(fd, entry->d_name,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (below >= 0)
			each_below(each, below, length + used);
	}
	closedir(dir);
}

void cgroup_each(void (*take)(void *data, __u64 id, const char *path),
		 void *data)
{
	struct each each = { .take = take, .data = data };
	struct stat root;
	int fd;

	fd = open(ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &root))
		take(data, root.st_ino, "/");
	each_below(&each, fd, 0);
}
