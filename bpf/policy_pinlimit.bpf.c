// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy: limits the memory that is pinned for DMA, per user, per cgroup or per
 * process. Requests that would exceed the limit fail with EDQUOT. A cgroup
 * includes its descendants, and the limit of each of its ancestors applies too.
 *
 * The kernel serialises the calls, so that counts need no atomic operations.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "iommufd_policy.h"
#include "policy_pinlimit.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pinlimit_settings);
} settings SEC(".maps");

/*
 * Bytes for single owners, by id, in place of the limit in the settings; 0 for
 * no limit. An ancestor of the owner's cgroup has a limit only here.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PINLIMIT_OWNERS);
	__type(key, __u64);
	__type(value, __u64);
} limits SEC(".maps");

/*
 * The memory of each owner. All kinds of owners are counted, so that the kind
 * that has limits can be changed at any time.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PINLIMIT_OWNERS);
	__type(key, struct pinlimit_owner);
	__type(value, struct pinlimit_usage);
} owners SEC(".maps");

/* All of these have memory pinned: there is no room for another owner. */
bool full;

/* The user, the process, the cgroup and its ancestors. */
#define MAX_OWNERS (3 + IOMMUFD_BPF_MAX_ANCESTORS)

struct request {
	struct pinlimit_owner owners[MAX_OWNERS];
	__u64 peaks[MAX_OWNERS]; /* before the bytes were added */
	__u64 bytes;
	__u64 own_cgroup;
	__u64 refused_by; /* id of the owner whose limit would be exceeded */
	__u32 nr; /* owners */
	__u32 done; /* owners that the bytes were added to */
	bool forced;
};

static __always_inline void add_owner(struct request *request,
				      enum pinlimit_by by, __u64 id)
{
	__u32 i = request->nr;

	if (i >= MAX_OWNERS)
		return;
	request->owners[i].by = by;
	request->owners[i].id = id;
	request->nr++;
}

/* Not a subprogram: it could leave a pointer in R0, which the verifier rejects. */
static __always_inline void find_owners(struct request *request,
					const struct iommufd_bpf_charge *call)
{
	int i;

	request->bytes = call->npages << call->page_shift;
	request->own_cgroup = call->cgroup_id;
	request->forced = call->forced;
	request->nr = 0;
	request->done = 0;
	add_owner(request, USER, call->uid);
	add_owner(request, PROCESS, call->tgid);
#pragma unroll
	for (i = 0; i < IOMMUFD_BPF_MAX_ANCESTORS; i++)
		if (call->ancestors[i])
			add_owner(request, CGROUP, call->ancestors[i]);
	if (call->level >= IOMMUFD_BPF_MAX_ANCESTORS)
		add_owner(request, CGROUP, call->cgroup_id);
}

/* The general limit is not that of the ancestors of a cgroup. */
static bool is_own(const struct request *request,
		   const struct pinlimit_owner *owner)
{
	return owner->by != CGROUP || owner->id == request->own_cgroup;
}

/* The limit of an owner, 0 for none. */
static __u64 limit_of(const struct request *request,
		      const struct pinlimit_owner *owner)
{
	const struct pinlimit_settings *set;
	__u64 id = owner->id, *limit;
	__u32 zero = 0;

	set = bpf_map_lookup_elem(&settings, &zero);
	if (!set || set->by != owner->by)
		return 0;
	limit = bpf_map_lookup_elem(&limits, &id);
	if (limit)
		return *limit;
	return is_own(request, owner) ? set->limit : 0;
}

static long evict(void *map, struct pinlimit_owner *owner,
		  struct pinlimit_usage *usage, bool *found)
{
	if (!usage->bytes) {
		bpf_map_delete_elem(map, owner);
		*found = true;
	}
	return 0;
}

/* Makes room for a new owner. Those without pinned memory lose their peak. */
static bool evict_idle(void)
{
	bool found = false;

	if (full)
		return false;
	bpf_for_each_map_elem(&owners, evict, &found, 0);
	full = !found;
	return found;
}

