// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas are in a red-black tree that is augmented with the largest hole of each
 * subtree, so that a lookup and the search for a hole take logarithmic time.
 * Devices and page tables reserve only a few intervals, which are in an
 * interval tree.
 */
#include <kunit/visibility.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pgtable.h>
#include <linux/rbtree_augmented.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "ioas/iova_map.h"
#include "trace/fail.h"

static unsigned long area_hole(struct iommufd_area *area)
{
	return area->hole;
}

RB_DECLARE_CALLBACKS_MAX(static, area_augment, struct iommufd_area, rb,
			 unsigned long, max_hole, area_hole);

static struct iommufd_area *to_area(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct iommufd_area, rb);
}

/**
 * iommufd_iova_map_init - initialise an empty map; all addresses are usable
 * @map: the map
 */
void iommufd_iova_map_init(struct iommufd_iova_map *map)
{
	map->areas = RB_ROOT;
	map->recent = NULL;
	map->reserved = RB_ROOT_CACHED;
	map->allowed = RB_ROOT_CACHED;
	map->alignment = 1;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_init);

/**
 * iommufd_iova_map_first - find the lowest area that overlaps an interval
 * @map: the map
 * @iova: first address of the interval
 * @last: last address of the interval
 *
 * Return: the area or NULL.
 */
