// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <argp.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/tool.h"
#include "iommufd_pins.skel.h"
#include "pins.h"

const char *argp_program_version = "iommufd-pins " VERSION;

static const char doc[] =
	"Shows which processes pin memory for devices through iommufd: pages by "
	"process and IOAS, what they are charged to, how much of RLIMIT_MEMLOCK "
	"is left, how pinned memory grows, and in pages of which size it is.\v"
	"Without INTERVAL, shows the current state once and exits.\n"
	"\n"
	"Examples:\n"
	"  iommufd-pins             the current state\n"
	"  iommufd-pins -m          how much RLIMIT_MEMLOCK VMs need\n"
	"  iommufd-pins -T 5        how it changes, every 5 seconds\n"
	"  iommufd-pins -p 1234 1 9 one process, nine times\n"
	"  iommufd-pins -j | jq .   as JSON\n";

static const struct argp_option entries[] = {
	{ "memlock", 'm', NULL, 0,
	  "Show how much memory each process must be allowed to lock", 0 },
	COMMON_PID("Only contexts that this process opened"),
	COMMON_TIMESTAMP,
	COMMON_JSON,
	COMMON_VERBOSE,
	{},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	if (key == 'm') {
		options->memlock = true;
		return 0;
	}
	return common_parse_loop(&options->common, &options->loop, key, arg,
				 state);
}

static const struct argp argp = {
	.options = entries,
	.parser = parse,
	.args_doc = "[INTERVAL [COUNT]]",
	.doc = doc,
};

struct key {
	__u32 ctx;
	__u32 ioas;
};

/**
 * struct past - pinned pages of a context or an IOAS in the past
 * @key: the IOAS is 0 for a context
 * @first: at the start, 0 if it did not exist
 * @last: in the last report
 */
struct past {
	struct key key;
	__u64 first;
	__u64 last;
};

/**
 * struct watch - state between two reports
 * @past: entries of the last report, sorted by key
 * @next: entries of the report that is being made
 */
struct watch {
	struct iommufd_pins *bpf;
	struct list *list;
	size_t nr_past, nr_next;
	struct past *past, *next;
	bool first;
};

static int by_key(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	if (left->ctx != right->ctx)
		return left->ctx < right->ctx ? -1 : 1;
	return (left->ioas > right->ioas) - (left->ioas < right->ioas);
}

/* To be called in the order of keys. */
static struct amount amount_of(struct watch *watch, __u32 ctx, __u32 ioas,
			       __u64 now)
{
	struct past *next = &watch->next[watch->nr_next++];
	const struct past *past = NULL;

	*next = (struct past){ { ctx, ioas }, watch->first ? now : 0, now };
	if (watch->nr_past)
		past = bsearch(&next->key, watch->past, watch->nr_past,
			       sizeof(*past), by_key);
	if (past)
		next->first = past->first;
	return (struct amount){
		.now = now,
		.grown = watch->first || now == LIST_UNKNOWN ?
				 0 :
				 now - (past ? past->last : 0),
		.since = now == LIST_UNKNOWN ? 0 : now - next->first,
	};
}

static enum size_class class_of(__u64 size)
{
	if (size >= 1ULL << 30)
		return SIZE_1G;
	if (size >= 1ULL << 21)
		return SIZE_2M;
	return size >= 1ULL << 16 ? SIZE_64K : SIZE_BELOW_64K;
}

/* Only our iommufd can tell. */
static void read_sizes(struct watch *watch, __u32 ctx, struct ioas *ioas)
{
	struct pins_sizes sizes = { .ctx = ctx, .ioas = ioas->info->id };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &sizes,
		    .ctx_size_in = sizeof(sizes));
	int program = bpf_program__fd(watch->bpf->progs.read_sizes);

	if (program < 0 || bpf_prog_test_run_opts(program, &opts) ||
	    opts.retval)
		return;
	ioas->has_sizes = true;
	for (int order = 0; order < PINS_ORDERS; order++)
		ioas->bytes[class_of((__u64)getpagesize() << order)] +=
			sizes.pages[order] * getpagesize();
}

static void add_hwpts(struct ioas *ioas, const struct list_object *objects,
		      size_t nr)
{
	ioas->hwpts = tool_memory(calloc(nr + 1, sizeof(*ioas->hwpts)));
	for (size_t i = 0; i < nr; i++) {
		if (objects[i].type != LIST_TYPE_HWPT_PAGING ||
		    objects[i].parent != ioas->info->id)
			continue;
		ioas->hwpts[ioas->nr_hwpts++] = &objects[i];
		list_add(&ioas->table_pages, objects[i].table_pages);
	}
}

