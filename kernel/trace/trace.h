/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_TRACE_TRACE_H
#define __IOMMUFD_TRACE_TRACE_H

#include <linux/ktime.h>

#include "trace/events.h"

struct mutex;
struct rw_semaphore;

/*
 * If its tracepoint is enabled when a request begins, the statistics of the
 * request get a start_ns and its parts are measured. Other requests don't read
 * the clock.
 */
#define iommufd_trace_start(event) \
	(trace_##event##_enabled() ? ktime_get_ns() : 0)

/**
 * iommufd_trace_ns - get the time since a request began
 * @start_ns: the result of iommufd_trace_start()
 *
 * Return: Nanoseconds, 0 if the request is not measured.
 */
static inline u64 iommufd_trace_ns(u64 start_ns)
{
	return start_ns ? ktime_get_ns() - start_ns : 0;
}

/**
 * iommufd_trace_begin - start measuring a request and its parts
 * @event: the event that reports the request
 * @stats: statistics of the request, zeroed
 */
#define iommufd_trace_begin(event, stats) \
	do { \
		if (trace_##event##_enabled()) \
			(stats)->start_ns = ktime_get_ns(); \
	} while (0)

/* As iommufd_trace_begin(), for an event that has a brief one, too. */
#define iommufd_trace_begin_both(event, stats) \
	do { \
		iommufd_trace_begin(event, stats); \
		if (trace_##event##_brief_enabled()) \
			(stats)->brief_ns = \
				(stats)->start_ns ?: ktime_get_ns(); \
	} while (0)

/* Whether an event that has a brief one, or the brief one, is enabled. */
#define iommufd_trace_both_enabled(event) \
	(trace_##event##_enabled() || trace_##event##_brief_enabled())

/**
 * iommufd_trace_lap - end one part of a request and start the next one
 * @event: the event that reports the request
 * @stats: statistics of the request
 * @part: pointer to the member of @stats to which the duration is added
 */
#define iommufd_trace_lap(event, stats, part) \
	do { \
		if (trace_##event##_enabled()) \
			__iommufd_trace_lap(&(stats)->mark_ns, part); \
	} while (0)

/**
 * iommufd_trace_wait - measure the wait for something, such as a lock
 * @event: the event that reports the request
 * @stats: statistics of the request, with a lock_ns
 * @try: expression that tries without waiting, such as mutex_trylock()
 * @wait: expression that waits; an int, 0 on success
 *
 * If @try succeeds, the clock is not read. The wait is added to lock_ns and not
 * to the part of the request that is being measured.
 *
 * Return: 0, or the value of @wait.
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

/**
 * iommufd_trace_lock - take a lock, then start measuring a part of a request
 * @event: the event that reports the request
 * @stats: statistics of the request, with a lock_ns
 * @take: mutex_lock_killable or down_read_killable
 * @lock: pointer to the lock
 *
 * Measures the wait as iommufd_trace_wait() does. The code for that is out of
 * line, so this costs one branch while the tracepoint is disabled.
 *
 * Return: 0, or -EINTR if the caller was killed while waiting.
 */
#define iommufd_trace_lock(event, stats, take, lock) \
	(trace_##event##_enabled() ? \
		 __iommufd_trace_##take(lock, (stats)->start_ns, \
					&(stats)->lock_ns, \
					&(stats)->mark_ns) : \
		 take(lock))

int __cold __iommufd_trace_mutex_lock_killable(struct mutex *lock, u64 start_ns,
					       u64 *lock_ns, u64 *mark_ns);
int __cold __iommufd_trace_down_read_killable(struct rw_semaphore *lock,
					      u64 start_ns, u64 *lock_ns,
					      u64 *mark_ns);
void __cold __iommufd_trace_lap(u64 *mark_ns, u64 *part_ns);

/* trace/both.c */
void __cold iommufd_trace_map(struct iommufd_map_brief *request, u32 prot,
			      const struct iommufd_map_stats *stats);
void __cold iommufd_trace_unmap(struct iommufd_unmap_brief *request,
				const struct iommufd_unmap_stats *stats);

#endif
