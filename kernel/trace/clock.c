// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures the parts of requests whose tracepoint is enabled.
 */
#include "trace/trace.h"

/**
 * __iommufd_trace_mark - start measuring a part of a request
 * @start_ns: time when the request began, 0 if it is not measured
 * @mark_ns: set to the current time
 *
 * Context: Any context.
 */
void __iommufd_trace_mark(u64 start_ns, u64 *mark_ns)
{
	if (start_ns)
		*mark_ns = ktime_get_ns();
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