static void add_ctx(struct watch *watch, struct report *report,
		    const struct list_ctx *info,
		    const struct list_object *objects, size_t nr)
{
	struct ctx *ctx = &report->contexts[report->nr++];

	*ctx = (struct ctx){
		.info = info,
		.pinned = amount_of(watch, info->ctx, 0, info->pinned),
		.ioas = tool_memory(calloc(nr + 1, sizeof(*ctx->ioas))),
		.devices = tool_memory(calloc(nr + 1, sizeof(*ctx->devices))),
	};
	owner_read(bpf_program__fd(watch->bpf->progs.read_owner), info,
		   &ctx->owner);
	for (size_t i = 0; i < nr; i++) {
		struct ioas *ioas = &ctx->ioas[ctx->nr];

		if (objects[i].type == LIST_TYPE_DEVICE)
			ctx->devices[ctx->nr_devices++] = &objects[i];
		if (objects[i].type != LIST_TYPE_IOAS)
			continue;
		ioas->info = &objects[i];
		ioas->pinned = amount_of(watch, info->ctx, objects[i].id,
					 objects[i].pinned);
		/* VFIO type1 does not list its page tables. */
		if (info->source == SOURCE_TYPE1)
			ioas->table_pages = objects[i].table_pages;
		add_hwpts(ioas, objects, nr);
		read_sizes(watch, info->ctx, ioas);
		ctx->nr++;
	}
}

static void free_ctx(struct ctx *ctx)
{
	for (size_t i = 0; i < ctx->nr; i++)
		free(ctx->ioas[i].hwpts);
	free(ctx->ioas);
	free(ctx->devices);
}

static int by_pinned(const void *a, const void *b)
{
	const struct ctx *left = a, *right = b;
	__u64 x = left->pinned.now, y = right->pinned.now;

	if (x != y)
		return x < y ? 1 : -1;
	return (left->info->ctx > right->info->ctx) -
	       (left->info->ctx < right->info->ctx);
}

static void make_report(struct watch *watch, const struct listing *found,
			struct report *report)
{
	size_t object = 0, begin;

	watch->nr_next = 0;
	watch->next =
		tool_memory(calloc(found->nr_contexts + found->nr_objects + 1,
				   sizeof(*watch->next)));
	report->contexts = tool_memory(calloc(found->nr_contexts + 1,
					      sizeof(*report->contexts)));
	for (size_t i = 0; i < found->nr_contexts; i++) {
		const struct list_ctx *info = &found->contexts[i];

		begin = object;
		while (object < found->nr_objects &&
		       found->objects[object].ctx == info->ctx)
			object++;
		add_ctx(watch, report, info, found->objects + begin,
			object - begin);
	}
	qsort(report->contexts, report->nr, sizeof(*report->contexts),
	      by_pinned);
	free(watch->past);
	watch->past = watch->next;
	watch->nr_past = watch->nr_next;
}

static void tell_missing(const struct watch *watch)
{
	const char *fact;

	for (size_t i = 0; (fact = list_missing(watch->list, i)); i++)
		err_say("this kernel does not show %s", fact);
}

/* Returns false after reporting an error. */
static bool show(struct watch *watch, const struct options *options)
{
	struct report report = { .first = watch->first };
	const struct listing *found = list_read(watch->list);

	if (!found)
		return false;
	report.time_ns = loop_clock(CLOCK_REALTIME);
	make_report(watch, found, &report);
	report.lost = found->lost;
	if (watch->first)
		tell_missing(watch);
	print_report(&report, options);
	for (size_t i = 0; i < report.nr; i++)
		free_ctx(&report.contexts[i]);
	free(report.contexts);
	watch->first = false;
	return true;
}

static int run(struct watch *watch, struct options *options)
{
	int status = EXIT_FAILURE;

	do {
		if (!show(watch, options))
			return EXIT_FAILURE;
		status = EXIT_SUCCESS;
	} while (loop_flush(&status) && !loop_done(&options->loop) &&
		 options->loop.interval &&
		 loop_wait(&options->loop, -1) != LOOP_END);
	return status;
}

static struct iommufd_pins *open_bpf(enum source_kind source)
{
	struct iommufd_pins *bpf = source == SOURCE_OURS ?
					   iommufd_pins__open_and_load() :
					   owner_open();

	if (!bpf)
		tool_refused(errno);
	return bpf;
}

int main(int argc, char **argv)
{
	struct watch watch = { .first = true };
	struct options options = {};
	int status = EXIT_FAILURE;

	argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (!tool_check_source(options.common.verbose, &options.source))
		return EXIT_FAILURE;
	watch.bpf = open_bpf(options.source);
	if (watch.bpf)
		watch.list = list_open(options.source);
	if (watch.list) {
		list_count_tables(watch.list);
		loop_begin(&options.loop);
		status = run(&watch, &options);
	}
	list_close(watch.list);
	iommufd_pins__destroy(watch.bpf);
	free(watch.past);
	return status;
}
