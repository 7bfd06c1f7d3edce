// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A stock kernel reports system calls only: the process, the size and the
 * duration of a request, but not its IOAS or the parts of the duration.
 */
#include <string.h>
#include "../lib/err.h"
#include "../lib/ioctl.h"
#include "source.h"

static const struct options *options;
static struct ioctl_watch *watch;

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
	if (options->by == MAPLAT_BY_SIZE)
		key.id = entry->key.size;
	row = find_row(report, &key);
	memcpy(row->sum.comm, from->comm, sizeof(row->sum.comm));
	row->sum.bytes += from->bytes;
	if (entry->key.error)
		row->sum.failed += from->calls;
	else
		ioctl_add_slots(&row->sum.part[MAPLAT_TOTAL], from);
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
	memcpy(call.comm, from->comm, sizeof(call.comm));
	print_call(&call, options);
}

static bool stock_open(const struct options *wanted)
{
	struct ioctl_options which = {
		.pid = wanted->common.pid,
		.by_size = wanted->by == MAPLAT_BY_SIZE,
		.each = wanted->slower ? show_call : NULL,
		.slower_ns = wanted->slower_us * 1000,
	};

	options = wanted;
	if (options->by == MAPLAT_BY_IOAS) {
		err_say("the stock iommufd does not report which IOAS a request is for");
		err_advise("Use histograms by process or by size.");
		return false;
	}
	watch = ioctl_open(&which);
	if (watch)
		print_stock(options);
	return watch;
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
	.read = stock_read,
	.fd = stock_fd,
	.take = stock_take,
	.lost = stock_lost,
	.close = stock_close,
};