struct iommufd_area *iommufd_iova_map_first(struct iommufd_iova_map *map,
					    unsigned long iova,
					    unsigned long last)
{
	struct rb_node *rb = map->areas.rb_node;
	struct iommufd_area *first = map->recent;

	if (first && first->iova <= iova && first->last >= iova)
		return first;
	first = NULL;
	while (rb) {
		struct iommufd_area *area = to_area(rb);

		if (area->last >= iova) {
			first = area;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return first && first->iova <= last ? first : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_first);

/**
 * iommufd_area_next - find the next higher area that overlaps an interval
 * @area: an area
 * @last: last address of the interval
 *
 * Return: the area or NULL.
 */
struct iommufd_area *iommufd_area_next(struct iommufd_area *area,
				       unsigned long last)
{
	struct iommufd_area *next = to_area(rb_next(&area->rb));

	return next && next->iova <= last ? next : NULL;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_area_next);

/**
 * iommufd_iova_map_last - find the highest area that begins at or below an
 * address
 * @map: the map
 * @iova: the address
 *
 * Return: the area or NULL.
 */
struct iommufd_area *iommufd_iova_map_last(struct iommufd_iova_map *map,
					   unsigned long iova)
{
	struct rb_node *rb = map->areas.rb_node;
	struct iommufd_area *last = NULL;

	while (rb) {
		struct iommufd_area *area = to_area(rb);

		if (area->iova <= iova) {
			last = area;
			rb = rb->rb_right;
		} else {
			rb = rb->rb_left;
		}
	}
	return last;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_last);

static void set_hole(struct iommufd_area *area, unsigned long start)
{
	area->hole = area->iova - start;
	area_augment_propagate(&area->rb, NULL);
}

static unsigned long hole_start(struct iommufd_area *area)
{
	return area->iova - area->hole;
}

/**
 * struct gap - where an area can be inserted
 * @parent: its parent in the tree, or NULL
 * @link: its link in @parent
 * @start: first address after the area before it
 * @next: the area after it, or NULL
 */
struct gap {
	struct rb_node *parent;
	struct rb_node **link;
	unsigned long start;
	struct iommufd_area *next;
};

/* Returns false if the interval is not free, or not next to the recent area. */
static bool find_recent_gap(struct iommufd_iova_map *map, unsigned long iova,
			    unsigned long last, struct gap *gap)
{
	struct iommufd_area *prev = NULL, *next = map->recent;

	if (!next)
		return false;
	if (iova > next->last) {
		prev = next;
		next = to_area(rb_next(&prev->rb));
		gap->start = prev->last + 1;
	} else {
		gap->start = hole_start(next);
		if (iova < gap->start)
			return false;
	}
	if (next && last >= next->iova)
		return false;

	gap->next = next;
	if (next && !next->rb.rb_left) {
		gap->parent = &next->rb;
		gap->link = &next->rb.rb_left;
	} else {
		/* The area before has no right child, as none is between. */
		gap->parent = prev ? &prev->rb : rb_prev(&next->rb);
		gap->link = &gap->parent->rb_right;
	}
	return true;
}

/* Returns false if an area overlaps the interval. */
static bool find_gap(struct iommufd_iova_map *map, unsigned long iova,
		     unsigned long last, struct gap *gap)
{
	if (find_recent_gap(map, iova, last, gap))
		return true;
	*gap = (struct gap){ .link = &map->areas.rb_node };
	while (*gap->link) {
		struct iommufd_area *area = to_area(*gap->link);

		gap->parent = *gap->link;
		if (last < area->iova) {
			gap->next = area;
			gap->link = &area->rb.rb_left;
		} else if (iova > area->last) {
			gap->start = area->last + 1;
			gap->link = &area->rb.rb_right;
		} else {
			return false;
		}
	}
	return true;
}

static void link_area(struct iommufd_iova_map *map, struct iommufd_area *area,
		      const struct gap *gap)
{
	area->hole = area->iova - gap->start;
	area->max_hole = area->hole;
	rb_link_node(&area->rb, gap->parent, gap->link);
	area_augment_propagate(gap->parent, NULL);
	if (gap->next)
		set_hole(gap->next, area->last + 1);
	rb_insert_augmented(&area->rb, &map->areas, &area_augment);
	map->recent = area;
}

static enum iommufd_reason reserved_reason(struct interval_tree_node *node)
{
	return container_of(node, struct iommufd_reserved, node)->aperture ?
		       IOMMUFD_REASON_IOVA_APERTURE :
		       IOMMUFD_REASON_IOVA_RESERVED;
}

/**
 * iommufd_iova_map_insert - insert an area at an address
 * @map: the map
 * @area: the area, whose @iova and @last are set here
 * @iova: first address
 * @length: bytes; the last address must not overflow
 *
 * Return: 0, -EINVAL if the interval is not aligned or overlaps a reserved one,
 * or -EEXIST if it overlaps another area.
 */
int iommufd_iova_map_insert(struct iommufd_iova_map *map,
			    struct iommufd_area *area, unsigned long iova,
			    unsigned long length)
{
	unsigned long last = iova + (length - 1);
	struct interval_tree_node *reserved;
	struct iommufd_area *other;
	struct gap gap;

	if (!IS_ALIGNED(iova | length, map->alignment))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_IOVA_ALIGNMENT,
				    IS_ALIGNED(iova, map->alignment) ?
					    length :
					    iova,
				    map->alignment);
	reserved = interval_tree_iter_first(&map->reserved, iova, last);
	if (reserved)
		return iommufd_fail(-EINVAL, reserved_reason(reserved),
				    reserved->start, reserved->last);
	if (!find_gap(map, iova, last, &gap)) {
		other = iommufd_iova_map_first(map, iova, last);
		return iommufd_fail(-EEXIST, IOMMUFD_REASON_IOVA_MAPPED,
				    other->iova, other->last);
	}

	area->iova = iova;
	area->last = last;
	link_area(map, area, &gap);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_insert);

/**
 * iommufd_iova_map_remove - remove an area
 * @map: the map
 * @area: the area
 */
void iommufd_iova_map_remove(struct iommufd_iova_map *map,
			     struct iommufd_area *area)
{
	struct iommufd_area *next = to_area(rb_next(&area->rb));
	unsigned long start = hole_start(area);

	map->recent = next;
	rb_erase_augmented(&area->rb, &map->areas, &area_augment);
	if (next)
		set_hole(next, start);
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_remove);

/**
 * iommufd_iova_map_remove_list - remove several areas
 * @map: the map
 * @areas: struct iommufd_area linked by their list, in the order of their
 *	addresses; they stay in the list
 */
void iommufd_iova_map_remove_list(struct iommufd_iova_map *map,
				  struct list_head *areas)
{
	struct iommufd_area *area, *next;
	unsigned long start = 0;
	bool follows = false;

	list_for_each_entry(area, areas, list) {
		next = to_area(rb_next(&area->rb));
		if (!follows)
			start = hole_start(area);
		/* If the next area is removed too, skip updating its hole. */
		follows = next && area->list.next == &next->list;
		if (!follows)
			map->recent = next;
		rb_erase_augmented(&area->rb, &map->areas, &area_augment);
		if (next && !follows)
			set_hole(next, start);
	}
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_remove_list);

/**
 * iommufd_iova_map_split - split an area in two
 * @map: the map
 * @area: the area, which keeps the addresses below @iova
 * @tail: gets the rest; its @iova and @last are set here
 * @iova: an address of @area, except the first
 *
 * The caller must check that @iova is aligned.
 */
void iommufd_iova_map_split(struct iommufd_iova_map *map,
			    struct iommufd_area *area,
			    struct iommufd_area *tail, unsigned long iova)
{
	struct gap gap;

	tail->iova = iova;
	tail->last = area->last;
	area->last = iova - 1;
	map->recent = area;
	find_recent_gap(map, iova, tail->last, &gap);
	link_area(map, tail, &gap);
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_split);

/*
 * The lowest area above @from with a hole of at least @length before it. Goes
 * left as long as a large enough hole is there, else right, else up.
 */
static struct iommufd_area *next_hole(struct iommufd_iova_map *map,
				      unsigned long from, unsigned long length)
{
	struct iommufd_area *area = to_area(map->areas.rb_node);

	if (!area || area->max_hole < length)
		return NULL;

	for (;;) {
		struct iommufd_area *left = to_area(area->rb.rb_left);

		if (area->iova > from && left && left->max_hole >= length) {
			area = left;
			continue;
		}
		for (;;) {
			struct iommufd_area *right = to_area(area->rb.rb_right);
			struct rb_node *child;

			if (area->iova > from && area->hole >= length)
				return area;
			if (right && right->max_hole >= length) {
				area = right;
				break;
			}
			do {
				child = &area->rb;
				area = to_area(rb_parent(child));
				if (!area)
					return NULL;
			} while (area->rb.rb_right == child);
		}
	}
}

/**
 * struct place - the free interval to look for
 * @length: bytes
 * @align: power of two
 * @phase: required remainder of the address modulo @align
 * @least: size of the smallest hole to consider
 */
struct place {
	unsigned long length;
	unsigned long align;
	unsigned long phase;
	unsigned long least;
};

/* Lowest fit in start..last, which is entirely free. */
static bool fit(unsigned long start, unsigned long last,
		const struct place *place, unsigned long *iova)
{
	unsigned long at = start + ((place->phase - start) &
				    (place->align - 1));

	if (at < start || at > last || last - at < place->length - 1)
		return false;
	*iova = at;
	return true;
}

/* Lowest fit in start..last, where nothing is reserved. */
static bool find_in(struct iommufd_iova_map *map, unsigned long start,
		    unsigned long last, const struct place *place,
		    unsigned long *iova)
{
	struct iommufd_area *area;
	struct rb_node *rb;
	unsigned long from;

	for (area = next_hole(map, start, place->least); area;
	     area = next_hole(map, area->iova, place->least)) {
		from = max(start, hole_start(area));
		if (from > last)
			return false;
		if (fit(from, min(last, area->iova - 1), place, iova))
			return true;
	}

	/* The hole after the last area belongs to no area. */
	rb = rb_last(&map->areas);
	from = start;
	if (rb) {
		if (to_area(rb)->last >= last)
			return false;
		from = max(start, to_area(rb)->last + 1);
	}
	return fit(from, last, place, iova);
}

/* Lowest fit in start..last that avoids reserved intervals. */
static bool find_unreserved(struct iommufd_iova_map *map, unsigned long start,
			    unsigned long last, const struct place *place,
			    unsigned long *iova)
{
	struct interval_tree_span_iter span;

	interval_tree_for_each_span(&span, &map->reserved, start, last) {
		if (span.is_hole &&
		    find_in(map, span.start_hole, span.last_hole, place,
			    iova))
			return true;
	}
	return false;
}

/*
 * Never choose the first page, as many programs take address 0 to mean "no
 * address", nor the last 64 KiB, the largest page of a CPU, so that an end that
 * is rounded up to a page does not wrap. Ranges allowed by the user may include
 * the end.
 */
#define FIRST_PLACE PAGE_SIZE
#define LAST_PLACE (ULONG_MAX - SZ_64K)

/* The span iterator merges allowed ranges that touch. */
static bool find_allowed(struct iommufd_iova_map *map,
			 const struct place *place, unsigned long *iova)
{
	struct interval_tree_span_iter span;

	if (RB_EMPTY_ROOT(&map->allowed.rb_root))
		return find_unreserved(map, FIRST_PLACE, LAST_PLACE, place,
				       iova);

	interval_tree_for_each_span(&span, &map->allowed, FIRST_PLACE,
				    ULONG_MAX) {
		if (!span.is_hole &&
		    find_in(map, span.start_used, span.last_used, place,
			    iova))
			return true;
	}
	return false;
}

/**
 * iommufd_iova_map_find - find a free interval for an area
 * @map: the map
 * @length: bytes
 * @align: power of two, at least the alignment of the map
 * @phase: required remainder of the address modulo @align
 * @iova: set to the address, which is never in the first page
 *
 * Return: 0 or -ENOSPC.
 */
int iommufd_iova_map_find(struct iommufd_iova_map *map, unsigned long length,
			  unsigned long align, unsigned long phase,
			  unsigned long *iova)
{
	struct place place = {
		.length = length,
		.align = align,
		.phase = phase,
	};

	/* A hole of this size always has a fit, whatever its alignment. */
	if (check_add_overflow(length, align - 1, &place.least))
		place.least = ULONG_MAX;
	if (find_allowed(map, &place, iova))
		return 0;
	place.least = length;
	if (find_allowed(map, &place, iova))
		return 0;
	return iommufd_fail(-ENOSPC, IOMMUFD_REASON_NO_SPACE, length, align);
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_find);

/**
 * iommufd_iova_map_place - choose an address for memory
 * @map: the map
 * @length: bytes
 * @memory: address of the memory, or its offset in a file
 * @iova: set to the address, with the same offset in a page as @memory
 *
 * The IOVA and the memory get the same offset in the largest page that the
 * mapping could use, up to PUD_SIZE. If there is no such hole, smaller pages
 * are tried.
 *
 * Return: 0, or -ENOSPC if no hole is large enough.
 */
int iommufd_iova_map_place(struct iommufd_iova_map *map, unsigned long length,
			   unsigned long memory, unsigned long *iova)
{
	unsigned long align = clamp(rounddown_pow_of_two(length), PAGE_SIZE,
				    PUD_SIZE);
	int ret;

	for (;;) {
		ret = iommufd_iova_map_find(map, length, align,
					    memory & (align - 1), iova);
		if (ret != -ENOSPC || align == PAGE_SIZE)
			return ret;
		align = align > PMD_SIZE ? PMD_SIZE : PAGE_SIZE;
	}
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_place);

/**
 * iommufd_iova_map_reserve - make an interval unusable
 * @map: the map
 * @start: first address
 * @last: last address
 * @owner: owner of the reservation
 * @aperture: reserved because a page table can't translate it
 *
 * Return: 0, -EADDRINUSE if the interval overlaps an area or must stay usable,
 * or -ENOMEM.
 */
int iommufd_iova_map_reserve(struct iommufd_iova_map *map, unsigned long start,
			     unsigned long last, void *owner, bool aperture)
{
	struct iommufd_reserved *new;

	if (iommufd_iova_map_first(map, start, last) ||
	    interval_tree_iter_first(&map->allowed, start, last))
		return iommufd_fail(-EADDRINUSE,
				    IOMMUFD_REASON_AREA_IN_THE_WAY, start,
				    last);
	new = kmalloc_obj(*new, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	*new = (struct iommufd_reserved){
		.node = { .start = start, .last = last },
		.owner = owner,
		.aperture = aperture,
	};
	interval_tree_insert(&new->node, &map->reserved);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_reserve);

/**
 * iommufd_iova_map_unreserve - end all reservations of an owner
 * @map: the map
 * @owner: the owner
 */
void iommufd_iova_map_unreserve(struct iommufd_iova_map *map, void *owner)
{
	struct interval_tree_node *node, *next;

	for (node = interval_tree_iter_first(&map->reserved, 0, ULONG_MAX);
	     node; node = next) {
		struct iommufd_reserved *reserved =
			container_of(node, struct iommufd_reserved, node);

		next = interval_tree_iter_next(node, 0, ULONG_MAX);
		if (reserved->owner != owner)
			continue;
		interval_tree_remove(node, &map->reserved);
		kfree(reserved);
	}
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_unreserve);

/**
 * iommufd_allowed_add - add an interval to a list of allowed intervals
 * @allowed: the list, not yet in use
 * @start: first address
 * @last: last address
 *
 * Return: 0, -EINVAL if the interval is empty or overlaps another, or -ENOMEM.
 */
int iommufd_allowed_add(struct rb_root_cached *allowed, unsigned long start,
			unsigned long last)
{
	struct iommufd_allowed *new;

	if (start > last || interval_tree_iter_first(allowed, start, last))
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_BAD_ALLOWED, start,
				    last);
	new = kzalloc_obj(*new, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->node.start = start;
	new->node.last = last;
	interval_tree_insert(&new->node, allowed);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_allowed_add);

/**
 * iommufd_allowed_free - free a list of allowed intervals
 * @allowed: the list, empty afterwards
 */
void iommufd_allowed_free(struct rb_root_cached *allowed)
{
	struct interval_tree_node *node;

	while ((node = interval_tree_iter_first(allowed, 0, ULONG_MAX))) {
		interval_tree_remove(node, allowed);
		kfree(container_of(node, struct iommufd_allowed, node));
	}
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_allowed_free);

/**
 * iommufd_iova_map_allow - set the intervals that must stay usable
 * @map: the map
 * @allowed: the new list; set to the old one on success
 *
 * Return: 0, or -EADDRINUSE if something in the list is reserved.
 */
int iommufd_iova_map_allow(struct iommufd_iova_map *map,
			   struct rb_root_cached *allowed)
{
	struct interval_tree_node *node, *reserved;

	for (node = interval_tree_iter_first(allowed, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		reserved = interval_tree_iter_first(&map->reserved,
						    node->start, node->last);
		if (reserved)
			return iommufd_fail(-EADDRINUSE,
					    reserved_reason(reserved),
					    reserved->start, reserved->last);
	}
	swap(map->allowed, *allowed);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(iommufd_iova_map_allow);
