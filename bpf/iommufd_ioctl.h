/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Data of iommufd_ioctl.bpf.c, for tools/lib/ioctl.c. */
#ifndef __IOMMUFD_IOCTL_H
#define __IOMMUFD_IOCTL_H

#include <linux/types.h>
#include "hist.h"
#include "slots.h"

#define IOCTL_COMM_LEN 16
#define IOCTL_MAX_ROWS 8192

/*
 * Numbers of ioctls. The kernel's list of ioctl numbers reserves FIRST to LAST
 * for iommufd. The VFIO ioctls for devices that use iommufd come before them;
 * the ioctls of VFIO containers share their numbers with other VFIO ioctls, and
 * are told apart by their file.
 */
enum ioctl_command {
	IOCTL_SET_IOMMU = 0x3b66,
	IOCTL_SET_CONTAINER = 0x3b68,
	IOCTL_GROUP_DEVICE = 0x3b6a,
	IOCTL_TYPE1_MAP = 0x3b71,
	IOCTL_TYPE1_UNMAP = 0x3b72,
	IOCTL_DEVICE_BIND = 0x3b76,
	IOCTL_DEVICE_ATTACH = 0x3b77,
	IOCTL_DEVICE_DETACH = 0x3b78,
	IOCTL_FIRST = 0x3b80,
	IOCTL_IOAS_COPY = 0x3b83,
	IOCTL_IOAS_MAP = 0x3b85,
	IOCTL_IOAS_UNMAP = 0x3b86,
	IOCTL_DIRTY_BITMAP = 0x3b8c,
	IOCTL_HWPT_INVALIDATE = 0x3b8d,
	IOCTL_IOAS_MAP_FILE = 0x3b8f,
	IOCTL_LAST = 0x3bff,
};

/* The parts of a call's time, which some kernels show. */
enum ioctl_part {
	IOCTL_PIN,
	IOCTL_IOMMU, /* page tables; of an unmap also the IOTLB */
	IOCTL_UNPIN,
	IOCTL_PARTS,
};

#define IOCTL_NAME_LEN	  32
#define IOCTL_MAX_DEVICES 4096

/**
 * struct ioctl_moves - attaches and replaces of a device of VFIO
 * @count: those that succeeded
 * @failed: those that failed
 * @last_ns: duration of the last successful one
 * @max_ns: duration of the longest of these
 */
struct ioctl_moves {
	__u64 count;
	__u64 failed;
	__u64 last_ns;
	__u64 max_ns;
};

/**
 * struct ioctl_key - calls that are counted together
 * @tgid: process, in the initial PID namespace
 * @command: number of the ioctl
 * @error: errno of failed calls, 0 for successful ones
 * @size: slot_of() their length, 0 unless calls are counted by size
 * @ioas: id of the IOAS, 0 unless calls are counted by IOAS
 */
struct ioctl_key {
	__u32 tgid;
	__u32 command;
	__u32 error;
	__u32 size;
	__u32 ioas;
};

/**
 * struct ioctl_row - the calls of an interval that ended on one CPU
 * @calls: number of calls, the sum of @hist
 * @bytes: mapped, copied or unmapped bytes; 0 for failed and other calls
 * @ns: sum of the durations of the system calls
 * @max_ns: duration of the longest call
 * @uid: user id of the process
 * @comm: name of the process
 * @hist: durations, see hist.h
 * @part: those of the parts, by enum ioctl_part; 0 where they are not known
 */
struct ioctl_row {
	__u64 calls;
	__u64 bytes;
	__u64 ns;
	__u64 max_ns;
	__u32 uid;
	__u32 unused;
	char comm[IOCTL_COMM_LEN];
	__u32 hist[HIST_BUCKETS];
	struct slots part[IOCTL_PARTS];
};

/**
 * struct ioctl_call - one call
 * @end_ns: when it ended, ktime
 * @ns: its duration
 * @length: requested bytes; for a successful unmap the unmapped bytes; 0 for
 *	other commands
 * @iova: of a map or unmap; 0 for other commands
 * @address: of the memory that is mapped; 0 for other commands
 * @part_ns: durations of the parts, by enum ioctl_part
 * @flags: of a map
 * @ret: 0 or above, or a negative errno
 * @ioas: of a map or unmap; 0 for other commands and for VFIO type1
 */
struct ioctl_call {
	__u64 end_ns;
	__u64 ns;
	__u64 length;
	__u64 iova;
	__u64 address;
	__u64 part_ns[IOCTL_PARTS];
	__u32 tgid;
	__u32 tid;
	__u32 uid;
	__u32 command;
	__s32 ret;
	__u32 flags;
	__u32 ioas;
	__u32 unused;
	char comm[IOCTL_COMM_LEN];
};

#endif
