/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Requests to iommufd as seen in system calls. This works on kernels without
 * trace events of iommufd, but does not know contexts or reasons. See
 * bpf/iommufd_ioctl.h for what is counted.
 */
#ifndef __LIB_IOCTL_H
#define __LIB_IOCTL_H

#include <stdbool.h>
#include <stddef.h>
#include "../../bpf/iommufd_ioctl.h"
#include "../../bpf/operation.h"
#include "../../bpf/slots.h"

/* Called for a single call; @data is passed through. */
typedef void (*ioctl_fn)(const struct ioctl_call *call, void *data);

/**
 * struct ioctl_options - what to watch
 * @pid: only this process, 0 for all
 * @ancestor: only this process and its descendants, 0 for all
 * @by_size: also count calls by the size of the memory range
 * @by_ioas: also count them by IOAS
 * @parts: also measure the parts of their time, where the kernel shows them
 * @each: call this for single calls instead of counting
 * @data: argument of @each
 * @only_failed: only single calls that fail
 * @slower_ns: only single calls that take at least this long
 */
struct ioctl_options {
	__u32 pid;
	__u32 ancestor;
	bool by_size;
	bool by_ioas;
	bool parts;
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
 * struct ioctl_report - calls since the last report
 * @nr: number of entries
 * @entries: sorted by process, then command, errno, size and IOAS
 */
struct ioctl_report {
	size_t nr;
	struct ioctl_entry *entries;
};

/* OPS for other requests. */
enum operation ioctl_operation(__u32 command);

struct ioctl_watch;

/* Starts watching. Returns NULL after reporting an error. */
struct ioctl_watch *ioctl_open(const struct ioctl_options *options);
void ioctl_close(struct ioctl_watch *watch);

/*
 * The calls that ended since the last report. Each call is in exactly one
 * report, which is valid until the next one. Returns NULL after reporting an
 * error.
 */
const struct ioctl_report *ioctl_read(struct ioctl_watch *watch);

/* Whether the kernel shows a part of the time of calls. */
bool ioctl_has_part(const struct ioctl_watch *watch, enum ioctl_part part);

/* Attaches and replaces of a device of VFIO since the start. */
struct ioctl_moves ioctl_moves_of(const struct ioctl_watch *watch,
				  const char name[IOCTL_NAME_LEN]);

/* Adds the calls of one row to those of another. */
void ioctl_add(struct ioctl_row *to, const struct ioctl_row *from);

/* Adds the durations in a row to a histogram of powers of two. */
void ioctl_add_slots(struct slots *to, const struct ioctl_row *row);

/*
 * For single calls: a file descriptor that is readable when there are calls,
 * and the function that passes all of them to @each.
 */
int ioctl_fd(const struct ioctl_watch *watch);
void ioctl_take(struct ioctl_watch *watch);

/* Calls since the start that are in no report and were not passed to @each. */
__u64 ioctl_lost(const struct ioctl_watch *watch);

#endif
