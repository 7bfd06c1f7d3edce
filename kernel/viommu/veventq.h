/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_VIOMMU_VEVENTQ_H
#define __IOMMUFD_VIOMMU_VEVENTQ_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "fault/eventq.h"

/**
 * struct iommufd_vevent - an event that was not read yet
 * @node: link in &iommufd_veventq.events
 * @header: what the user gets before the data
 * @length: bytes of @data
 * @data: in the form that the type of the queue has for user space
 */
struct iommufd_vevent {
	struct list_head node;
	struct iommufd_vevent_header header;
	size_t length;
	u8 data[] __counted_by(length);
};

/**
 * struct iommufd_veventq - a queue of events of one type that a vIOMMU reports
 * @obj: the object
 * @eventq: what it has in common with other queues
 * @viommu: the vIOMMU, which it depends on
 * @node: link in &iommufd_viommu.veventqs, which is changed with its
 *	veventqs_rwsem held for writing and also read under RCU
 * @type: of all events
 * @depth: events that there is room for
 * @events: struct iommufd_vevent
 * @nr_events: how many are in @events or on their way to the user
 * @next_sequence: of the next event, be it lost or not
 * @nr_lost: events that were lost since the queue was made
 * @lost: the last event was lost: the user is told once @events is empty
 * @closed: nobody can read any more
 */
struct iommufd_veventq {
	union {
		struct iommufd_object obj;
		struct iommufd_eventq eventq;
	};
	struct iommufd_viommu *viommu;
	struct list_head node;
	enum iommu_veventq_type type;
	u32 depth;
	/**
	 * @lock: protects what follows; a leaf, taken with interrupts off:
	 * drivers report events from any context.
	 */
	spinlock_t lock;
	struct list_head events;
	u32 nr_events;
	u32 next_sequence;
	u64 nr_lost;
	bool lost;
	bool closed;
};

#endif
