// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include "../lib/fmt.h"
#include "../lib/json.h"
#include "../lib/operation.h"
#include "../lib/slots.h"
#include "maplat.h"

/*
 * The parts of an operation in order, the total first; NULL: not a part of it.
 */
static const char *const all_titles[IOAS_OPS][MAPLAT_PARTS] = {
	[OP_MAP] = { "total", "lock", "pin", "iommu" },
	[OP_UNMAP] = { "total", "lock", NULL, "iommu", "sync", "unpin" },
};

/* The title of a part, NULL if the operation or this kernel does not have it. */
static const char *title_of(enum operation op, int part,
			    const struct options *options)
{
	return options->has_part[part] ? all_titles[op][part] : NULL;
}

/* Names of JSON members. */
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
		if (!row->key.tgid)
			printf(", context %u, IOAS %u", row->key.ctx,
			       row->key.id);
		else if (row->key.id)
			printf(", process %u, IOAS %u", row->key.tgid,
			       row->key.id);
		else
			printf(", process %u, VFIO type1", row->key.tgid);
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

/* Prints the mean of each part, and of the rest of the time. */
static void print_means(const struct row *row, const struct options *options)
{
	const struct slots *part = row->sum.part;
	__u64 other = part[MAPLAT_TOTAL].sum, total = slots_total(part);
	const char *before = ": ";
	char buf[FMT_LEN];

	if (!total)
		return;
	printf("mean %s", fmt_ns(buf, slots_mean(part)));
	for (int i = MAPLAT_LOCK; i < MAPLAT_PARTS; i++) {
		const char *title = title_of(row->key.op, i, options);

		if (!title)
			continue;
		printf("%s%s %s", before, title,
		       fmt_ns(buf, slots_mean(&part[i])));
		other -= part[i].sum;
		before = ", ";
	}
	if (*before == ',')
		printf(", other %s", fmt_ns(buf, other / total));
	printf("; longest %s\n", fmt_ns(buf, part->max));
}

static void print_row(const struct row *row, const struct options *options)
{
	struct slots_column columns[MAPLAT_PARTS];
	char bytes[FMT_LEN];
	size_t nr = 0;

	printf("\n%s", operation_names[row->key.op].name);
	print_key(row, options->by);
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
	print_means(row, options);
	for (int i = 0; i < MAPLAT_PARTS; i++) {
		const char *title = title_of(row->key.op, i, options);

		if (title)
			columns[nr++] =
				(struct slots_column){ title,
						       &row->sum.part[i] };
	}
	slots_print("nsecs", columns, nr);
}

/* VFIO type1 has no IOAS. */
static void add_ioas(struct json_object *to, __u32 ioas)
{
	if (ioas)
		json_add_u64(to, "ioas", ioas);
	else
		json_add(to, "ioas", NULL);
}

static void add_key(struct json_object *to, const struct row *row,
		    enum maplat_by by)
{
	switch (by) {
	case MAPLAT_BY_NOTHING:
		return;
	case MAPLAT_BY_IOAS:
		if (row->key.tgid)
			json_add_u64(to, "pid", row->key.tgid);
		else
			json_add_u64(to, "ctx", row->key.ctx);
		add_ioas(to, row->key.id);
		return;
	case MAPLAT_BY_PROCESS:
		json_add_u64(to, "pid", row->key.id);
		json_add_text(to, "command", row->sum.comm);
		return;
	case MAPLAT_BY_SIZE:
		json_add_u64(to, "size_min_bytes", slots_first(row->key.id));
		json_add_u64(to, "size_max_bytes", slots_last(row->key.id));
	}
}

static struct json_object *row_object(const struct row *row,
				      const struct options *options)
{
	struct json_object *out = json_object_new_object();

	json_add_text(out, "op", operation_names[row->key.op].name);
	add_key(out, row, options->by);
	json_add_u64(out, "timed", slots_total(row->sum.part));
	json_add_u64(out, "untimed", row->sum.untimed);
	json_add_u64(out, "failed", row->sum.failed);
	json_add_u64(out, "bytes", row->sum.bytes);
	for (int i = 0; i < MAPLAT_PARTS; i++)
		if (title_of(row->key.op, i, options))
			json_add(out, part_members[i],
				 slots_object(&row->sum.part[i]));
	return out;
}

/* Marks each line of JSON on a stock kernel, where information is missing. */
static void mark(struct json_object *line, const struct options *options)
{
	if (options->stock)
		json_add_bool(line, "stock", true);
}

