/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program asks for the ranges of an IOAS twice: the first time without room,
 * to learn how much it needs. The error of that request, EMSGSIZE, is its
 * answer, not a failure.
 */
#ifndef __IOMMUFD_SIZING_H
#define __IOMMUFD_SIZING_H

#include <linux/errno.h>
#include <stdbool.h>
#include <linux/types.h>

#define SIZING_COMMAND 0x3b84 /* IOMMU_IOAS_IOVA_RANGES */
#define SIZING_ROOM    8 /* offset of num_iovas in its argument */

/* @room: the number of ranges that the request has room for */
static inline bool is_sizing(__u32 command, __s32 ret, __u64 room)
{
	return command == SIZING_COMMAND && ret == -EMSGSIZE && !room;
}

#endif
