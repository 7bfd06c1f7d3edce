/* SPDX-License-Identifier: GPL-2.0-only */
/* Who makes a request: what the BPF programs ask about the current task. */
#ifndef __IOMMUFD_TASK_H
#define __IOMMUFD_TASK_H

#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_events.h"

#define TASK_COMM_LEN 16

/* So deep are processes nested at the most. */
#define TASK_MAX_DEPTH 64

/* The process's name, not the thread's; @comm has TASK_COMM_LEN bytes. */
static inline void task_comm(char *comm)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	bpf_probe_read_kernel_str(comm, TASK_COMM_LEN,
				  BPF_CORE_READ(task, group_leader, comm));
}

/* Whether the process is @ancestor or one that it has started. */
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
 * Whether a request of the process is to be looked at: of process @tgid only,
 * unless it is 0; of @ancestor and what it has started only, unless it is 0.
 */
static inline bool task_is_wanted(__u32 tgid, __u32 ancestor)
{
	if (tgid && bpf_get_current_pid_tgid() >> 32 != tgid)
		return false;
	return !ancestor || task_descends(ancestor);
}

#endif
