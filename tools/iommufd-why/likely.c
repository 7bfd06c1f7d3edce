// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../lib/fmt.h"
#include "../lib/owner.h"
#include "iommufd_pins.skel.h"
#include "likely.h"

#define FIXED_IOVA 1

static struct iommufd_pins *pins;
static bool no_pins;

static bool is_map(__u32 command)
{
	return command == IOCTL_IOAS_MAP || command == IOCTL_TYPE1_MAP;
}

/* Whether the caller has chosen the IOVA. */
static bool has_iova(const struct ioctl_call *call)
{
	return call->command != IOCTL_IOAS_MAP || call->flags & FIXED_IOVA;
}

static enum likely_rule check_alignment(char *text,
					const struct ioctl_call *call)
{
	__u64 mask = getpagesize() - 1;
	const char *what = NULL;

	if (call->length & mask)
		what = "length";
	else if (has_iova(call) && call->iova & mask)
		what = "IOVA";
	else if (has_iova(call) && call->address & mask)
		what = "address";
	if (!what)
		return LIKELY_NONE;
	snprintf(text, LIKELY_LEN, "the %s is not aligned to pages of %d bytes",
		 what, getpagesize());
	return LIKELY_ALIGNMENT;
}

/* One line of a group's list of regions: first, last, type. */
static bool check_region(char *text, const struct ioctl_call *call,
			 const char *line, const char *group)
{
	unsigned long long first, last;
	char type[32];

	if (sscanf(line, "%llx %llx %31s", &first, &last, type) != 3 ||
	    !strcmp(type, "direct-relaxable") || call->iova > last ||
	    call->iova + call->length - 1 < first)
		return false;
	snprintf(text, LIKELY_LEN,
		 "IOVA %#llx to %#llx is reserved (%s) for devices of IOMMU group %.16s",
		 first, last, type, group);
	return true;
}

static enum likely_rule check_reserved(char *text,
				       const struct ioctl_call *call)
{
	DIR *groups = opendir("/sys/kernel/iommu_groups");
	struct dirent *group;
	bool found = false;

	if (!groups)
		return LIKELY_NONE;
	while (!found && has_iova(call) && (group = readdir(groups))) {
		char path[PATH_MAX], line[128];
		FILE *regions;

		snprintf(path, sizeof(path),
			 "/sys/kernel/iommu_groups/%s/reserved_regions",
			 group->d_name);
		regions = fopen(path, "re");
		if (!regions)
			continue;
		while (!found && fgets(line, sizeof(line), regions))
			found = check_region(text, call, line, group->d_name);
		fclose(regions);
	}
	closedir(groups);
	return found ? LIKELY_RESERVED : LIKELY_NONE;
}

/* Whether the memory is that of a device (VM_PFNMAP), or is not there. */
static enum likely_rule check_memory(char *text, const struct ioctl_call *call)
{
	unsigned long long first = 0, end = 0, next = call->address;
	enum likely_rule rule = LIKELY_NONE;
	bool inside = false;
	char path[64], line[512];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%u/smaps", call->tgid);
	maps = fopen(path, "re");
	if (!maps)
		return LIKELY_NONE;
	while (!rule && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx ", &first, &end) == 2) {
			inside = first < call->address + call->length &&
				 end > call->address;
			if (inside && first <= next)
				next = end;
		} else if (inside && !strncmp(line, "VmFlags:", 8) &&
			   strstr(line, " pf")) {
			snprintf(text, LIKELY_LEN,
				 "the memory from %#llx on is a device's (a BAR), not pages",
				 first);
			rule = LIKELY_DEVICE_MEMORY;
		}
	}
	fclose(maps);
	if (!rule && next < call->address + call->length) {
		snprintf(text, LIKELY_LEN,
			 "the process has no memory at %#llx, which is in the range",
			 next);
		rule = LIKELY_NO_MEMORY;
	}
	return rule;
}

static enum likely_rule check_limit(char *text, const struct ioctl_call *call)
{
	bool type1 = call->command == IOCTL_TYPE1_MAP;
	struct list_ctx ctx = {
		.tgid = call->tgid,
		.source = type1 ? SOURCE_TYPE1 : SOURCE_UPSTREAM,
	};
	char used[FMT_LEN], asked[FMT_LEN], limit[FMT_LEN];
	__u64 charged, size = getpagesize();
	struct owner owner;

	if (!pins && !no_pins)
		pins = owner_open();
	no_pins = !pins;
	if (no_pins)
		return LIKELY_NONE;
	owner_read(bpf_program__fd(pins->progs.read_owner), &ctx, &owner);
	if (!owner.now.found || owner.now.unlimited || !~owner.now.limit)
		return LIKELY_NONE;
	/* Which of them iommufd charges is a matter of the context's mode. */
	charged = owner.now.mm_pages;
	if (!type1 && charged < owner.now.user_pages)
		charged = owner.now.user_pages;
	if (charged * size + call->length <= owner.now.limit)
		return LIKELY_NONE;
	snprintf(text, LIKELY_LEN,
		 "RLIMIT_MEMLOCK: %s are charged, %s more were asked for, and the limit is %s",
		 fmt_bytes(used, charged * size),
		 fmt_bytes(asked, call->length),
		 fmt_bytes(limit, owner.now.limit));
	return LIKELY_LIMIT;
}

static enum likely_rule check_overlap(char *text, const struct ioctl_call *call)
{
	if (!has_iova(call))
		return LIKELY_NONE;
	snprintf(text, LIKELY_LEN,
		 "something is mapped already between IOVA %#llx and %#llx",
		 call->iova, call->iova + call->length - 1);
	return LIKELY_OVERLAP;
}

static enum likely_rule find_rule(char *text, const struct ioctl_call *call)
{
	enum likely_rule rule;

	switch (-call->ret) {
	case EEXIST:
		return check_overlap(text, call);
	case ENOMEM:
		return check_limit(text, call);
	case EFAULT:
		return check_memory(text, call);
	case EINVAL:
		rule = check_alignment(text, call);
		if (!rule)
			rule = check_reserved(text, call);
		return rule ? rule : check_memory(text, call);
	case EADDRINUSE:
	case EPERM:
		return check_reserved(text, call);
	}
	return LIKELY_NONE;
}

void likely_cause(struct likely *likely, const struct ioctl_call *call)
{
	*likely = (struct likely){};
	/* Lengths that wrap around are beyond these rules. */
	if (is_map(call->command) && call->length &&
	    call->address + call->length >= call->address &&
	    call->iova + call->length >= call->iova)
		likely->rule = find_rule(likely->text, call);
}

void likely_end(void)
{
	iommufd_pins__destroy(pins);
	pins = NULL;
}
