// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "fmt.h"
#include "holder.h"
#include "identity.h"

static void read_comm(__u32 pid, char comm[HOLDER_COMM_LEN])
{
	char path[64], text[32];

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	fmt_name(comm, HOLDER_COMM_LEN,
		 file_line(text, sizeof(text), path) ? text : "?");
}

/* Whether the process has @wanted open in a file other than @except. */
static bool has_open(__u32 pid, const char *wanted, int except)
{
	char path[PATH_MAX], target[PATH_MAX];
	const struct dirent *entry;
	bool found = false;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	folder = opendir(path);
	while (folder && !found && (entry = readdir(folder))) {
		if (!isdigit(*entry->d_name) || atoi(entry->d_name) == except)
			continue;
		snprintf(path, sizeof(path), "/proc/%u/fd/%s", pid,
			 entry->d_name);
		found = file_link(target, sizeof(target), path) &&
			!strcmp(target, wanted);
	}
	if (folder)
		closedir(folder);
	return found;
}

bool holder_of_file(struct holder *holder, const char *file, __u32 self,
		    int except)
{
	const struct dirent *entry;
	DIR *folder = opendir("/proc");
	bool found = false;

	while (folder && !found && (entry = readdir(folder))) {
		__u32 pid = strtoul(entry->d_name, NULL, 10);

		if (!pid || !has_open(pid, file, pid == self ? except : -1))
			continue;
		holder->pid = pid;
		read_comm(pid, holder->comm);
		found = true;
	}
	if (folder)
		closedir(folder);
	return found;
}

/* The name of the only entry of a folder of the device; false without one. */
static bool read_entry(char *name, size_t size, const char *address,
		       const char *folder_name)
{
	const struct dirent *entry;
	bool found = false;
	char path[PATH_MAX];
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.64s/%s", address,
		 folder_name);
	folder = opendir(path);
	while (folder && !found && (entry = readdir(folder))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(name, size, "%.32s", entry->d_name);
		found = true;
	}
	if (folder)
		closedir(folder);
	return found;
}

bool holder_is_vfio(const char *address)
{
	char name[40];

	return read_entry(name, sizeof(name), address, "vfio-dev");
}

bool holder_of_device(struct holder *holder, const char *address)
{
	struct identity_device device;
	char name[40], file[80];

	if (read_entry(name, sizeof(name), address, "vfio-dev")) {
		snprintf(file, sizeof(file), "/dev/vfio/devices/%s", name);
		if (holder_of_file(holder, file, 0, -1))
			return true;
	}
	if (!identity_device(&device, "", address) || device.group < 0)
		return false;
	snprintf(file, sizeof(file), "/dev/vfio/%d", device.group);
	return holder_of_file(holder, file, 0, -1);
}
