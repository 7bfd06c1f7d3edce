// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads the rows that iommufd_top.bpf.c counts in, keeps what they were when the
 * interval began, and makes a report of the difference.
 *
 * A row is removed from the kernel only when it can't change any more, so that
 * no count gets lost: when its context is closed, which is the last event of a
 * context, or when its IOAS is destroyed, holds nothing and has been quiet for
 * a whole interval.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../lib/err.h"
#include "../lib/fmt.h"
#include "../lib/hist.h"
#include "../lib/list.h"
#include "../lib/tool.h"
#include "collect.h"
#include "iommufd_top.skel.h"
#include "present.h"

#define BUCKETS 1024

/**
 * struct row - a row of the kernel's map
 * @next: next in its bucket, or in the list of those that are gone
 * @key: its key there
 * @now: as it was when last read
 * @base: as it was when the interval began
 * @quiet: the last two readings were the same
 */
struct row {
	struct row *next;
	struct top_key key;
	struct top_row now;
	struct top_row base;
	bool quiet;
};

/**
 * struct collector - all that iommufd-top knows
 * @list: what there is, apart from what happens to it
 * @rows: those in the kernel's map, by key
 * @gone: those that left it in this interval
 * @nr: number of both
 * @past: sums of those that left before
 */
struct collector {
	struct iommufd_top *bpf;
	struct list *list;
	struct row *rows[BUCKETS];
	struct row *gone;
	size_t nr;
	struct row_report past;
	__u32 contexts;
	__u64 begin_ns;
	struct report report;
};

static __u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static struct row **bucket_of(struct collector *c, const struct top_key *key)
{
	return &c->rows[(key->ctx * 31 + key->ioas) % BUCKETS];
}

static struct row *get_row(struct collector *c, const struct top_key *key)
{
	struct row **bucket = bucket_of(c, key), *row;

	for (row = *bucket; row; row = row->next)
		if (!memcmp(&row->key, key, sizeof(*key)))
			return row;
	row = tool_memory(calloc(1, sizeof(*row)));
	row->key = *key;
	row->next = *bucket;
	*bucket = row;
	c->nr++;
	return row;
}

static int read_rows(struct collector *c)
{
	int fd = bpf_map__fd(c->bpf->maps.rows);
	struct top_key key, *prev = NULL;
	static struct top_row new;
	int err;

	while (!(err = bpf_map_get_next_key(fd, prev, &key))) {
		prev = &key;
		if (!bpf_map_lookup_elem(fd, &key, &new)) {
			struct row *row = get_row(c, &key);

			row->quiet = !memcmp(&row->now, &new, sizeof(new));
			row->now = new;
		}
	}
	return err == -ENOENT ? 0 : err;
}

/* Takes *@link out of the kernel's map; @link then leads to the next one. */
static void retire(struct collector *c, struct row **link)
{
	int fd = bpf_map__fd(c->bpf->maps.rows);
	struct row *row = *link;

	bpf_map_lookup_and_delete_elem(fd, &row->key, &row->now);
	row->now.alive = 0;
	*link = row->next;
	row->next = c->gone;
	c->gone = row;
}

/* What is destroyed may still have to be cleared, which ends with an event. */
static bool is_over(const struct row *row)
{
	const struct top_row *now = &row->now;

	if (now->alive > 0 || !row->quiet)
		return false;
	return now->late || now->op[TOP_MAP].bytes == now->op[TOP_UNMAP].bytes;
}

static void retire_rows(struct collector *c, const __u32 *closed, size_t nr)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct row **link = &c->rows[i];

		while (*link) {
			bool over = is_over(*link);

			for (size_t j = 0; j < nr && !over; j++)
				over = (*link)->key.ctx == closed[j];
			if (over)
				retire(c, link);
			else
				link = &(*link)->next;
		}
	}
}

