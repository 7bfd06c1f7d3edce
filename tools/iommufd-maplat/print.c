// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include "../lib/fmt.h"
#include "../lib/json.h"
#include "../lib/slots.h"
#include "maplat.h"

const char *const op_names[MAPLAT_OPS] = { "map", "unmap" };

const char *const part_titles[MAPLAT_OPS][MAPLAT_PARTS] = {
	[MAPLAT_MAP] = { "total", "lock", "pin", "iommu" },
	[MAPLAT_UNMAP] = { "total", "lock", NULL, "iommu", "sync", "unpin" },
};

/* Names of members. */
static const char *const part_members[MAPLAT_PARTS] = {
	"total", "lock", "pin", "iommu", "sync", "unpin",
};

static void print_key(const struct row *row, enum maplat_by by)
{
	char first[FMT_LEN], last[FMT_LEN], comm[MAPLAT_COMM_LEN];

	switch (by) {
	case MAPLAT_BY_NOTHING:
		return;
	case MAPLAT_BY_IOAS:
		printf(", context %u, IOAS %u", row->key.ctx, row->key.id);
		return;
	case MAPLAT_BY_PROCESS:
		printf(", process %u %s", row->key.id,
		       fmt_name(comm, sizeof(comm), row->sum.comm));
		return;
	case MAPLAT_BY_SIZE:
		printf(", sizes from %s to below %s",
		       fmt_bytes(first, slots_first(row->key.id)),
		       fmt_bytes(last, slots_last(row->key.id) + 1));
	}
}

/* Where the time goes on average, and how much of it goes elsewhere. */
static void print_means(const struct row *row)
{
	const char *const *titles = part_titles[row->key.op];
	const struct slots *part = row->sum.part;
	__u64 other = part[MAPLAT_TOTAL].sum, total = slots_total(part);
	char buf[FMT_LEN];

	if (!total)
		return;
	printf("mean %s:", fmt_ns(buf, slots_mean(part)));
	for (int i = MAPLAT_LOCK; i < MAPLAT_PARTS; i++) {
		if (!titles[i])
			continue;
		printf(" %s %s,", titles[i], fmt_ns(buf, slots_mean(&part[i])));
		other -= part[i].sum;
	}
	printf(" other %s", fmt_ns(buf, other / total));
	printf("; longest %s\n", fmt_ns(buf, part->max));
}

static void print_row(const struct row *row, enum maplat_by by)
{
	const char *const *titles = part_titles[row->key.op];
	struct slots_column columns[MAPLAT_PARTS];
	char bytes[FMT_LEN];
	size_t nr = 0;

	printf("\n%s", op_names[row->key.op]);
	print_key(row, by);
	printf(": %llu requests of %s",
	       slots_total(row->sum.part) + row->sum.untimed,
	       fmt_bytes(bytes, row->sum.bytes));
	if (row->sum.untimed)
		printf(", %llu of unknown duration", row->sum.untimed);
	if (row->sum.failed)
		printf(", %llu failed", row->sum.failed);
	putchar('\n');
	if (!slots_total(row->sum.part))
		return;
	print_means(row);
	for (int i = 0; i < MAPLAT_PARTS; i++)
		if (titles[i])
			columns[nr++] =
				(struct slots_column){ titles[i],
						       &row->sum.part[i] };
	slots_print("nsecs", columns, nr);
}

static void add_key(struct json_object *to, const struct row *row,
		    enum maplat_by by)
{
	switch (by) {
	case MAPLAT_BY_NOTHING:
		return;
	case MAPLAT_BY_IOAS:
		json_add_u64(to, "ctx", row->key.ctx);
		json_add_u64(to, "ioas", row->key.id);
		return;
	case MAPLAT_BY_PROCESS:
		json_add_u64(to, "pid", row->key.id);
		json_add_text(to, "command", row->sum.comm);
		return;
	case MAPLAT_BY_SIZE:
		json_add_u64(to, "size_min", slots_first(row->key.id));
		json_add_u64(to, "size_max", slots_last(row->key.id));
	}
}

static struct json_object *row_object(const struct row *row, enum maplat_by by)
{
	struct json_object *out = json_object_new_object();

