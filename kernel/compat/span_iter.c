// SPDX-License-Identifier: GPL-2.0-only
/*
 * The span iterator of interval trees, for kernels that are built without it
 * (CONFIG_INTERVAL_TREE_SPAN_ITER). The header declares it in any case.
 *
 * nodes[1] is the first node after the current span, or NULL.
 */
#include <linux/interval_tree.h>
#include <linux/minmax.h>

static void set_hole(struct interval_tree_span_iter *iter, unsigned long start)
{
	struct interval_tree_node *next = iter->nodes[1];

	iter->is_hole = 1;
	iter->start_hole = start;
	iter->last_hole = next ? next->start - 1 : iter->last_index;
}

/* Nodes are visited by their start; those that touch are one span. */
static void set_used(struct interval_tree_span_iter *iter, unsigned long start)
{
	struct interval_tree_node *node = iter->nodes[1];
	unsigned long last = node->last;

	while ((node = interval_tree_iter_next(node, iter->first_index,
					       iter->last_index))) {
		if (last == ULONG_MAX || node->start > last + 1)
			break;
		last = max(last, node->last);
	}
	iter->nodes[1] = node;
	iter->is_hole = 0;
	iter->start_used = start;
	iter->last_used = min(last, iter->last_index);
}

void interval_tree_span_iter_first(struct interval_tree_span_iter *iter,
				   struct rb_root_cached *itree,
				   unsigned long first_index,
				   unsigned long last_index)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(itree, first_index, last_index);
	iter->nodes[1] = node;
	iter->first_index = first_index;
	iter->last_index = last_index;
	if (node && node->start <= first_index)
		set_used(iter, first_index);
	else
		set_hole(iter, first_index);
}

void interval_tree_span_iter_next(struct interval_tree_span_iter *iter)
{
	unsigned long start = iter->last_used + 1;

	if (iter->last_used == iter->last_index)
		iter->is_hole = -1;
	else if (iter->is_hole)
		set_used(iter, start);
	else
		set_hole(iter, start);
}
