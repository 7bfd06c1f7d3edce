// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <unistd.h>
#include "../lib/fmt.h"
#include "../lib/loop.h"
#include "print.h"

static const char *many(__u32 count)
{
	return count == 1 ? "" : "s";
}

const char *summary_system(char *buf, const struct model *model)
{
	char clock[16];
	int at;

	at = snprintf(buf, LINE_LEN, "%s over %.3gs: %u process%s",
		      loop_time_at(clock, model->time_ns),
		      model->interval_ns / 1e9, model->processes,
		      model->processes == 1 ? "" : "es");
	if (!model->state)
		snprintf(buf + at, LINE_LEN - at,
			 "; source: %s, system calls only",
			 source_name(model->source));
	else if (model->stock)
		snprintf(buf + at, LINE_LEN - at,
			 ", %u context%s, %u IOAS; source: %s", model->contexts,
			 many(model->contexts), model->live,
			 source_name(model->source));
	else
		snprintf(buf + at, LINE_LEN - at,
			 ", %u context%s, %u IOAS, %u ended", model->contexts,
			 many(model->contexts), model->live, model->ended);
	return buf;
}

const char *summary_requests(char *buf, const struct model *model)
{
	const struct entry *total = &model->total;
	const struct requests *op = total->op;
	double seconds = model->interval_ns / 1e9;
	char a[FMT_LEN], b[FMT_LEN], c[FMT_LEN];
	int at = 0;

	if (total->mapped != ABSENT && total->pinned != ABSENT)
		at = snprintf(buf, LINE_LEN, "mapped %s, pinned %s, ",
			      fmt_bytes(a, total->mapped),
			      fmt_bytes(b, total->pinned * getpagesize()));
	at += snprintf(buf + at, LINE_LEN - at, "%s maps/s, %s unmaps/s, ",
		       fmt_rate(a, op[OP_MAP].count / seconds),
		       fmt_rate(b, op[OP_UNMAP].count / seconds));
	if (!model->stock)
		at += snprintf(buf + at, LINE_LEN - at, "%s inval/s, ",
			       fmt_rate(c, op[OP_INVALIDATE].count / seconds));
	snprintf(buf + at, LINE_LEN - at, "%s failed",
		 fmt_count(a, total->failed));
	return buf;
}

const char *summary_run(char *buf, const struct model *model)
{
	const struct requests *map = &model->total.op[OP_MAP];
	const struct requests *unmap = &model->total.op[OP_UNMAP];
	char mapped[FMT_LEN], unmapped[FMT_LEN];
	int at;

	at = snprintf(buf, LINE_LEN, "%llu maps of %s, %llu unmaps of %s, ",
		      map->count, fmt_bytes(mapped, map->amount), unmap->count,
		      fmt_bytes(unmapped, unmap->amount));
	if (!model->stock)
		at += snprintf(buf + at, LINE_LEN - at,
			       "%llu pages pinned, %llu unpinned, ",
			       model->total.pins, model->total.unpins);
	snprintf(buf + at, LINE_LEN - at, "%llu failed", model->total.failed);
	return buf;
}

const char *summary_cost(char *buf, const struct model *model)
{
	char events[FMT_LEN], lost[FMT_LEN];
	int at;

	at = snprintf(buf, LINE_LEN, "iommufd-top: %.1f%% CPU",
		      100.0 * model->cpu_ns / model->interval_ns);
	if (model->bpf_ns != ABSENT)
		at += snprintf(buf + at, LINE_LEN - at, ", BPF %.2f%%",
			       100.0 * model->bpf_ns / model->interval_ns);
	snprintf(buf + at, LINE_LEN - at, ", %s events/s, %s lost",
		 fmt_rate(events, model->events * 1e9 / model->interval_ns),
		 fmt_count(lost, model->lost));
	return buf;
}

void print_text(FILE *out, const struct model *model, enum view view,
		const struct table *rows, bool run)
{
	__u64 interval_ns = run ? 0 : model->interval_ns;
	struct layout layout;
	char line[LINE_LEN];

	fprintf(out, "%s\n", summary_system(line, model));
	fprintf(out, "%s\n",
		run ? summary_run(line, model) : summary_requests(line, model));
	fprintf(out, "%s\n", summary_cost(line, model));
	if (model->lost)
		fprintf(out,
			"LOST: %llu events are missing from these numbers\n",
			model->lost);
	layout_set(&layout, view, TEXT_WIDTH);
	fprintf(out, "%s\n", line_of_groups(line, &layout));
	fprintf(out, "%s\n", line_of_titles(line, &layout, interval_ns));
	for (size_t i = 0; i < rows->nr; i++)
		fprintf(out, "%s\n",
			line_of_row(line, &layout, &rows->entries[i],
				    interval_ns));
	fputc('\n', out);
}
