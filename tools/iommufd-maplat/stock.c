// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * On a stock kernel: the system calls, and the parts of their duration if the
 * kernel can tell when it calls functions.
 */
#include <string.h>
#include "../lib/ioctl.h"
#include "../lib/slots.h"
#include "source.h"

static const struct options *options;
static struct ioctl_watch *watch;

static const enum maplat_part part_of[IOCTL_PARTS] = {
	[IOCTL_PIN] = MAPLAT_PIN,
	[IOCTL_IOMMU] = MAPLAT_IOMMU,
	[IOCTL_UNPIN] = MAPLAT_UNPIN,
};

static struct row *find_row(struct report *report, const struct maplat_key *key)
{
	for (size_t i = 0; i < report->nr; i++)
		if (!memcmp(&report->rows[i].key, key, sizeof(*key)))
			return &report->rows[i];
	return add_row(report, key);
}

static void add_entry(struct report *report, const struct ioctl_entry *entry)
{
	struct maplat_key key = {
		.op = ioctl_operation(entry->key.command),
	};
	const struct ioctl_row *from = &entry->row;
	struct row *row;

	if (key.op >= IOAS_OPS)
		return;
	if (options->by == MAPLAT_BY_PROCESS)
		key.id = entry->key.tgid;
	if (options->by == MAPLAT_BY_IOAS) {
		key.tgid = entry->key.tgid;
		key.id = entry->key.ioas;
	}
	if (options->by == MAPLAT_BY_SIZE)
		key.id = entry->key.size;
	row = find_row(report, &key);
	memcpy(row->sum.comm, from->comm, sizeof(row->sum.comm));
	row->sum.bytes += from->bytes;
	if (entry->key.error) {
		row->sum.failed += from->calls;
		return;
	}
	ioctl_add_slots(&row->sum.part[MAPLAT_TOTAL], from);
	for (int part = 0; part < IOCTL_PARTS; part++)
		slots_merge(&row->sum.part[part_of[part]], &from->part[part]);
}

static bool stock_read(struct report *report)
{
	const struct ioctl_report *done = ioctl_read(watch);

	if (!done)
		return false;
	for (size_t i = 0; i < done->nr; i++)
		add_entry(report, &done->entries[i]);
	return true;
}

static void show_call(const struct ioctl_call *from, void *unused)
{
	struct maplat_call call = {
		.op = ioctl_operation(from->command),
		.end_ns = from->end_ns,
		.iova = from->iova,
		.ioas = from->ioas,
		.bytes = from->length,
		.tgid = from->tgid,
		.ret = from->ret,
		.ns[MAPLAT_TOTAL] = from->ns,
	};

	(void)unused;
	if (call.op >= IOAS_OPS)
		return;
	/*
	 * A failed unmap unmapped nothing; a failed map still has its requested
	 * size.
	 */
	if (call.op == OP_UNMAP && call.ret < 0)
		call.bytes = 0;
	for (int part = 0; part < IOCTL_PARTS; part++)
		call.ns[part_of[part]] = from->part_ns[part];
	memcpy(call.comm, from->comm, sizeof(call.comm));
	print_call(&call, options);
}

static bool stock_open(const struct options *wanted)
{
	struct ioctl_options which = {
		.pid = wanted->common.pid,
		.by_size = wanted->by == MAPLAT_BY_SIZE,
		.by_ioas = wanted->by == MAPLAT_BY_IOAS,
		.parts = true,
		.each = wanted->slower ? show_call : NULL,
		.slower_ns = wanted->slower_us * 1000,
	};

	options = wanted;
	watch = ioctl_open(&which);
	return watch;
}

static bool stock_has_part(enum maplat_part part)
{
	for (int i = 0; i < IOCTL_PARTS; i++)
		if (part_of[i] == part)
			return ioctl_has_part(watch, i);
	return part == MAPLAT_TOTAL;
}

static int stock_fd(void)
{
	return ioctl_fd(watch);
}

static void stock_take(void)
{
	ioctl_take(watch);
}

static __u64 stock_lost(void)
{
	return ioctl_lost(watch);
}

static void stock_close(void)
{
	ioctl_close(watch);
}

const struct source stock_source = {
	.open = stock_open,
	.has_part = stock_has_part,
	.read = stock_read,
	.fd = stock_fd,
	.take = stock_take,
	.lost = stock_lost,
	.close = stock_close,
};
