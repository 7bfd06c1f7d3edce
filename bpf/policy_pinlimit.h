/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of policy_pinlimit.bpf.c, for iommufd-why and iommufd-exporter. */
#ifndef __POLICY_PINLIMIT_H
#define __POLICY_PINLIMIT_H

#include <linux/types.h>

/* Room of the map "owners", and of the map "limits". */
#define PINLIMIT_OWNERS 16384

/* Kind of owner. */
enum pinlimit_by {
	USER = 0, /* its real user id */
	CGROUP = 1, /* id of its cgroup, in cgroup2 */
	PROCESS = 2, /* its process id */
};

/* The map "settings". */
struct pinlimit_settings {
	__u64 limit; /* bytes for each owner; 0 for no limit */
	enum pinlimit_by by; /* which owners have limits */
};

/* A key of the map "owners". */
struct pinlimit_owner {
	__u64 id;
	enum pinlimit_by by;
} __attribute__((packed));

/* A value of the map "owners". A cgroup includes its descendants. */
struct pinlimit_usage {
	__u64 bytes; /* pinned now */
	__u64 peak; /* the most that were pinned at a time */
	__u64 refused; /* requests that would have exceeded the limit */
	__u64 own; /* 1 if the general limit applies, 0 if it only has descendants */
};

#endif