static struct pinlimit_usage *usage_of(const struct pinlimit_owner *owner)
{
	struct pinlimit_usage none = {}, *usage;

	usage = bpf_map_lookup_elem(&owners, owner);
	if (usage)
		return usage;
	if (bpf_map_update_elem(&owners, owner, &none, BPF_NOEXIST) &&
	    evict_idle())
		bpf_map_update_elem(&owners, owner, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&owners, owner);
}

/* If there is no room to count the owner: better refuse than exceed. */
static bool fits(const struct request *request,
		 const struct pinlimit_owner *owner,
		 const struct pinlimit_usage *usage)
{
	__u64 limit;

	if (!usage)
		return false;
	limit = limit_of(request, owner);
	return !limit || (request->bytes <= limit &&
			  usage->bytes <= limit - request->bytes);
}

static __always_inline void refuse(struct request *request,
				   const struct pinlimit_owner *owner,
				   struct pinlimit_usage *usage)
{
	request->refused_by = owner->id;
	if (!usage)
		return;
	usage->refused++;
	usage->own |= is_own(request, owner);
	if (!usage->bytes)
		full = false;
}

/* Adds the bytes to an owner; a return value of 1 ends the loop. */
static long add(__u64 i, struct request *request)
{
	struct pinlimit_usage *usage;
	struct pinlimit_owner owner;

	if (i >= MAX_OWNERS)
		return 1;
	owner = request->owners[i];
	usage = usage_of(&owner);
	if (!request->forced && !fits(request, &owner, usage)) {
		refuse(request, &owner, usage);
		return 1;
	}
	if (usage) {
		usage->bytes += request->bytes;
		usage->own |= is_own(request, &owner);
		request->peaks[i] = usage->peak;
		if (usage->peak < usage->bytes)
			usage->peak = usage->bytes;
	}
	request->done++;
	return 0;
}

/* NULL if the owner is not counted. */
static __always_inline struct pinlimit_usage *
counted(const struct request *request, __u64 i)
{
	struct pinlimit_owner owner;

	if (i >= MAX_OWNERS)
		return NULL;
	owner = request->owners[i];
	return bpf_map_lookup_elem(&owners, &owner);
}

static void take_back(struct pinlimit_usage *usage,
		      const struct request *request)
{
	/* An update of the policy may have begun with empty maps. */
	usage->bytes -= usage->bytes < request->bytes ? usage->bytes :
							request->bytes;
	if (!usage->bytes)
		full = false;
}

static long subtract(__u64 i, struct request *request)
{
	struct pinlimit_usage *usage = counted(request, i);

	if (usage)
		take_back(usage, request);
	return 0;
}

/* After a refusal, as if the bytes had never been added. */
static long undo(__u64 i, struct request *request)
{
	struct pinlimit_usage *usage = counted(request, i);

	if (!usage || i >= MAX_OWNERS)
		return 0;
	take_back(usage, request);
	usage->peak = request->peaks[i];
	return 0;
}

SEC("struct_ops/charge")
int BPF_PROG(pinlimit_charge, struct iommufd_bpf_charge *call)
{
	struct request request = {};

	find_owners(&request, call);
	bpf_loop(request.nr, add, &request, 0);
	if (request.done == request.nr)
		return 0;
	bpf_loop(request.done, undo, &request, 0);
	call->detail = request.refused_by;
	return -EDQUOT;
}

SEC("struct_ops/uncharge")
void BPF_PROG(pinlimit_uncharge, struct iommufd_bpf_charge *call)
{
	struct request request = {};

	find_owners(&request, call);
	bpf_loop(request.nr, subtract, &request, 0);
}

SEC(".struct_ops.link")
struct iommufd_bpf_ops pinlimit = {
	.charge = (void *)pinlimit_charge,
	.uncharge = (void *)pinlimit_uncharge,
	.name = "pinlimit",
	.priority = 100,
};