static void print_json(const struct report *report,
		       const struct options *options)
{
	struct json_object *line = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	mark(line, options);
	json_add_u64(line, "time_ns", report->time_ns);
	json_add_u64(line, "interval_ns", report->interval_ns);
	json_add_u64(line, "lost_events", report->lost);
	for (size_t i = 0; i < report->nr; i++)
		json_object_array_add(rows,
				      row_object(&report->rows[i], options));
	json_add(line, "rows", rows);
	json_print(line);
}

void print_report(const struct report *report, const struct options *options)
{
	char clock[16];

	if (options->common.json) {
		print_json(report, options);
		return;
	}
	if (options->common.timestamp)
		printf("\n%s\n", loop_time(clock));
	if (!report->nr)
		printf("\nno requests\n");
	for (size_t i = 0; i < report->nr; i++)
		print_row(&report->rows[i], options);
	if (report->lost)
		printf("LOST: %llu requests are missing here\n", report->lost);
}

void print_stock(const struct options *options)
{
	if (options->common.json)
		return;
	printf("This kernel has no iommufd with trace events: below are system calls of its\n"
	       "iommufd and of VFIO. %s\n",
	       options->has_part[MAPLAT_IOMMU] ?
		       "How long they wait for locks is not known." :
		       "How they spend the time is not known.");
	/* It may be long until the first report. */
	fflush(stdout);
}

void print_call_titles(const struct options *options)
{
	if (options->common.json)
		return;
	if (options->common.timestamp)
		printf("%-8s ", "TIME");
	printf("%7s %-15s %5s %5s %-5s %16s %6s %6s %4s %10s %10s %10s %10s %10s %10s\n",
	       "PID", "COMMAND", "CTX", "IOAS", "OP", "IOVA", "BYTES", "RUNS",
	       "RET", "TOTAL(us)", "LOCK", "PIN", "IOMMU", "SYNC", "UNPIN");
}

static void print_call_json(const struct maplat_call *call,
			    const struct options *options)
{
	struct json_object *line = json_object_new_object();

	mark(line, options);
	json_add_u64(line, "time_ns", loop_since_1970(call->end_ns));
	json_add_u64(line, "pid", call->tgid);
	json_add_text(line, "command", call->comm);
	if (!options->stock)
		json_add_u64(line, "ctx", call->ctx);
	add_ioas(line, call->ioas);
	json_add_text(line, "op", operation_names[call->op].name);
	json_add_u64(line, "iova", call->iova);
	if (!options->stock) {
		json_add_u64(line, "pages", call->pages);
		json_add_u64(line, "runs", call->runs);
	}
	json_add_u64(line, "bytes", call->bytes);
	json_add_u64(line, "errno", -call->ret);
	for (int i = 0; i < MAPLAT_PARTS; i++) {
		char name[FMT_LEN];

		snprintf(name, sizeof(name), "%s_ns", part_members[i]);
		if (title_of(call->op, i, options))
			json_add_u64(line, name, call->ns[i]);
	}
	json_print(line);
}

/* Prints a number, or a dash if it is not known. */
static void print_known(int width, __u32 number)
{
	if (number)
		printf(" %*u", width, number);
	else
		printf(" %*s", width, "-");
}

/* Prints what a call was about, as far as that is known. */
static void print_subject(const struct maplat_call *call,
			  const struct options *options)
{
	char bytes[FMT_LEN], runs[FMT_LEN] = "-";

	if (!options->stock)
		fmt_count(runs, call->runs);
	print_known(5, call->ctx);
	print_known(5, call->ioas);
	printf(" %-5s %16llx %6s %6s", operation_names[call->op].name,
	       call->iova, fmt_bytes(bytes, call->bytes), runs);
}

void print_call(const struct maplat_call *call, const struct options *options)
{
	char comm[MAPLAT_COMM_LEN], clock[16];

	if (options->common.json) {
		print_call_json(call, options);
		return;
	}
	if (options->common.timestamp)
		printf("%-8s ",
		       loop_time_at(clock, loop_since_1970(call->end_ns)));
	printf("%7u %-15s", call->tgid,
	       fmt_name(comm, sizeof(comm), call->comm));
	print_subject(call, options);
	printf(" %4d", call->ret);
	for (int i = 0; i < MAPLAT_PARTS; i++) {
		if (title_of(call->op, i, options))
			printf(" %10.1f", call->ns[i] / 1e3);
		else
			printf(" %10s", "-");
	}
	putchar('\n');
}
