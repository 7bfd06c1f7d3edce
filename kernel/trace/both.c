// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports the requests that have a brief event besides the full one.
 */
#include "trace/trace.h"

/**
 * iommufd_trace_map - report the end of a map request
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @iova: address
 * @length: bytes
 * @source: where the pages come from
 * @prot: enum iommufd_ioas_map_flags, only the rights
 * @ret: 0 or a negative errno
 * @stats: statistics of the request
 *
 * Context: Process context. Does not sleep.
 */
void iommufd_trace_map(u32 ctx, u32 ioas, u64 iova, u64 length,
		       enum iommufd_source source, u32 prot, int ret,
		       const struct iommufd_map_stats *stats)
{
	trace_iommufd_ioas_map(ctx, ioas, iova, length, source, prot, ret,
			       stats);
	if (trace_iommufd_ioas_map_brief_enabled()) {
		const struct iommufd_map_brief request = {
			.ctx = ctx,
			.ioas = ioas,
			.iova = iova,
			.length = length,
			.source = source,
			.ret = ret,
			.pinned = stats->pinned,
			.ns = iommufd_trace_ns(stats->brief_ns),
		};

		trace_iommufd_ioas_map_brief(&request);
	}
}

/**
 * iommufd_trace_unmap - report the end of an unmap request
 * @ctx: number of the context
 * @ioas: id of the IOAS
 * @iova: first address
 * @length: bytes requested
 * @unmapped: bytes unmapped
 * @ret: 0 or a negative errno
 * @stats: statistics of the request
 *
 * Context: Process context. Does not sleep.
 */
void iommufd_trace_unmap(u32 ctx, u32 ioas, u64 iova, u64 length, u64 unmapped,
			 int ret, const struct iommufd_unmap_stats *stats)
{
	trace_iommufd_ioas_unmap(ctx, ioas, iova, length, unmapped, ret, stats);
	if (trace_iommufd_ioas_unmap_brief_enabled()) {
		const struct iommufd_unmap_brief request = {
			.ctx = ctx,
			.ioas = ioas,
			.iova = iova,
			.length = length,
			.unmapped = unmapped,
			.areas = stats->areas,
			.ret = ret,
			.unpinned = stats->unpinned,
			.ns = iommufd_trace_ns(stats->brief_ns),
		};

		trace_iommufd_ioas_unmap_brief(&request);
	}
}
