// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/tool.h"
#include "processes.h"

static bool is_watched(const char *file)
{
	return !strcmp(file, "/dev/iommu") ||
	       !strncmp(file, "/dev/vfio/", strlen("/dev/vfio/"));
}

static void add_opened(struct processes *processes, int pid,
		       const char *command, const char *file)
{
	struct opened *opened;

	for (size_t i = processes->nr_opened; i--;) {
		opened = &processes->opened[i];
		if (opened->pid != pid)
			break;
		if (!strcmp(opened->file, file))
			return;
	}
	processes->opened =
		tool_memory(reallocarray(processes->opened,
					 processes->nr_opened + 1,
					 sizeof(*processes->opened)));
	opened = &processes->opened[processes->nr_opened++];
	opened->pid = pid;
	snprintf(opened->command, sizeof(opened->command), "%.31s", command);
	snprintf(opened->file, sizeof(opened->file), "%.63s", file);
}

static void add_vm(struct processes *processes, int pid, const char *command)
{
	struct vm *vm;

	processes->vms =
		tool_memory(reallocarray(processes->vms, processes->nr_vms + 1,
					 sizeof(*processes->vms)));
	vm = &processes->vms[processes->nr_vms++];
	vm->pid = pid;
	snprintf(vm->command, sizeof(vm->command), "%.31s", command);
}

static void read_process(struct processes *processes, const struct host *host,
			 int pid)
{
	char command[TEXT_SIZE], file[TEXT_SIZE];
	struct dirent **files;
	int nr;

	host_read(host, command, "/proc/%d/comm", pid);
	if (!strncmp(command, "qemu-system", strlen("qemu-system")) ||
	    !strcmp(command, "qemu-kvm") || !strcmp(command, "kvm"))
		add_vm(processes, pid, command);
	nr = host_list(host, &files, "/proc/%d/fd", pid);
	if (nr < 0)
		processes->hidden += errno == EACCES;
	for (int i = 0; i < nr; i++)
		if (host_link(host, file, "/proc/%d/fd/%s", pid,
			      files[i]->d_name) &&
		    is_watched(file))
			add_opened(processes, pid, command, file);
	host_free(files, nr);
}

void processes_read(struct processes *processes, const struct host *host)
{
	struct dirent **entries;
	int nr = host_list(host, &entries, "/proc");

	memset(processes, 0, sizeof(*processes));
	for (int i = 0; i < nr; i++) {
		int pid = atoi(entries[i]->d_name);

		/* This process may have inherited a file. */
		if (pid > 0 && (*host->root || pid != getpid()))
			read_process(processes, host, pid);
	}
	host_free(entries, nr);
}

void processes_free(struct processes *processes)
{
	free(processes->opened);
	free(processes->vms);
}

size_t processes_with(const struct processes *processes, const char *file,
		      char text[TEXT_SIZE])
{
	size_t found = 0;
	int used = 0;

	*text = '\0';
	for (size_t i = 0; i < processes->nr_opened; i++) {
		const struct opened *opened = &processes->opened[i];

		if (strcmp(opened->file, file))
			continue;
		if (used < TEXT_SIZE)
			used += snprintf(text + used, TEXT_SIZE - used,
					 "%s%s (%d)", found ? ", " : "",
					 opened->command, opened->pid);
		found++;
	}
	return found;
}
