/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes that use iommufd or VFIO, and VMs. */
#ifndef __PROCESSES_H
#define __PROCESSES_H

#include "host.h"

/**
 * struct opened - an open file of iommufd or VFIO
 * @pid: the process
 * @command: its name
 * @file: path of the file
 */
struct opened {
	int pid;
	char command[32];
	char file[64];
};

/**
 * struct vm - a process of QEMU
 * @pid: the process
 * @command: its name
 */
struct vm {
	int pid;
	char command[32];
};

/**
 * struct processes - what the processes of the host have
 * @opened: open files, one entry per process and file
 * @nr_opened: number of @opened
 * @vms: processes of QEMU
 * @nr_vms: number of @vms
 * @hidden: processes whose files this user may not see
 */
struct processes {
	struct opened *opened;
	size_t nr_opened;
	struct vm *vms;
	size_t nr_vms;
	size_t hidden;
};

void processes_read(struct processes *processes, const struct host *host);
void processes_free(struct processes *processes);

/*
 * Writes the processes that have the file open, such as "qemu (12), qemu (13)",
 * to @text; returns how many there are.
 */
size_t processes_with(const struct processes *processes, const char *file,
		      char text[TEXT_SIZE]);

#endif
