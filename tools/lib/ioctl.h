/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What processes ask of iommufd, from the system calls that they make: it works
 * on kernels without iommufd's trace events, and knows no contexts, IOAS or
 * reasons. bpf/iommufd_ioctl.h has what is counted.
 */
#ifndef __LIB_IOCTL_H
#define __LIB_IOCTL_H

#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_ioctl.h"
#include "../../bpf/slots.h"

/* Called for a single call; @data is the caller's. */
typedef void (*ioctl_fn)(const struct ioctl_call *call, void *data);

/**
 * struct ioctl_options - what to watch
 * @pid: this process only, unless it is 0
 * @ancestor: this process and what it has started only, unless it is 0
 * @by_size: count calls by the size of the memory that they are about, too
 * @each: hand on single calls instead of counting
 * @data: for @each
 * @only_failed: of single calls, those that fail
 * @slower_ns: of single calls, those that take so long
 */
struct ioctl_options {
	__u32 pid;
	__u32 ancestor;
	bool by_size;
	ioctl_fn each;
	void *data;
	bool only_failed;
	__u64 slower_ns;
};

struct ioctl_entry {
	struct ioctl_key key;
	struct ioctl_row row;
};

/**
 * struct ioctl_report - what was done since the last report
 * @nr: how many entries
 * @entries: by process, those of one by command, then by errno, then by size
 */
struct ioctl_report {
	size_t nr;
	struct ioctl_entry *entries;
};

enum ioctl_kind {
	IOCTL_MAPS, /* maps memory: of a process, of a file, of another IOAS */
	IOCTL_UNMAPS,
	IOCTL_OTHER,
};

enum ioctl_kind ioctl_kind_of(__u32 command);

struct ioctl_watch;

/* Begins to watch. NULL after having said why not. */
struct ioctl_watch *ioctl_open(const struct ioctl_options *options);
void ioctl_close(struct ioctl_watch *watch);

/*
 * The calls that ended since the last report, each in one of them; it is valid
 * until the next one. NULL after having said why not.
 */
const struct ioctl_report *ioctl_read(struct ioctl_watch *watch);

/* Adds the calls of one row to those of another. */
void ioctl_add(struct ioctl_row *to, const struct ioctl_row *from);

/* Adds the durations in a row to a histogram of powers of two. */
void ioctl_add_slots(struct slots *to, const struct ioctl_row *row);

/* Of single calls: can be read when there are some; hands all of them on. */
int ioctl_fd(const struct ioctl_watch *watch);
void ioctl_take(struct ioctl_watch *watch);

/* Calls that are in no report, or were not handed on, since the start. */
__u64 ioctl_lost(const struct ioctl_watch *watch);

#endif
