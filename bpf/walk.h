/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks over the kernel's trees and tables without its locks. Each step reads
 * one link, so that bpf_loop() can make any number of them; links that change
 * meanwhile are noticed by the caller, which checks the order of the keys.
 */
#ifndef __IOMMUFD_WALK_H
#define __IOMMUFD_WALK_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* For variables that the compiler must not split or drop. */
#ifndef __used
#define __used __attribute__((used))
#endif

/* The most that bpf_loop() does. */
#define WALK_STEPS (1 << 23)

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

#pragma clang attribute pop

enum walk_state {
	WALK_DOWN,
	WALK_RIGHT,
	WALK_UP,
	WALK_DONE,
};

/**
 * struct walk_tree - a walk over a red-black tree, in order
 * @node: where it is; it begins at the root, NULL for an empty tree
 */
struct walk_tree {
	struct rb_node *node;
	enum walk_state state;
};

/* Goes one link further. Returns the next node in order, or NULL on the way. */
static inline struct rb_node *walk_tree_step(struct walk_tree *walk)
{
	struct rb_node *node = walk->node, *next;

	if (!node) {
		walk->state = WALK_DONE;
		return NULL;
	}
	switch (walk->state) {
	case WALK_DOWN:
		next = BPF_CORE_READ(node, rb_left);
		if (next) {
			walk->node = next;
			return NULL;
		}
		walk->state = WALK_RIGHT;
		return node;
	case WALK_RIGHT:
		next = BPF_CORE_READ(node, rb_right);
		if (next)
			walk->node = next;
		walk->state = next ? WALK_DOWN : WALK_UP;
		return NULL;
	case WALK_UP:
		next = (void *)(BPF_CORE_READ(node, __rb_parent_color) & ~3UL);
		walk->node = next;
		if (!next || BPF_CORE_READ(next, rb_left) != node)
			return NULL;
		walk->state = WALK_RIGHT;
		return next;
	default:
		return NULL;
	}
}

/* Entries of an xarray: links to further nodes, and others that are no data. */
#define WALK_XA_INTERNAL(entry) (((unsigned long)(entry) & 3) == 2)
#define WALK_XA_NODE(entry) \
	(WALK_XA_INTERNAL(entry) && (unsigned long)(entry) > 4096)

/* An index has 64 bits, and each level 4 or 6. */
#define WALK_XA_LEVELS 16

/**
 * struct walk_table - a walk over an xarray, by index
 * @head: its top
 * @index: of the next entry
 * @done: no bool: the verifier does not know that those are 0 or 1
 */
struct walk_table {
	void *head;
	unsigned long index;
	int done;
};

/* Returns the entry at the index, or NULL; moves to the next that can exist. */
static inline void *walk_table_step(struct walk_table *walk)
{
	const unsigned long mask =
		bpf_core_field_size(((struct xa_node *)0)->slots) /
			sizeof(void *) -
		1;
	unsigned long index = walk->index, place, slots;
	void *entry = walk->head;
	unsigned char shift = 0;
	struct xa_node *node;
	int level;

	for (level = 0; level < WALK_XA_LEVELS && WALK_XA_NODE(entry);
	     level++) {
		node = (void *)((unsigned long)entry - 2);
		shift = BPF_CORE_READ(node, shift);
		if (shift > 60)
			goto done;
		place = index >> shift;
		if (!level && place > mask)
			goto done;
		slots = (unsigned long)node +
			bpf_core_field_offset(struct xa_node, slots);
		if (bpf_probe_read_kernel(&entry, sizeof(entry),
					  (void *)(slots + (place & mask) * 8)))
			goto done;
	}
	/* Without a node, the head is the only entry, at index 0. */
	if (!level && index)
		goto done;
	walk->index = ((index >> shift) + 1) << shift;
	if (!walk->index)
		walk->done = 1;
	return WALK_XA_INTERNAL(entry) ? NULL : entry;
done:
	walk->done = 1;
	return NULL;
}

/* The entry at @index of an xarray, or NULL. */
static inline void *walk_table_find(struct xarray *table, unsigned long index)
{
	struct walk_table walk = {
		.head = BPF_CORE_READ(table, xa_head),
		.index = index,
	};

	return walk_table_step(&walk);
}

/* Longer lists are cut. */
#define WALK_LIST_STEPS 65536

/**
 * struct walk_list - a walk over a list
 * @head: where it ends
 */
struct walk_list {
	struct list_head *head;
	struct list_head *at;
};

static inline void walk_list_begin(struct walk_list *walk, void *head)
{
	walk->head = head;
	walk->at = head;
}

/* Returns the next element, or NULL after the last one. */
static inline struct list_head *walk_list_step(struct walk_list *walk)
{
	struct list_head *at = walk->at;

	at = BPF_CORE_READ(at, next);
	walk->at = at;
	return at && at != walk->head ? at : NULL;
}

#endif
