// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The addresses of an IOAS: mapped, allowed and reserved ranges. Slow and
 * simple.
 */

#include <string.h>

#include "fuzz.h"

static bool meets(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
	return a <= b_last && b <= a_last;
}

static uint64_t last_of(const struct area *area)
{
	return area->iova + (area->length - 1);
}

/* The lowest area that overlaps an interval. */
struct area *space_first(struct space *space, uint64_t iova, uint64_t last)
{
	struct area *first = NULL;

	for (unsigned int i = 0; i < space->nr_areas; i++) {
		struct area *area = &space->areas[i];

		if (meets(area->iova, last_of(area), iova, last) &&
		    (!first || area->iova < first->iova))
			first = area;
	}
	return first;
}

/* Whether the whole interval is mapped. */
bool space_covered(struct space *space, uint64_t iova, uint64_t last)
{
	struct area *area;

	for (;;) {
		area = space_first(space, iova, iova);
		if (!area)
			return false;
		if (last_of(area) >= last)
			return true;
		iova = last_of(area) + 1;
	}
}

static bool inside_one(const struct iommu_iova_range *ranges, unsigned int nr,
		       uint64_t iova, uint64_t last)
{
	for (unsigned int i = 0; i < nr; i++)
		if (ranges[i].start <= iova && last <= ranges[i].last)
			return true;
	return false;
}

bool space_usable(const struct space *space, uint64_t iova, uint64_t last)
{
	return inside_one(space->usable, space->nr_usable, iova, last);
}

/* Whether the kernel may choose these addresses. */
bool space_allowed(const struct space *space, uint64_t iova, uint64_t last)
{
	return !space->nr_allowed ||
	       inside_one(space->allowed, space->nr_allowed, iova, last);
}

/*
 * Whether there is room in a range of usable addresses, and at which offset in
 * a page.
 */
static bool fits(struct space *space, uint64_t at, uint64_t last,
		 uint64_t length, uint64_t offset)
{
	struct area *area;

	for (;;) {
		uint64_t from = at;

		at += (offset - at) % PAGE;
		if (at < from || at > last || last - at < length - 1)
			return false;
		area = space_first(space, at, at + (length - 1));
		if (!area)
			return true;
		at = last_of(area) + 1;
		if (!at)
			return false;
	}
}

/* Whether the kernel can choose an address; it never chooses the first page. */
bool space_has_room(struct space *space, uint64_t length, uint64_t offset)
{
	static const struct iommu_iova_range all = { 0, UINT64_MAX };
	const struct iommu_iova_range *allowed =
		space->nr_allowed ? space->allowed : &all;
	unsigned int n = space->nr_allowed ?: 1;

	for (unsigned int i = 0; i < space->nr_usable; i++) {
		for (unsigned int k = 0; k < n; k++) {
			uint64_t first = space->usable[i].start;
			uint64_t last = space->usable[i].last;

			if (allowed[k].start > first)
				first = allowed[k].start;
			if (allowed[k].last < last)
				last = allowed[k].last;
			if (first < PAGE)
				first = PAGE;
			if (first <= last &&
			    fits(space, first, last, length, offset))
				return true;
		}
	}
	return false;
}

/* Whether an unmap of an interval would split an area. */
bool space_cuts(const struct space *space, uint64_t iova, uint64_t last)
{
	for (unsigned int i = 0; i < space->nr_areas; i++) {
		const struct area *area = &space->areas[i];

		if (meets(area->iova, last_of(area), iova, last) &&
		    (area->iova < iova || last_of(area) > last))
			return true;
	}
	return false;
}

bool space_fixed(const struct space *space, uint64_t iova, uint64_t last)
{
	for (unsigned int i = 0; i < space->nr_areas; i++) {
		const struct area *area = &space->areas[i];

		if (area->fixed && meets(area->iova, last_of(area), iova, last))
			return true;
	}
	return false;
}

void space_add(struct space *space, struct area area)
{
	if (space->nr_areas < MOST_AREAS)
		space->areas[space->nr_areas++] = area;
}

static bool cut(struct space *space, uint64_t iova)
{
	struct area *area = space_first(space, iova, iova);
	struct area tail;

	if (!area || area->iova == iova)
		return false;
	tail = *area;
	tail.length = last_of(area) - iova + 1;
	tail.offset += iova - area->iova;
	tail.iova = iova;
	area->length = iova - area->iova;
	space_add(space, tail);
	return true;
}

/*
 * Removes an interval, including parts of areas; returns the number of removed
 * bytes.
 */
uint64_t space_remove(struct space *space, uint64_t iova, uint64_t last)
{
	uint64_t bytes = 0;

	cut(space, iova);
	if (last != UINT64_MAX)
		cut(space, last + 1);
	for (unsigned int i = 0; i < space->nr_areas;) {
		struct area *area = &space->areas[i];

		if (!meets(area->iova, last_of(area), iova, last)) {
			i++;
			continue;
		}
		bytes += area->length;
		*area = space->areas[--space->nr_areas];
	}
	return bytes;
}
