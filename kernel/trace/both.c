// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports the requests that have a brief event besides the full one.
 */
#include "trace/trace.h"

/**
 * iommufd_trace_map - report the end of a map request
 * @request: the request; the members that @stats has are set here
 * @prot: enum iommufd_ioas_map_flags, only the rights
 * @stats: statistics of the request
 *
 * Context: Process context. Does not sleep.
 */
void iommufd_trace_map(struct iommufd_map_brief *request, u32 prot,
		       const struct iommufd_map_stats *stats)
{
	trace_iommufd_ioas_map(request->ctx, request->ioas, request->iova,
			       request->length, request->source, prot,
			       request->ret, stats);
	if (!trace_iommufd_ioas_map_brief_enabled())
		return;
	request->pinned = stats->pinned;
	request->ns = iommufd_trace_ns(stats->brief_ns);
	trace_iommufd_ioas_map_brief(request);
}

/**
 * iommufd_trace_unmap - report the end of an unmap request
 * @request: the request; the members that @stats has are set here
 * @stats: statistics of the request
 *
 * Context: Process context. Does not sleep.
 */
void iommufd_trace_unmap(struct iommufd_unmap_brief *request,
			 const struct iommufd_unmap_stats *stats)
{
	trace_iommufd_ioas_unmap(request->ctx, request->ioas, request->iova,
				 request->length, request->unmapped,
				 request->ret, stats);
	if (!trace_iommufd_ioas_unmap_brief_enabled())
		return;
	request->areas = stats->areas;
	request->unpinned = stats->unpinned;
	request->ns = iommufd_trace_ns(stats->brief_ns);
	trace_iommufd_ioas_unmap_brief(request);
}
