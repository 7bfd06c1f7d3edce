// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures the parts of requests whose tracepoint is enabled.
 */
#include <linux/mutex.h>
#include <linux/rwsem.h>

#include "trace/trace.h"

/* The request, if it is measured, has waited since @wait_ns, 0 for not at all. */
static void start_part(u64 wait_ns, u64 start_ns, u64 *lock_ns, u64 *mark_ns)
{
	u64 now_ns;

	if (!start_ns)
		return;
	now_ns = ktime_get_ns();
	if (wait_ns)
		*lock_ns += now_ns - wait_ns;
	*mark_ns = now_ns;
}

/**
 * __iommufd_trace_mutex_lock_killable - take a mutex for iommufd_trace_lock()
 * @lock: the mutex
 * @start_ns: time when the request began, 0 if it is not measured
 * @lock_ns: the duration of the wait is added to this
 * @mark_ns: set to the current time, when the next part begins
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, or -EINTR if the caller was killed while waiting.
 */
int __iommufd_trace_mutex_lock_killable(struct mutex *lock, u64 start_ns,
					u64 *lock_ns, u64 *mark_ns)
{
	u64 wait_ns = 0;
	int ret = 0;

	if (!mutex_trylock(lock)) {
		wait_ns = ktime_get_ns();
		ret = mutex_lock_killable(lock);
	}
	start_part(wait_ns, start_ns, lock_ns, mark_ns);
	return ret;
}

/**
 * __iommufd_trace_down_read_killable - take a rwsem for iommufd_trace_lock()
 * @lock: the semaphore, taken for reading
 * @start_ns: time when the request began, 0 if it is not measured
 * @lock_ns: the duration of the wait is added to this
 * @mark_ns: set to the current time, when the next part begins
 *
 * Context: Process context. May sleep.
 *
 * Return: 0, or -EINTR if the caller was killed while waiting.
 */
int __iommufd_trace_down_read_killable(struct rw_semaphore *lock, u64 start_ns,
				       u64 *lock_ns, u64 *mark_ns)
{
	u64 wait_ns = 0;
	int ret = 0;

	if (!down_read_trylock(lock)) {
		wait_ns = ktime_get_ns();
		ret = down_read_killable(lock);
	}
	start_part(wait_ns, start_ns, lock_ns, mark_ns);
	return ret;
}

/**
 * __iommufd_trace_lap - end one part of a request and start the next one
 * @mark_ns: time when the part began, 0 if it is not measured; set to the
 *	current time
 * @part_ns: the duration of the part is added to this
 *
 * Context: Any context.
 */
void __iommufd_trace_lap(u64 *mark_ns, u64 *part_ns)
{
	u64 now_ns;

	if (!*mark_ns)
		return;
	now_ns = ktime_get_ns();
	*part_ns += now_ns - *mark_ns;
	*mark_ns = now_ns;
}
