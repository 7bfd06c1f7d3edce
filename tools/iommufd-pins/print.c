// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <unistd.h>
#include "../lib/fmt.h"
#include "../lib/identity.h"
#include "../lib/json.h"
#include "../lib/vmstat.h"
#include "need.h"
#include "pins.h"

static const char *const mode_names[] = { "user", "mm", "none", "-" };
static const char *const size_members[SIZE_CLASSES] = {
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

/* Numbers that the kernel may not show. */
static const char *bytes(char *buf, __u64 count)
{
	return count == LIST_UNKNOWN ? "-" : fmt_bytes(buf, count);
}

static const char *pages(char *buf, __u64 count)
{
	return count == LIST_UNKNOWN ? "-" :
				       fmt_bytes(buf, count * getpagesize());
}

static const char *count_of(char *buf, __u64 count)
{
	return count == LIST_UNKNOWN ? "-" : fmt_count(buf, count);
}

static void print_growth(__s64 count, bool first)
{
	char buf[FMT_LEN], sign[FMT_LEN + 1];

	snprintf(sign, sizeof(sign), "%s%s", count > 0 ? "+" : "",
		 fmt_bytes(buf, count * getpagesize()));
	printf(" %7s", first ? "-" : count ? sign : "0");
}

static void print_amount(const struct amount *amount, bool first)
{
	char buf[FMT_LEN];

	printf(" %6s", pages(buf, amount->now));
	first |= amount->now == LIST_UNKNOWN;
	print_growth(amount->grown, first);
	print_growth(amount->since, first);
}

/* Only our iommufd knows page sizes. */
static void print_titles(bool has_sizes)
{
	printf("%7s %-15s %5s %5s %5s %-4s %6s %6s %6s %6s %7s %7s %6s %6s %6s",
	       "PID", "COMMAND", "UID", "CTX", "IOAS", "MODE", "AREAS",
	       "MAPPED", "TABLES", "PINNED", "GROWTH", "SINCE", "USED", "LIMIT",
	       "FREE");
	if (has_sizes)
		printf(" %5s %5s %5s %5s", "<64K", "64K+", "2M+", "1G+");
	putchar('\n');
}

static void print_ctx(const struct ctx *ctx, bool first)
{
	const char *vm = identity_vm_name(ctx->info->tgid);
	__u64 areas = 0, mapped = 0, tables = 0;
	char buf[3][FMT_LEN], comm[16];

	for (size_t i = 0; i < ctx->nr; i++) {
		list_add(&areas, ctx->ioas[i].info->areas);
		list_add(&mapped, ctx->ioas[i].info->mapped);
		list_add(&tables, ctx->ioas[i].table_pages);
	}
	printf("%7u %-15s %5u %5u %5s %-4s %6s %6s %6s", ctx->info->tgid,
	       fmt_name(comm, sizeof(comm),
			*vm ? vm : (const char *)ctx->info->comm),
	       ctx->owner.now.uid, ctx->info->ctx,
	       ctx->info->source == SOURCE_TYPE1 ? "type1" : "all",
	       mode_names[ctx->owner.mode], count_of(buf[0], areas),
	       bytes(buf[1], mapped), pages(buf[2], tables));
	print_amount(&ctx->pinned, first);
	if (ctx->owner.mode >= OWNER_NONE || !ctx->owner.now.found)
		printf(" %6s %6s %6s\n", "-", "-", "-");
	else if (!~owner_limit(&ctx->owner))
		printf(" %6s %6s %6s\n", pages(buf[0], owner_used(&ctx->owner)),
		       "none", "-");
	else
		printf(" %6s %6s %6s\n", pages(buf[0], owner_used(&ctx->owner)),
		       pages(buf[1], owner_limit(&ctx->owner)),
		       pages(buf[2], headroom(ctx)));
}

static void print_sizes(const struct ioas *ioas)
{
	__u64 sum = 0;

	for (int i = 0; i < SIZE_CLASSES; i++)
		sum += ioas->bytes[i];
	if (!sum)
		return;
	printf(" %6s %6s %6s", "", "", "");
	for (int i = 0; i < SIZE_CLASSES; i++)
		printf(" %4.0f%%", 100.0 * ioas->bytes[i] / sum);
}

static void print_ioas(const struct ioas *ioas, bool first)
{
	char areas[FMT_LEN], mapped[FMT_LEN], tables[FMT_LEN];

	printf("%35s %5u %4s %6s %6s %6s", "", ioas->info->id, "",
	       count_of(areas, ioas->info->areas),
	       bytes(mapped, ioas->info->mapped),
	       pages(tables, ioas->table_pages));
	print_amount(&ioas->pinned, first);
	print_sizes(ioas);
	if (ioas->info->room != LIST_UNKNOWN)
		printf("  room for %llu areas", ioas->info->room);
	putchar('\n');
}

/* The memory of each page table, if the row of the IOAS is a sum. */
static void print_hwpts(const struct ioas *ioas)
{
	char buf[FMT_LEN];

	if (ioas->nr_hwpts < 2)
		return;
	for (size_t i = 0; i < ioas->nr_hwpts; i++)
		printf("%35s page table %u: %s\n", "", ioas->hwpts[i]->id,
		       pages(buf, ioas->hwpts[i]->table_pages));
}

static bool is_wanted(const struct ctx *ctx, const struct options *options)
{
	return !options->common.pid || ctx->info->tgid == options->common.pid;
}

static void print_device(const struct list_object *device)
{
	struct identity_device identity;

	if (!*device->name)
		return;
	printf("%35s device %s", "", device->name);
	if (identity_device(&identity, "", device->name)) {
		printf(" [%s]", identity.id);
		if (*identity.driver)
			printf(", driver %s", identity.driver);
		if (identity.numa_node >= 0)
			printf(", node %d", identity.numa_node);
	}
	if (device->group != LIST_NOT_KNOWN)
		printf(", group %u", device->group);
	if (device->hwpt != LIST_NOT_KNOWN && device->hwpt)
		printf(", page table %u", device->hwpt);
	putchar('\n');
}

static void print_head(const struct report *report,
		       const struct options *options)
{
	char clock[16], buf[FMT_LEN];
	size_t contexts = 0, ioases = 0;
	__u64 sum = 0;

	for (size_t i = 0; i < report->nr; i++) {
		const struct ctx *ctx = &report->contexts[i];

		if (!is_wanted(ctx, options))
			continue;
		contexts++;
		ioases += ctx->nr;
		list_add(&sum, ctx->pinned.now);
	}
	if (options->common.timestamp)
		printf("%s ", loop_time_at(clock, report->time_ns));
	printf("contexts: %zu, IOAS: %zu, pinned: %s", contexts, ioases,
	       pages(buf, sum));
	if (~vmstat_iommu_pages())
		printf(", page tables of all IOMMUs: %s",
		       pages(buf, vmstat_iommu_pages()));
	if (options->source != SOURCE_OURS)
		printf(", source: %s", source_name(options->source));
	putchar('\n');
	if (report->lost)
		printf("LOST: %llu entries are missing here\n", report->lost);
}

static void print_need(const struct needs *needs, const struct ctx *ctx)
{
	struct need need = need_of(needs, ctx);
	__u64 limit = ctx->owner.now.limit;
	char buf[FMT_LEN], comm[16];

	printf("%7u %-15s %5u %-4s", ctx->info->tgid,
	       fmt_name(comm, sizeof(comm), ctx->info->comm),
	       ctx->owner.now.uid, mode_names[ctx->owner.mode]);
	printf(" %6s", pages(buf, need.pinned));
	printf(" %6s", pages(buf, need.to_pin));
	printf(" %7s", pages(buf, need.mm));
	printf(" %9s", pages(buf, need.user));
	if (!ctx->owner.now.found)
		printf(" %6s", "-");
	else
		printf(" %6s", ~limit ? fmt_bytes(buf, limit) : "none");
	printf(" %6s", bytes(buf, need.cgroup_free));
	printf(" %6s\n", bytes(buf, need.cgroup_tables));
}

static void print_needs(const struct report *report,
			const struct options *options)
{
	struct needs *needs = needs_begin(report);

	printf("%7s %-15s %5s %-4s %6s %6s %7s %9s %6s %6s %6s\n", "PID",
	       "COMMAND", "UID", "MODE", "PINNED", "TO PIN", "NEED-MM",
	       "NEED-USER", "LIMIT", "CGROUP", "TABLES");
	for (size_t i = 0; i < report->nr; i++)
		if (is_wanted(&report->contexts[i], options) &&
		    need_is_first(needs, &report->contexts[i]))
			print_need(needs, &report->contexts[i]);
	needs_end(needs);
}

static void print_contexts(const struct report *report,
			   const struct options *options)
{
	print_titles(options->source == SOURCE_OURS);
	for (size_t i = 0; i < report->nr; i++) {
		const struct ctx *ctx = &report->contexts[i];

		if (!is_wanted(ctx, options))
			continue;
		print_ctx(ctx, report->first);
		for (size_t j = 0; j < ctx->nr; j++) {
			print_ioas(&ctx->ioas[j], report->first);
			print_hwpts(&ctx->ioas[j]);
		}
		for (size_t j = 0; j < ctx->nr_devices; j++)
			print_device(ctx->devices[j]);
	}
}

static void print_text(const struct report *report,
		       const struct options *options)
{
	bool any = false;

	print_head(report, options);
	for (size_t i = 0; i < report->nr && !any; i++)
		any = is_wanted(&report->contexts[i], options);
	if (any)
		(options->memlock ? print_needs : print_contexts)(report,
								  options);
	putchar('\n');
}

static void add_known(struct json_object *to, const char *name, __u64 value)
{
	if (value == LIST_UNKNOWN)
		json_add(to, name, NULL);
	else
		json_add_u64(to, name, value);
}

static void add_id(struct json_object *to, const char *name, __u32 id)
{
	add_known(to, name, id == LIST_NOT_KNOWN ? LIST_UNKNOWN : id);
}

static void add_amount(struct json_object *to, const struct amount *amount)
{
	add_known(to, "pinned_pages", amount->now);
	if (amount->now == LIST_UNKNOWN) {
		json_add(to, "grown_pages", NULL);
		json_add(to, "since_pages", NULL);
		return;
	}
	json_add_s64(to, "grown_pages", amount->grown);
	json_add_s64(to, "since_pages", amount->since);
}

static struct json_object *sizes_object(const struct ioas *ioas)
{
	struct json_object *out = json_object_new_object();

	for (int i = 0; i < SIZE_CLASSES; i++)
		json_add_u64(out, size_members[i], ioas->bytes[i]);
	return out;
}

static struct json_object *hwpts_object(const struct ioas *ioas)
{
	struct json_object *out = json_object_new_array();

	for (size_t i = 0; i < ioas->nr_hwpts; i++) {
		struct json_object *hwpt = json_object_new_object();

		json_add_u64(hwpt, "hwpt", ioas->hwpts[i]->id);
		add_known(hwpt, "table_pages", ioas->hwpts[i]->table_pages);
		json_object_array_add(out, hwpt);
	}
	return out;
}

static struct json_object *ioas_object(const struct ioas *ioas,
				       enum source_kind source)
{
	struct json_object *out = json_object_new_object();

	json_add_u64(out, "ioas", ioas->info->id);
	add_known(out, "areas", ioas->info->areas);
	add_known(out, "mapped_bytes", ioas->info->mapped);
	add_known(out, "table_pages", ioas->table_pages);
	add_known(out, "maps", ioas->info->maps);
	add_known(out, "unmaps", ioas->info->unmaps);
	if (source == SOURCE_TYPE1)
		add_known(out, "areas_free", ioas->info->room);
	add_amount(out, &ioas->pinned);
	json_add(out, "page_sizes",
		 ioas->has_sizes ? sizes_object(ioas) : NULL);
	json_add(out, "hwpts", hwpts_object(ioas));
	return out;
}

static void add_limit(struct json_object *to, const struct ctx *ctx)
{
	if (ctx->owner.mode >= OWNER_NONE || !ctx->owner.now.found)
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

static void add_need(struct json_object *to, const struct needs *needs,
		     const struct ctx *ctx)
{
	struct need need = need_of(needs, ctx);

	add_known(to, "to_pin_pages", need.to_pin);
	add_known(to, "need_mm_pages", need.mm);
	add_known(to, "need_user_pages", need.user);
	add_known(to, "cgroup_free_bytes", need.cgroup_free);
	add_known(to, "cgroup_table_bytes", need.cgroup_tables);
}

static struct json_object *device_object(const struct list_object *device)
{
	struct json_object *out = json_object_new_object();

	json_add_u64(out, "device_id", device->id);
	if (*device->name)
		json_add_text(out, "device", device->name);
	else
		json_add(out, "device", NULL);
	identity_add_device(out, device->name);
	add_id(out, "group", device->group);
	add_id(out, "hwpt", device->hwpt);
	return out;
}

static struct json_object *ctx_object(const struct needs *needs,
				      const struct ctx *ctx)
{
	struct json_object *out = json_object_new_object();
	struct json_object *ioas = json_object_new_array();
	struct json_object *devices = json_object_new_array();

	json_add_text(out, "source", source_name(ctx->info->source));
	json_add_u64(out, "ctx", ctx->info->ctx);
	json_add_u64(out, "pid", ctx->info->tgid);
	json_add_bool(out, "alive", ctx->owner.now.found);
	json_add_u64(out, "uid", ctx->owner.now.uid);
	json_add_text(out, "command", ctx->info->comm);
	identity_add_vm(out, ctx->info->tgid);
	if (ctx->owner.mode == OWNER_UNKNOWN)
		json_add(out, "mode", NULL);
	else
		json_add_text(out, "mode", mode_names[ctx->owner.mode]);
	add_amount(out, &ctx->pinned);
	add_limit(out, ctx);
	add_need(out, needs, ctx);
	for (size_t i = 0; i < ctx->nr; i++)
		json_object_array_add(ioas, ioas_object(&ctx->ioas[i],
							ctx->info->source));
	json_add(out, "ioas", ioas);
	for (size_t i = 0; i < ctx->nr_devices; i++)
		json_object_array_add(devices, device_object(ctx->devices[i]));
	json_add(out, "devices", devices);
	return out;
}

static void print_json(const struct report *report,
		       const struct options *options)
{
	struct json_object *line = json_object_new_object();
	struct json_object *contexts = json_object_new_array();
	struct needs *needs = needs_begin(report);

	json_add_u64(line, "time_ns", report->time_ns);
	json_add_text(line, "source", source_name(options->source));
	json_add_u64(line, "lost_events", report->lost);
	add_known(line, "iommu_table_pages", vmstat_iommu_pages());
	for (size_t i = 0; i < report->nr; i++)
		if (is_wanted(&report->contexts[i], options))
			json_object_array_add(contexts,
					      ctx_object(needs,
							 &report->contexts[i]));
	needs_end(needs);
	json_add(line, "contexts", contexts);
	json_print(line);
}

void print_report(const struct report *report, const struct options *options)
{
	if (options->common.json)
		print_json(report, options);
	else
		print_text(report, options);
}
