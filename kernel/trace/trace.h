/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_TRACE_TRACE_H
#define __IOMMUFD_TRACE_TRACE_H

#include <linux/ktime.h>

#include "trace/events.h"

/*
 * A request whose event somebody listens to has a start_ns in its statistics,
 * and its parts are timed; the others don't look at the clock.
 */
#define iommufd_trace_start(event) \
	(trace_##event##_enabled() ? ktime_get_ns() : 0)

/**
 * iommufd_trace_ns - the time since a request began
 * @start_ns: what iommufd_trace_start() has returned
 *
 * Returns nanoseconds, 0 if the request is not timed.
 */
static inline u64 iommufd_trace_ns(u64 start_ns)
{
	return start_ns ? ktime_get_ns() - start_ns : 0;
}

/**
 * iommufd_trace_begin - a request begins whose parts are timed
 * @event: the event that tells of it
 * @stats: statistics of the request, zeroed
 */
#define iommufd_trace_begin(event, stats) \
	do { \
		if (trace_##event##_enabled()) \
			(stats)->start_ns = ktime_get_ns(); \
	} while (0)

/**
 * iommufd_trace_mark - a part of a request begins
 * @event: whose parts are timed
 * @stats: statistics of the request
 */
#define iommufd_trace_mark(event, stats) \
	do { \
		if (trace_##event##_enabled()) \
			__iommufd_trace_mark((stats)->start_ns, \
					     &(stats)->mark_ns); \
	} while (0)

/**
 * iommufd_trace_lap - a part of a request ends and the next one begins
 * @event: whose parts are timed
 * @stats: statistics of the request
 * @part: nanoseconds in them that the time is added to
 */
#define iommufd_trace_lap(event, stats, part) \
	do { \
		if (trace_##event##_enabled()) \
			__iommufd_trace_lap(&(stats)->mark_ns, part); \
	} while (0)

/**
 * iommufd_trace_wait - time the wait for something, such as a lock
 * @event: whose parts are timed
 * @stats: statistics of the request, with a lock_ns
 * @try: has it without waiting, such as mutex_trylock()
 * @wait: waits for it; an int, 0 once it has it
 *
 * Who need not wait does not look at the clock; the part that runs does not
 * count the wait. Evaluates to 0 or that of @wait.
 */
#define iommufd_trace_wait(event, stats, try, wait) \
	({ \
		int __ret = 0; \
\
		if (!trace_##event##_enabled()) { \
			__ret = (wait); \
		} else if (!(try)) { \
			u64 __ns = ktime_get_ns(); \
\
			__ret = (wait); \
			__ns = ktime_get_ns() - __ns; \
			if ((stats)->start_ns) \
				(stats)->lock_ns += __ns; \
			if ((stats)->mark_ns) \
				(stats)->mark_ns += __ns; \
		} \
		__ret; \
	})

void __cold __iommufd_trace_mark(u64 start_ns, u64 *mark_ns);
void __cold __iommufd_trace_lap(u64 *mark_ns, u64 *part_ns);

#endif
