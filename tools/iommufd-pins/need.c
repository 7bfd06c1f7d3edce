// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/file.h"
#include "../lib/hash.h"
#include "../lib/tool.h"
#include "need.h"

#define CGROUPS "/sys/fs/cgroup"

static __u64 rest(__u64 of, __u64 without)
{
	return of > without ? of - without : 0;
}

/* Memory that is pinned once the IOAS gets a device. */
static __u64 to_pin(const struct ctx *ctx)
{
	__u64 pages = 0;

	for (size_t i = 0; i < ctx->nr; i++) {
		__u64 mapped = ctx->ioas[i].info->mapped;
		__u64 pinned = ctx->ioas[i].pinned.now;

		if (mapped == LIST_UNKNOWN || pinned == LIST_UNKNOWN)
			return LIST_UNKNOWN;
		pages += rest(mapped / getpagesize(), pinned);
	}
	return pages;
}

/* Pinned pages that are charged to @mode; unknown if the mode is. */
static __u64 charge(const struct ctx *ctx, enum owner_mode mode)
{
	if (ctx->owner.mode == OWNER_UNKNOWN)
		return LIST_UNKNOWN;
	return ctx->owner.mode == mode ? ctx->pinned.now : 0;
}

/* @own and what else of @all is locked; the latter includes @charged. */
static __u64 limit_for(__u64 own, __u64 all, __u64 charged)
{
	if (charged == LIST_UNKNOWN)
		return LIST_UNKNOWN;
	list_add(&own, rest(all, charged));
	return own;
}

static bool read_number(const char *folder, const char *name, __u64 *number)
{
	char path[PATH_MAX], line[64];
	char *end;

	snprintf(path, sizeof(path), CGROUPS "%.3000s/%s", folder, name);
	if (!file_line(line, sizeof(line), path))
		return false;
	/* "max" is no number. */
	*number = strtoull(line, &end, 10);
	return end > line;
}

/* The path of the cgroup in the default hierarchy. */
static bool find_cgroup(__u32 pid, char *folder, size_t size)
{
	char path[64], text[PATH_MAX];
	const char *line = text;

	snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
	file_read(text, sizeof(text), path);
	while (line && strncmp(line, "0::", 3)) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		return false;
	line += strlen("0::");
	snprintf(folder, size, "%.*s", (int)strcspn(line, "\n"), line);
	return true;
}

static __u64 free_of(char *folder)
{
	__u64 max, current, least = LIST_UNKNOWN;

	for (char *end = folder + strlen(folder); end;) {
		*end = '\0';
		if (read_number(folder, "memory.max", &max) &&
		    read_number(folder, "memory.current", &current) &&
		    rest(max, current) < least)
			least = rest(max, current);
		end = strrchr(folder, '/');
	}
	return least;
}

static __u64 tables_of(const char *folder)
{
	char path[PATH_MAX], text[PATH_MAX];
	unsigned long long bytes;
	const char *line;

	snprintf(path, sizeof(path), CGROUPS "%.3000s/memory.stat", folder);
	file_read(text, sizeof(text), path);
	line = strstr(text, "\nsec_pagetables ");
	if (!line || sscanf(line, " sec_pagetables %llu", &bytes) != 1)
		return LIST_UNKNOWN;
	return bytes;
}

/* Sums over the contexts of a process or a user; @charged in its own mode. */
struct sum {
	struct hash_link link;
	__u32 id;
	__u64 pinned;
	__u64 to_pin;
	__u64 charged;
	__u64 cgroup_free;
	__u64 cgroup_tables;
	bool shown;
};

struct needs {
	struct hash processes;
	struct hash users;
};

static void add(struct hash *sums, __u32 id, const struct ctx *ctx,
		enum owner_mode mode)
{
	struct sum *sum = hash_get(sums, &id);

	list_add(&sum->pinned, ctx->pinned.now);
	list_add(&sum->to_pin, to_pin(ctx));
	list_add(&sum->charged, charge(ctx, mode));
}

static void read_cgroup(struct sum *process)
{
	char folder[PATH_MAX];

	process->cgroup_free = LIST_UNKNOWN;
	process->cgroup_tables = LIST_UNKNOWN;
	if (!find_cgroup(process->id, folder, sizeof(folder)))
		return;
	process->cgroup_tables = tables_of(folder);
	process->cgroup_free = free_of(folder);
}

struct needs *needs_begin(const struct report *report)
{
	struct needs *needs = tool_memory(calloc(1, sizeof(*needs)));
	struct sum *process = NULL;

	hash_init(&needs->processes, sizeof(__u32), sizeof(struct sum));
	hash_init(&needs->users, sizeof(__u32), sizeof(struct sum));
	for (size_t i = 0; i < report->nr; i++) {
		const struct ctx *ctx = &report->contexts[i];

		add(&needs->processes, ctx->info->tgid, ctx, OWNER_MM);
		add(&needs->users, ctx->owner.now.uid, ctx, OWNER_USER);
	}
	while ((process = hash_next(&needs->processes, process)))
		read_cgroup(process);
	return needs;
}

void needs_end(struct needs *needs)
{
	hash_clear(&needs->processes);
	hash_clear(&needs->users);
	free(needs);
}

struct need need_of(const struct needs *needs, const struct ctx *ctx)
{
	const struct pins_owner *owner = &ctx->owner.now;
	const struct sum *process, *user;
	struct need need;

	process = hash_find(&needs->processes, &ctx->info->tgid);
	user = hash_find(&needs->users, &owner->uid);
	need = (struct need){
		.pinned = process->pinned,
		.to_pin = process->to_pin,
		.mm = process->pinned,
		.user = user->pinned,
		.cgroup_free = process->cgroup_free,
		.cgroup_tables = process->cgroup_tables,
	};
	list_add(&need.mm, process->to_pin);
	list_add(&need.user, user->to_pin);
	need.mm = limit_for(need.mm, owner->mm_pages, process->charged);
	need.user = limit_for(need.user, owner->user_pages, user->charged);
	return need;
}

bool need_is_first(struct needs *needs, const struct ctx *ctx)
{
	struct sum *process = hash_find(&needs->processes, &ctx->info->tgid);
	bool first = !process->shown;

	process->shown = true;
	return first;
}
