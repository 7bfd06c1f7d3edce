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
 * iommufd_trace_lap - add the time since a mark to a part and move the mark
 * @event: whose parts are timed
 * @mark: clock of the request, 0 if it is not timed
 * @part: nanoseconds of the part that ends here
 */
#define iommufd_trace_lap(event, mark, part) \
	do { \
		if (trace_##event##_enabled()) \
			__iommufd_trace_lap(mark, part); \
	} while (0)

static inline void __iommufd_trace_lap(u64 *mark, u64 *part)
{
	u64 now;

	if (!*mark)
		return;
	now = ktime_get_ns();
	*part += now - *mark;
	*mark = now;
}

#endif