	json_add_text(out, "op", op_names[row->key.op]);
	add_key(out, row, by);
	json_add_u64(out, "timed", slots_total(row->sum.part));
	json_add_u64(out, "untimed", row->sum.untimed);
	json_add_u64(out, "failed", row->sum.failed);
	json_add_u64(out, "bytes", row->sum.bytes);
	for (int i = 0; i < MAPLAT_PARTS; i++)
		if (part_titles[row->key.op][i])
			json_add(out, part_members[i],
				 slots_object(&row->sum.part[i]));
	return out;
}

static void print_json(const struct report *report, enum maplat_by by)
{
	struct json_object *line = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	json_add_u64(line, "time_ns", report->time_ns);
	json_add_u64(line, "interval_ns", report->interval_ns);
	json_add_u64(line, "lost_events", report->lost);
	for (size_t i = 0; i < report->nr; i++)
		json_object_array_add(rows, row_object(&report->rows[i], by));
	json_add(line, "rows", rows);
	json_print(line);
}

void print_report(const struct report *report, const struct options *options)
{
	char clock[16];

	if (options->json) {
		print_json(report, options->by);
		return;
	}
	if (options->timestamp)
		printf("\n%s\n", loop_time(clock));
	if (!report->nr)
		printf("\nno requests\n");
	for (size_t i = 0; i < report->nr; i++)
		print_row(&report->rows[i], options->by);
	print_lost(report->lost, options);
}

void print_lost(__u64 lost, const struct options *options)
{
	if (lost && !options->json)
		printf("LOST: %llu requests are not in this\n", lost);
}

void print_call_titles(const struct options *options)
{
	if (options->json)
		return;
	if (options->timestamp)
		printf("%-8s ", "TIME");
	printf("%7s %-15s %5s %5s %-5s %16s %6s %6s %4s %10s %10s %10s %10s %10s %10s\n",
	       "PID", "COMMAND", "CTX", "IOAS", "OP", "IOVA", "BYTES", "RUNS",
	       "RET", "TOTAL(us)", "LOCK", "PIN", "IOMMU", "SYNC", "UNPIN");
}

static void print_call_json(const struct maplat_call *call, __u64 time_ns)
{
	struct json_object *line = json_object_new_object();

	json_add_u64(line, "time_ns", time_ns);
	json_add_u64(line, "pid", call->tgid);
	json_add_text(line, "command", call->comm);
	json_add_u64(line, "ctx", call->ctx);
	json_add_u64(line, "ioas", call->ioas);
	json_add_text(line, "op", op_names[call->op]);
	json_add_u64(line, "iova", call->iova);
	json_add_u64(line, "bytes", call->bytes);
	json_add_u64(line, "pages", call->pages);
	json_add_u64(line, "runs", call->runs);
	json_add_s64(line, "ret", call->ret);
	for (int i = 0; i < MAPLAT_PARTS; i++) {
		char name[FMT_LEN];

		snprintf(name, sizeof(name), "%s_ns", part_members[i]);
		if (part_titles[call->op][i])
			json_add_u64(line, name, call->ns[i]);
	}
	json_print(line);
}

void print_call(const struct maplat_call *call, __u64 time_ns,
		const struct options *options)
{
	char comm[MAPLAT_COMM_LEN], bytes[FMT_LEN], runs[FMT_LEN], clock[16];

	if (options->json) {
		print_call_json(call, time_ns);
		return;
	}
	if (options->timestamp)
		printf("%-8s ", loop_time_at(clock, time_ns));
	printf("%7u %-15s %5u %5u %-5s %16llx %6s %6s %4d", call->tgid,
	       fmt_name(comm, sizeof(comm), call->comm), call->ctx, call->ioas,
	       op_names[call->op], call->iova, fmt_bytes(bytes, call->bytes),
	       fmt_count(runs, call->runs), call->ret);
	for (int i = 0; i < MAPLAT_PARTS; i++) {
		if (part_titles[call->op][i])
			printf(" %10.1f", call->ns[i] / 1e3);
		else
			printf(" %10s", "-");
	}
	putchar('\n');
}
