/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of the bundled policy pinlimit, whatever name it was loaded with. */
#ifndef __LIB_PINLIMIT_H
#define __LIB_PINLIMIT_H

#include "../../bpf/policy_pinlimit.h"
#include "maps.h"

/**
 * struct pinlimit - an attached pinlimit
 * @set: its settings
 * @limits: file descriptor of the map of single limits
 * @owners: of the map of owners
 */
struct pinlimit {
	struct pinlimit_settings set;
	int limits;
	int owners;
};

/*
 * Finds them among the maps of a policy, which keep the descriptors. Returns
 * false if it is another policy.
 */
bool pinlimit_find(struct pinlimit *pinlimit, const struct maps *maps);

/* The limit of an owner in bytes; 0 for none. */
__u64 pinlimit_limit(const struct pinlimit *pinlimit,
		     const struct pinlimit_owner *owner,
		     const struct pinlimit_usage *usage);

#endif