int collect_sync(struct collector *c)
{
	int fd = bpf_map__fd(c->bpf->maps.contexts);
	__u32 closed[TOP_MAX_CONTEXTS];
	__u32 key, *prev = NULL;
	struct top_ctx ctx;
	size_t nr = 0;
	int err;

	/* First the contexts: what is closed now is complete when read later. */
	c->contexts = 0;
	while (!(err = bpf_map_get_next_key(fd, prev, &key))) {
		prev = &key;
		if (bpf_map_lookup_elem(fd, &key, &ctx))
			continue;
		if (!ctx.closed)
			c->contexts++;
		else if (nr < TOP_MAX_CONTEXTS)
			closed[nr++] = key;
	}
	if (err == -ENOENT)
		err = read_rows(c);
	if (err) {
		err_say("can't read the counters: %s", strerror(-err));
		return -1;
	}
	retire_rows(c, closed, nr);
	while (nr)
		bpf_map_delete_elem(fd, &closed[--nr]);
	return 0;
}

/* The longest of interval @epoch, if it was in that. */
static __u64 peak_ns(const struct top_op *op, __u64 epoch)
{
	__u64 peak = op->peak[epoch & 1];

	if (peak >> TOP_PEAK_NS_BITS != (epoch & TOP_PEAK_EPOCH_MASK))
		return 0;
	return peak & TOP_PEAK_NS_MAX;
}

/*
 * @epoch: the interval that ended. Requests that ended between its end and our
 * reading count in it, though they left their peak in the next.
 */
static __u64 longest(const struct top_op *now, const __u32 *hist, __u64 epoch)
{
	__u64 max = peak_ns(now, epoch), next = peak_ns(now, epoch + 1);
	__u64 upper = hist_upper(hist);

	if (next > max)
		max = next;
	if (hist_bucket(max) < hist_bucket(upper))
		max = upper;
	return max < now->max_ns ? max : now->max_ns;
}

static void set_latency(struct op_report *op, const __u32 *hist, __u64 max)
{
	op->timed = hist_total(hist);
	if (!op->timed)
		return;
	op->max_ns = max;
	op->p50_ns = hist_percentile(hist, 50, max);
	op->p99_ns = hist_percentile(hist, 99, max);
}

static void report_op(struct op_report *op, const struct top_op *now,
		      const struct top_op *base, __u64 epoch, __u32 *sum)
{
	__u32 hist[HIST_BUCKETS];

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		hist[i] = now->hist[i] - base->hist[i];
		sum[i] += hist[i];
	}
	op->count = now->count - base->count;
	op->failed = now->failed - base->failed;
	op->bytes = now->bytes - base->bytes;
	op->all_count = now->count;
	op->all_failed = now->failed;
	op->all_bytes = now->bytes;
	op->all_max_ns = now->max_ns;
	set_latency(op, hist, longest(now, hist, epoch));
}

static void add_op(struct op_report *sum, const struct op_report *op)
{
	sum->count += op->count;
	sum->failed += op->failed;
	sum->bytes += op->bytes;
	sum->all_count += op->all_count;
	sum->all_failed += op->all_failed;
	sum->all_bytes += op->all_bytes;
	if (sum->max_ns < op->max_ns)
		sum->max_ns = op->max_ns;
	if (sum->all_max_ns < op->all_max_ns)
		sum->all_max_ns = op->all_max_ns;
}

static void add_row(struct row_report *sum, const struct row_report *row)
{
	sum->mapped += row->mapped;
	sum->pins += row->pins;
	sum->unpins += row->unpins;
	for (size_t i = 0; i < TOP_OPS; i++)
		add_op(&sum->op[i], &row->op[i]);
}

static void report_row(struct report *report, const struct row *row,
		       const struct listing *listing, __u64 epoch,
		       __u32 sum[TOP_OPS][HIST_BUCKETS])
{
	const struct top_row *now = &row->now, *base = &row->base;
	struct row_report *out = &report->rows[report->nr];

	*out = (struct row_report){
		.ctx = row->key.ctx,
		.ioas = row->key.ioas,
		.pid = now->tgid,
		.uid = now->uid,
		.pins = now->pinned - base->pinned,
		.unpins = now->unpinned - base->unpinned,
		.late = now->late,
		.ended = now->alive <= 0,
	};
	fmt_name(out->comm, sizeof(out->comm), now->comm);
	present_gauges(out, listing);
	for (size_t i = 0; i < TOP_OPS; i++)
		report_op(&out->op[i], &now->op[i], &base->op[i], epoch,
			  sum[i]);
	add_row(&report->total, out);
	if (!out->ended)
		report->live++;
	/* An end is shown once. */
	else if (memcmp(now, base, sizeof(*now)))
		report->ended++;
	else
		return;
	report->nr++;
}

