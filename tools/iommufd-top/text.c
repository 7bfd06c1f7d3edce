// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <time.h>
#include "../lib/fmt.h"
#include "output.h"

static const char *many(__u32 count)
{
	return count == 1 ? "" : "s";
}

const char *summary_system(char *buf, const struct report *report)
{
	time_t seconds = report->time_ns / 1000000000;
	char clock[16];

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&seconds));
	snprintf(buf, LINE_LEN,
		 "%s over %.3gs: %u process%s, %u context%s, %u IOAS, %u ended",
		 clock, report->interval_ns / 1e9, report->processes,
		 report->processes == 1 ? "" : "es", report->contexts,
		 many(report->contexts), report->live, report->ended);
	return buf;
}

const char *summary_requests(char *buf, const struct report *report)
{
	const struct op_report *map = &report->total.op[TOP_MAP];
	const struct op_report *unmap = &report->total.op[TOP_UNMAP];
	double seconds = report->interval_ns / 1e9;
	char mapped[FMT_LEN], pinned[FMT_LEN], maps[FMT_LEN], unmaps[FMT_LEN];
	char failed[FMT_LEN];

	snprintf(buf, LINE_LEN,
		 "mapped %s, pinned %s pages, %s maps/s, %s unmaps/s, %s failed",
		 fmt_bytes(mapped, report->total.mapped),
		 fmt_count(pinned, report->total.pinned),
		 fmt_rate(maps, map->count / seconds),
		 fmt_rate(unmaps, unmap->count / seconds),
		 fmt_count(failed, map->failed + unmap->failed));
	return buf;
}

const char *summary_run(char *buf, const struct report *report)
{
	const struct op_report *map = &report->total.op[TOP_MAP];
	const struct op_report *unmap = &report->total.op[TOP_UNMAP];
	char mapped[FMT_LEN], unmapped[FMT_LEN];

	snprintf(buf, LINE_LEN,
		 "%llu maps of %s, %llu unmaps of %s, %llu pages pinned, %llu unpinned, %llu failed",
		 map->count, fmt_bytes(mapped, map->bytes), unmap->count,
		 fmt_bytes(unmapped, unmap->bytes), report->total.pins,
		 report->total.unpins, map->failed + unmap->failed);
	return buf;
}

void print_text(FILE *out, const struct report *report, bool run)
{
	__u64 interval_ns = run ? 0 : report->interval_ns;
	char line[LINE_LEN];

	fprintf(out, "%s\n", summary_system(line, report));
	fprintf(out, "%s\n",
		run ? summary_run(line, report) :
		      summary_requests(line, report));
	if (report->lost)
		fprintf(out, "LOST: %llu events are not in these numbers\n",
			report->lost);
	fprintf(out, "%s\n", line_of_groups(line, FULL_WIDTH));
	fprintf(out, "%s\n", line_of_titles(line, interval_ns, FULL_WIDTH));
	for (size_t i = 0; i < report->nr; i++)
		fprintf(out, "%s\n",
			line_of_row(line, &report->rows[i], interval_ns,
				    FULL_WIDTH));
	fputc('\n', out);
}
