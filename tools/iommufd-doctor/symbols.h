/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which parts of iommufd and VFIO the running kernel has, by its symbols. */
#ifndef __SYMBOLS_H
#define __SYMBOLS_H

#include "host.h"

enum place {
	PLACE_NONE,
	PLACE_IMAGE,
	PLACE_MODULE,
};

/**
 * struct symbols - where parts are
 * @known: the symbols could be read
 * @events: trace events of iommufd-bpf, which make an iommufd ours
 * @driver: the part that IOMMU drivers call
 * @driver_events: trace events of iommufd-bpf in that part
 * @container: VFIO's own container, /dev/vfio/vfio
 */
struct symbols {
	bool known;
	enum place events;
	enum place driver;
	enum place driver_events;
	enum place container;
};

void symbols_read(struct symbols *symbols, const struct host *host);

#endif