static int by_pid(const void *a, const void *b)
{
	const struct row_report *left = a, *right = b;

	return (left->pid > right->pid) - (left->pid < right->pid);
}

static __u32 count_processes(struct report *report)
{
	__u32 count = 0;

	qsort(report->rows, report->nr, sizeof(*report->rows), by_pid);
	for (size_t i = 0; i < report->nr; i++)
		count += !i || report->rows[i].pid != report->rows[i - 1].pid;
	return count;
}

/* Begins an interval: only its sums remain of what is gone. */
static void advance(struct collector *c)
{
	struct row *row;

	for (size_t i = 0; i < BUCKETS; i++)
		for (row = c->rows[i]; row; row = row->next)
			row->base = row->now;
	while ((row = c->gone)) {
		struct row_report last = {};

		for (size_t i = 0; i < TOP_OPS; i++) {
			last.op[i].all_count = row->now.op[i].count;
			last.op[i].all_failed = row->now.op[i].failed;
			last.op[i].all_bytes = row->now.op[i].bytes;
			last.op[i].all_max_ns = row->now.op[i].max_ns;
		}
		add_row(&c->past, &last);
		c->gone = row->next;
		c->nr--;
		free(row);
	}
}

const struct report *collect_report(struct collector *c)
{
	__u32 sum[TOP_OPS][HIST_BUCKETS] = {};
	struct report *report = &c->report;
	__u64 epoch = c->bpf->bss->epoch++;
	__u64 now_ns = clock_ns(CLOCK_MONOTONIC);
	const struct listing *listing;
	struct row *row;

	if (collect_sync(c))
		return NULL;
	listing = list_read(c->list);
	if (!listing)
		return NULL;
	free(report->rows);
	*report = (struct report){
		.time_ns = clock_ns(CLOCK_REALTIME),
		.interval_ns = now_ns - c->begin_ns,
		.lost = c->bpf->bss->lost + tool_misses(c->bpf->obj) +
			listing->lost,
		.contexts = c->contexts,
		.total = c->past,
		.rows = tool_memory(calloc(c->nr + 1, sizeof(*report->rows))),
	};
	c->begin_ns = now_ns;
	for (size_t i = 0; i < BUCKETS; i++)
		for (row = c->rows[i]; row; row = row->next)
			report_row(report, row, listing, epoch, sum);
	for (row = c->gone; row; row = row->next)
		report_row(report, row, listing, epoch, sum);
	for (size_t i = 0; i < TOP_OPS; i++)
		set_latency(&report->total.op[i], sum[i],
			    report->total.op[i].max_ns);
	report->total.pinned = present_pinned(listing);
	report->processes = count_processes(report);
	advance(c);
	return report;
}

static int load(struct iommufd_top *bpf)
{
	int err = iommufd_top__load(bpf);

	/*
	 * That a context was opened is noticed last, so that nothing is missed
	 * of one that is seen being opened.
	 */
	bpf_program__set_autoattach(bpf->progs.ctx_open, false);
	if (!err)
		err = iommufd_top__attach(bpf);
	if (err)
		return err;
	bpf->links.ctx_open = bpf_program__attach(bpf->progs.ctx_open);
	return bpf->links.ctx_open ? 0 : -errno;
}

struct collector *collect_open(void)
{
	struct collector *c = tool_memory(calloc(1, sizeof(*c)));
	int err = ENOMEM;

	c->list = list_open();
	if (!c->list)
		goto failed;
	c->bpf = iommufd_top__open();
	if (c->bpf)
		err = -load(c->bpf);
	if (!err)
		err = -present_adopt(c->bpf, c->list);
	if (!err) {
		c->begin_ns = clock_ns(CLOCK_MONOTONIC);
		return c;
	}
	tool_refused(err);
failed:
	collect_close(c);
	return NULL;
}

void collect_close(struct collector *c)
{
	struct row *row;

	iommufd_top__destroy(c->bpf);
	list_close(c->list);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((row = c->rows[i])) {
			c->rows[i] = row->next;
			free(row);
		}
	while ((row = c->gone)) {
		c->gone = row->next;
		free(row);
	}
	free(c->report.rows);
	free(c);
}
