// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <unistd.h>
#include "../lib/fmt.h"
#include "../lib/json.h"
#include "pins.h"

static const char *const mode_names[] = { "user", "mm", "none" };
static const char *const run_members[PINS_RUNS] = {
	"below_64k_bytes",
	"from_64k_bytes",
	"from_2m_bytes",
	"from_1g_bytes",
};

static __u64 headroom(const struct ctx *ctx)
{
	__u64 used = owner_used(&ctx->owner), limit = owner_limit(&ctx->owner);

	return used < limit ? limit - used : 0;
}

static char *pages(char *buf, __s64 count)
{
	return fmt_bytes(buf, count * getpagesize());
}

static void print_growth(__s64 count, bool first)
{
	char buf[FMT_LEN], sign[FMT_LEN + 1];

	snprintf(sign, sizeof(sign), "%s%s", count > 0 ? "+" : "",
		 pages(buf, count));
	printf(" %7s", first ? "-" : count ? sign : "0");
}

static void print_amount(const struct amount *amount, bool first)
{
	char buf[FMT_LEN];

	printf(" %6s", pages(buf, amount->now));
	print_growth(amount->grown, first);
	print_growth(amount->since, first);
}

static void print_titles(void)
{
	printf("%7s %-15s %5s %5s %5s %-4s %6s %6s %6s %7s %7s %6s %6s %6s %5s %5s %5s %5s\n",
	       "PID", "COMMAND", "UID", "CTX", "IOAS", "MODE", "AREAS",
	       "MAPPED", "PINNED", "GROWTH", "SINCE", "USED", "LIMIT", "FREE",
	       "<64K", "64K+", "2M+", "1G+");
}

static void print_ctx(const struct ctx *ctx, bool first)
{
	__u64 areas = 0, mapped = 0;
	char buf[3][FMT_LEN], comm[16];

	for (size_t i = 0; i < ctx->nr; i++) {
		areas += ctx->ioas[i].info->areas;
		mapped += ctx->ioas[i].info->mapped;
	}
	printf("%7u %-15s %5u %5u %5s %-4s %6s %6s", ctx->info->tgid,
	       fmt_name(comm, sizeof(comm), ctx->info->comm),
	       ctx->owner.now.uid, ctx->info->ctx, "all",
	       mode_names[ctx->owner.mode], fmt_count(buf[0], areas),
	       fmt_bytes(buf[1], mapped));
	print_amount(&ctx->pinned, first);
	if (ctx->owner.mode == OWNER_NONE || !ctx->owner.now.found)
		printf(" %6s %6s %6s\n", "-", "-", "-");
	else if (!~owner_limit(&ctx->owner))
		printf(" %6s %6s %6s\n", pages(buf[0], owner_used(&ctx->owner)),
		       "none", "-");
	else
		printf(" %6s %6s %6s\n", pages(buf[0], owner_used(&ctx->owner)),
		       pages(buf[1], owner_limit(&ctx->owner)),
		       pages(buf[2], headroom(ctx)));
}

static void print_mix(const struct pins_mix *mix)
{
	__u64 sum = 0;

	for (int i = 0; i < PINS_RUNS; i++)
		sum += mix->bytes[i];
	if (!sum)
		return;
	printf(" %6s %6s %6s", "", "", "");
	for (int i = 0; i < PINS_RUNS; i++)
		printf(" %4.0f%%", 100.0 * mix->bytes[i] / sum);
}

static void print_ioas(const struct ioas *ioas, bool first)
{
	char areas[FMT_LEN], mapped[FMT_LEN];

	printf("%35s %5u %4s %6s %6s", "", ioas->info->id, "",
	       fmt_count(areas, ioas->info->areas),
	       fmt_bytes(mapped, ioas->info->mapped));
	print_amount(&ioas->pinned, first);
	print_mix(&ioas->mix);
	putchar('\n');
}

