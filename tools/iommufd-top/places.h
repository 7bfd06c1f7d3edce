/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rows outside the map, see bpf/iommufd_top_place.h. */
#ifndef __PLACES_H
#define __PLACES_H

#include <stdbool.h>
#include "../../bpf/iommufd_top.h"

/* Copies the row of a place. Returns false if the place is free. */
bool places_read(const struct top_place *place, __u32 *key,
		 struct top_row *row);

/*
 * Adds a row that is all zero but for its life and its process, unless events
 * have added one. Returns false if another row has the place.
 */
bool places_add(struct top_place *places, __u32 ctx, __u32 ioas,
		const struct top_row *row);

/*
 * Copies the row of an IOAS and frees its place. Returns false if it is not in
 * its place.
 */
bool places_remove(struct top_place *places, __u32 ctx, __u32 ioas,
		   struct top_row *row);

#endif
