/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mappings at and next to an address, for programs that pass all mappings
 * of an IOAS in the order of their addresses, and send().
 */
#ifndef __IOMMUFD_NEAR_H
#define __IOMMUFD_NEAR_H

#include <linux/types.h>
#include <stdbool.h>
#include "iommufd_list.h"
#include "walk.h"

/* User space sets these: whether to look, and for which address. */
bool wants_near;
__u64 near_iova;

static struct list_near near __used;

static void near_begin(__u32 ctx, __u32 ioas)
{
	near.kind = LIST_NEAR;
	near.ctx = ctx;
	near.ioas = ioas;
	near.at.length = 0;
	near.below.length = 0;
	near.above.length = 0;
}

/* Where to store the mapping of these addresses, or NULL. */
static struct list_area *near_area(__u64 iova, __u64 length)
{
	if (!wants_near || !length)
		return NULL;
	if (iova > near_iova)
		return near.above.length ? NULL : &near.above;
	return near_iova - iova < length ? &near.at : &near.below;
}

#endif