static void print_text(const struct report *report, bool timestamp)
{
	char clock[16], buf[FMT_LEN];
	size_t ioases = 0;
	__u64 sum = 0;

	for (size_t i = 0; i < report->nr; i++) {
		ioases += report->contexts[i].nr;
		sum += report->contexts[i].pinned.now;
	}
	if (timestamp)
		printf("%s ", loop_time_at(clock, report->time_ns));
	printf("contexts: %zu, IOAS: %zu, pinned: %s\n", report->nr, ioases,
	       pages(buf, sum));
	if (report->lost)
		printf("LOST: %llu entries are missing here\n", report->lost);
	if (report->nr)
		print_titles();
	for (size_t i = 0; i < report->nr; i++) {
		const struct ctx *ctx = &report->contexts[i];

		print_ctx(ctx, report->first);
		for (size_t j = 0; j < ctx->nr; j++)
			print_ioas(&ctx->ioas[j], report->first);
	}
	putchar('\n');
}

static void add_amount(struct json_object *to, const struct amount *amount)
{
	json_add_u64(to, "pinned_pages", amount->now);
	json_add_s64(to, "grown_pages", amount->grown);
	json_add_s64(to, "since_pages", amount->since);
}

static struct json_object *ioas_object(const struct ioas *ioas)
{
	struct json_object *out = json_object_new_object();
	struct json_object *runs = json_object_new_object();

	json_add_u64(out, "ioas", ioas->info->id);
	json_add_u64(out, "areas", ioas->info->areas);
	json_add_u64(out, "mapped_bytes", ioas->info->mapped);
	json_add_u64(out, "maps", ioas->info->maps);
	json_add_u64(out, "unmaps", ioas->info->unmaps);
	add_amount(out, &ioas->pinned);
	for (int i = 0; i < PINS_RUNS; i++)
		json_add_u64(runs, run_members[i], ioas->mix.bytes[i]);
	json_add(out, "runs", runs);
	return out;
}

static void add_limit(struct json_object *to, const struct ctx *ctx)
{
	if (ctx->owner.mode == OWNER_NONE || !ctx->owner.now.found)
		json_add(to, "used_pages", NULL);
	else
		json_add_u64(to, "used_pages", owner_used(&ctx->owner));
	if (!~owner_limit(&ctx->owner)) {
		json_add(to, "limit_pages", NULL);
		json_add(to, "free_pages", NULL);
		return;
	}
	json_add_u64(to, "limit_pages", owner_limit(&ctx->owner));
	json_add_u64(to, "free_pages", headroom(ctx));
}

static struct json_object *ctx_object(const struct ctx *ctx)
{
	struct json_object *out = json_object_new_object();
	struct json_object *ioas = json_object_new_array();

	json_add_u64(out, "ctx", ctx->info->ctx);
	json_add_u64(out, "pid", ctx->info->tgid);
	json_add_bool(out, "alive", ctx->owner.now.found);
	json_add_u64(out, "uid", ctx->owner.now.uid);
	json_add_text(out, "command", ctx->info->comm);
	json_add_text(out, "mode", mode_names[ctx->owner.mode]);
	add_amount(out, &ctx->pinned);
	add_limit(out, ctx);
	for (size_t i = 0; i < ctx->nr; i++)
		json_object_array_add(ioas, ioas_object(&ctx->ioas[i]));
	json_add(out, "ioas", ioas);
	return out;
}

static void print_json(const struct report *report)
{
	struct json_object *line = json_object_new_object();
	struct json_object *contexts = json_object_new_array();

	json_add_u64(line, "time_ns", report->time_ns);
	json_add_u64(line, "lost_entries", report->lost);
	for (size_t i = 0; i < report->nr; i++)
		json_object_array_add(contexts,
				      ctx_object(&report->contexts[i]));
	json_add(line, "contexts", contexts);
	json_print(line);
}

void print_report(const struct report *report, const struct options *options)
{
	if (options->common.json)
		print_json(report);
	else
		print_text(report, options->common.timestamp);
}
