/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* State that the parts of the source in collect.c share. */
#ifndef __COLLECTOR_H
#define __COLLECTOR_H

#include "../../bpf/iommufd_top.h"
#include "../lib/list.h"
#include "iommufd_pins.skel.h"
#include "iommufd_top.skel.h"
#include "mirror.h"
#include "requests.h"
#include "owners.h"
#include "source.h"

/**
 * struct collector - state of the source
 * @top: the counters
 * @pins: reads limits
 * @list: lists contexts and objects
 * @stats: file descriptor that makes the kernel measure BPF programs, or -1
 * @contexts: by number; this and the following are mirrors of maps
 * @owners: the process of each context
 * @listing: the contexts and objects when the interval began
 * @epoch: the interval of the model
 * @past: sums over destroyed objects, by enum operation
 * @gone: the same for faults
 * @old_failures: failures that are no longer in the map, by reason
 * @total: sums of the model, by enum operation
 * @failed: sum of the failures of all models
 */
struct collector {
	struct source_options options;
	struct iommufd_top *top;
	struct iommufd_pins *pins;
	struct list *list;
	int stats;
	struct mirror contexts;
	struct mirror rows;
	struct mirror tables;
	struct mirror devices;
	struct mirror failures;
	struct owners owners;
	const struct listing *listing;
	__u64 epoch;
	__u64 begin_ns;
	__u64 cpu_ns;
	__u64 bpf_ns;
	struct requests past[OPS];
	struct entry gone;
	struct table old_failures;
	struct requests_sum total[OPS];
	__u64 failed;
	struct model model;
};

/* Each of these fills tables of the model. */
void collect_ioas(struct collector *c);
void collect_objects(struct collector *c);
void collect_failures(struct collector *c);

/* Adds a row that is removed to the sums. */
void collect_past_ioas(const struct mirror_row *row, void *collector);
void collect_past_table(const struct mirror_row *row, void *collector);
void collect_past_device(const struct mirror_row *row, void *collector);
void collect_past_failure(const struct mirror_row *row, void *collector);

#endif
