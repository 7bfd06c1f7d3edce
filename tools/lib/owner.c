// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "file.h"
#include "iommufd_pins.skel.h"
#include "owner.h"

struct iommufd_pins *owner_open(void)
{
	struct iommufd_pins *pins = iommufd_pins__open();
	int err;

	if (!pins)
		return NULL;
	bpf_program__set_autoload(pins->progs.read_sizes, false);
	err = iommufd_pins__load(pins);
	if (!err)
		return pins;
	iommufd_pins__destroy(pins);
	errno = -err;
	return NULL;
}

/* The first number of a line of /proc/PID/status. */
static bool status_number(const char *status, const char *name,
			  const char *format, __u64 *number)
{
	const char *line = strstr(status, name);

	return line && sscanf(line + strlen(name), format, number) == 1;
}

/* Capabilities in another user namespace do not count. */
static bool in_own_namespace(__u32 tgid)
{
	char path[64], own[64], its[64];

	snprintf(path, sizeof(path), "/proc/%u/ns/user", tgid);
	return file_link(own, sizeof(own), "/proc/self/ns/user") &&
	       file_link(its, sizeof(its), path) && !strcmp(own, its);
}

/*
 * Reads an owner from /proc, for kernels on which a program can't look up a
 * process. /proc doesn't have the charge of a user, but VFIO type1 charges
 * processes only.
 */
static void read_proc(struct pins_owner *now)
{
	char path[64], status[4096];
	__u64 uid, locked_kib, caps;
	struct rlimit limit;

	snprintf(path, sizeof(path), "/proc/%u/status", now->tgid);
	if (!file_read(status, sizeof(status), path) ||
	    !status_number(status, "\nUid:", "%llu", &uid) ||
	    !status_number(status, "\nVmLck:", "%llu", &locked_kib) ||
	    !status_number(status, "\nCapEff:", "%llx", &caps) ||
	    prlimit(now->tgid, RLIMIT_MEMLOCK, NULL, &limit))
		return;
	now->found = 1;
	now->uid = uid;
	now->unlimited = caps >> CAP_IPC_LOCK & 1 &&
			 in_own_namespace(now->tgid);
	now->mm_pages = locked_kib * 1024 / getpagesize();
	now->limit = limit.rlim_cur;
}

void owner_read(int program, const struct list_ctx *ctx, struct owner *owner)
{
	/* The program writes its result there. */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &owner->now,
		    .ctx_size_in = sizeof(owner->now));

	owner->now = (struct pins_owner){ .tgid = ctx->tgid };
	bpf_prog_test_run_opts(program, &opts);
	if (!owner->now.found && ctx->source == SOURCE_TYPE1)
		read_proc(&owner->now);
	if (!owner->now.found)
		owner->now.uid = ctx->uid;
	/* VFIO type1 also charges those who have no limit. */
	if (ctx->source == SOURCE_TYPE1)
		owner->mode = OWNER_MM;
	else if (owner->now.unlimited)
		owner->mode = OWNER_NONE;
	else if (ctx->accounting == LIST_NOT_KNOWN)
		owner->mode = OWNER_UNKNOWN;
	else
		owner->mode = ctx->accounting;
}

__u64 owner_used(const struct owner *owner)
{
	switch (owner->mode) {
	case OWNER_USER:
		return owner->now.user_pages;
	case OWNER_MM:
		return owner->now.mm_pages;
	case OWNER_NONE:
	case OWNER_UNKNOWN:
		break;
	}
	return 0;
}

__u64 owner_limit(const struct owner *owner)
{
	if (!owner->now.found || owner->mode >= OWNER_NONE ||
	    owner->now.unlimited || !~owner->now.limit)
		return ~0ULL;
	return owner->now.limit / getpagesize();
}
