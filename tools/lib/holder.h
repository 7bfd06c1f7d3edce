/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which process has a device of VFIO, as far as /proc and sysfs tell. */
#ifndef __LIB_HOLDER_H
#define __LIB_HOLDER_H

#include <linux/types.h>
#include <stdbool.h>

#define HOLDER_COMM_LEN 16

/**
 * struct holder - a process
 * @comm: its name, printable; "?" if not known
 */
struct holder {
	__u32 pid;
	char comm[HOLDER_COMM_LEN];
};

/*
 * The first process that has @file open. A descriptor of the process @self
 * does not count if its number is @except (-1: all count).
 */
bool holder_of_file(struct holder *holder, const char *file, __u32 self,
		    int except);

/* The process that has the PCI device @address, through its file or its group. */
bool holder_of_device(struct holder *holder, const char *address);

/* Whether a driver of VFIO has the PCI device @address. */
bool holder_is_vfio(const char *address);

#endif
