/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records of iommufd_history.bpf.c: the last unmaps, and the last changes of
 * attachments. Both are rings: the entry with the number N, from 1 on, is at
 * (N - 1) % size, until a later one takes its place.
 */
#ifndef __IOMMUFD_HISTORY_H
#define __IOMMUFD_HISTORY_H

#include <linux/types.h>

#define HISTORY_COMM_LEN   16
#define HISTORY_DEVICE_LEN 32

/* Changes of attachments are few: this is for all devices of a machine. */
#define HISTORY_ATTACHES 1024

/**
 * struct history_unmap - an unmap request that has ended
 * @number: its number, 0 while the entry is written
 * @time_ns: when it ended, ktime
 * @iova: first address requested
 * @length: requested bytes, U64_MAX for all
 * @unmapped: unmapped bytes
 * @ctx: number of the context, 0 if the event does not have it
 * @ioas: id of the IOAS, 0 for that of a container of VFIO
 * @tgid: the process
 * @tid: the thread
 * @comm: its name
 */
struct history_unmap {
	__u64 number;
	__u64 time_ns;
	__u64 iova;
	__u64 length;
	__u64 unmapped;
	__u32 ctx;
	__u32 ioas;
	__u32 tgid;
	__u32 tid;
	char comm[HISTORY_COMM_LEN];
};

/**
 * struct history_attach - an attach, replace or detach that has succeeded
 * @number: as above
 * @target: the IOAS or page table that it was attached to
 * @hwpt: the page table, 0 after a detach
 * @device: name of the device
 * The others are as above.
 */
struct history_attach {
	__u64 number;
	__u64 time_ns;
	__u32 ctx;
	__u32 pasid;
	__u32 target;
	__u32 hwpt;
	__u32 tgid;
	__u32 tid;
	char comm[HISTORY_COMM_LEN];
	char device[HISTORY_DEVICE_LEN];
};

#endif
