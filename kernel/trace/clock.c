// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times the parts of requests, for those that somebody listens to.
 */
#include "trace/trace.h"

/**
 * __iommufd_trace_mark - a part of a request begins
 * @start_ns: when the request began, 0 if it is not timed
 * @mark_ns: set to the time
 */
void __iommufd_trace_mark(u64 start_ns, u64 *mark_ns)
{
	if (start_ns)
		*mark_ns = ktime_get_ns();
}

/**
 * __iommufd_trace_lap - a part of a request ends and the next one begins
 * @mark_ns: when it began, 0 if it is not timed; set to the time
 * @part_ns: the time since then is added to it
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
