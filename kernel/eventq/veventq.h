/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_EVENTQ_VEVENTQ_H
#define __IOMMUFD_EVENTQ_VEVENTQ_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "eventq/eventq.h"

struct iommufd_ucmd;

/**
 * struct iommufd_vevent - an unread event
 * @node: link in &iommufd_veventq.events
 * @header: header that precedes the data
 * @length: bytes of @data
 * @data: the data in the user space format of the queue's type
 */
struct iommufd_vevent {
	struct list_head node;
	struct iommufd_vevent_header header;
	size_t length;
	u8 data[] __counted_by(length);
};

/**
 * struct iommufd_veventq - a queue of vIOMMU events of one type
 * @obj: the object
 * @eventq: the common part of queues
 * @viommu: the vIOMMU that it depends on
 * @node: link in &iommufd_viommu.veventqs, which is modified with
 *	veventqs_rwsem held for write and is also read under RCU
 * @type: type of all events
 * @depth: maximum number of events
 * @events: list of struct iommufd_vevent
 * @nr_events: number of events in @events or being copied to the user
 * @next_sequence: sequence number of the next event, whether it is lost or not
 * @nr_lost: events lost since the queue was allocated
 * @lost: the last event was lost, which is reported once @events is empty
 * @closed: the file is closed, so that user space can't read any more
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
	 * @lock: protects the members below; a leaf. Taken with interrupts
	 * disabled, as drivers report events from any context.
	 */
	spinlock_t lock;
	struct list_head events;
	u32 nr_events;
	u32 next_sequence;
	u64 nr_lost;
	bool lost;
	bool closed;
};

extern const struct iommufd_object_ops iommufd_veventq_ops;

int iommufd_cmd_veventq_alloc(struct iommufd_ucmd *ucmd);

#endif
