// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <time.h>
#include "../lib/err.h"
#include "../lib/tool.h"
#include "source.h"

struct row *add_row(struct report *report, const struct maplat_key *key)
{
	struct row *row;

	report->rows = tool_memory(reallocarray(report->rows, report->nr + 1,
						sizeof(*report->rows)));
	row = &report->rows[report->nr++];
	*row = (struct row){ .key = *key };
	return row;
}

static int by_time(const void *a, const void *b)
{
	const struct row *left = a, *right = b;
	__u64 x = left->sum.part->sum, y = right->sum.part->sum;

	if (left->key.op != right->key.op)
		return left->key.op < right->key.op ? -1 : 1;
	return (x < y) - (x > y);
}

static int by_size(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->key.op != right->key.op)
		return left->key.op < right->key.op ? -1 : 1;
	return (left->key.id > right->key.id) - (left->key.id < right->key.id);
}

static int show_histograms(const struct source *source, struct options *options)
{
	__u64 begin = loop_clock(CLOCK_MONOTONIC), end;
	int status = EXIT_SUCCESS;
	enum loop_event event;

	do {
		struct report report = {};

		event = loop_wait(&options->loop, -1);
		if (!source->read(&report))
			return EXIT_FAILURE;
		end = loop_clock(CLOCK_MONOTONIC);
		report.time_ns = loop_clock(CLOCK_REALTIME);
		report.interval_ns = end - begin;
		begin = end;
		report.lost = source->lost();
		if (report.nr)
			qsort(report.rows, report.nr, sizeof(*report.rows),
			      options->by == MAPLAT_BY_SIZE ? by_size :
							      by_time);
		print_report(&report, options);
		free(report.rows);
	} while (loop_flush(&status) && event != LOOP_END &&
		 !loop_done(&options->loop));
	return status;
}

static int list_calls(const struct source *source, struct options *options)
{
	int status = EXIT_SUCCESS;
	__u64 told = 0, lost;

	print_call_titles(options);
	while (loop_flush(&status) &&
	       loop_wait(&options->loop, source->fd()) != LOOP_END) {
		source->take();
		lost = source->lost();
		if (lost != told)
			err_say("%llu requests were lost so far", lost);
		told = lost;
	}
	source->take();
	loop_flush(&status);
	lost = source->lost();
	if (lost != told)
		err_say("%llu requests were lost", lost);
	return status;
}

int main(int argc, char **argv)
{
	const struct source *source;
	struct options options = {};
	int status;

	options_parse(&options, argc, argv);
	if (!tool_check_any(options.common.verbose, &options.stock))
		return EXIT_FAILURE;
	source = options.stock ? &stock_source : &events_source;
	if (!source->open(&options))
		return EXIT_FAILURE;
	for (int part = 0; part < MAPLAT_PARTS; part++)
		options.has_part[part] = source->has_part(part);
	if (options.stock)
		print_stock(&options);
	loop_begin(&options.loop);
	tool_ready("maps and unmaps");
	status = options.slower ? list_calls(source, &options) :
				  show_histograms(source, &options);
	source->close();
	return status;
}
