/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The requests of /dev/iommufd_floor. */
#ifndef FLOOR_H
#define FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define FLOOR_PATH "/dev/iommufd_floor"

/**
 * struct floor_attach - the first request of an open file
 * @address: PCI address of a device whose DMA no driver owns
 * @runs: maximum number of physically contiguous parts in each lane
 * @lanes: number of lanes. Requests of different lanes run in parallel; a lane
 *	has its own mappings
 * @reserved: 0
 */
struct floor_attach {
	char address[16];
	__aligned_u64 runs;
	__u32 lanes;
	__u32 reserved;
};

/**
 * struct floor_map - maps memory
 * @user_va: address in the calling process, if @fd is -1
 * @iova: where
 * @length: bytes; all three are multiples of the page size
 * @fd: a memfd, mapped from its beginning
 * @lane: which lane
 */
struct floor_map {
	__aligned_u64 user_va;
	__aligned_u64 iova;
	__aligned_u64 length;
	__s32 fd;
	__u32 lane;
};

/**
 * struct floor_unmap - unmaps the latest mappings of a lane
 * @iova: their address
 * @length: bytes, of one map or more
 * @lane: which lane
 * @reserved: 0
 */
struct floor_unmap {
	__aligned_u64 iova;
	__aligned_u64 length;
	__u32 lane;
	__u32 reserved;
};

#define FLOOR_ATTACH _IOW('F', 0, struct floor_attach)
#define FLOOR_MAP    _IOW('F', 1, struct floor_map)
#define FLOOR_UNMAP  _IOW('F', 2, struct floor_unmap)

#endif
