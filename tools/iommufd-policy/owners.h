/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Owners that a policy tells apart by an enum: a user, a cgroup and so on. By
 * convention, the enum is a member "by", and CGROUP one of its names.
 */
#ifndef __OWNERS_H
#define __OWNERS_H

#include "../lib/maps.h"

/*
 * Whether a key of a map is a cgroup: a structure with the owner's "id" and the
 * kind "by", or a key of a map of single owners, whose kind is a setting. Sets
 * *@id.
 */
bool owners_cgroup(const struct maps *maps, const struct map *map,
		   const void *key, __u64 *id);

#endif
