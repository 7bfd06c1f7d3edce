/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that makes a request, from the current task. */
#ifndef __IOMMUFD_TASK_H
#define __IOMMUFD_TASK_H

#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"

#define TASK_COMM_LEN 16

/* Maximum depth of the search for an ancestor. */
#define TASK_MAX_DEPTH 64

/* The name of the process, not of the thread; @comm has TASK_COMM_LEN bytes. */
static inline void task_comm(char *comm)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	bpf_probe_read_kernel_str(comm, TASK_COMM_LEN,
				  BPF_CORE_READ(task, group_leader, comm));
}

/* Whether the process is @ancestor or one of its descendants. */
static inline bool task_descends(__u32 ancestor)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	int i;

	for (i = 0; i < TASK_MAX_DEPTH && task; i++) {
		__u32 tgid = BPF_CORE_READ(task, tgid);

		if (tgid == ancestor)
			return true;
		if (tgid <= 1)
			return false;
		task = BPF_CORE_READ(task, real_parent);
	}
	return false;
}

/*
 * Whether to watch requests of this process: only process @tgid, unless that is
 * 0; only @ancestor and its descendants, unless that is 0.
 */
static inline bool task_is_wanted(__u32 tgid, __u32 ancestor)
{
	if (tgid && bpf_get_current_pid_tgid() >> 32 != tgid)
		return false;
	return !ancestor || task_descends(ancestor);
}

#endif
