// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of attached policies, and calling them.
 */
#include <linux/bpf.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/hrtimer.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "trace/fail.h"

DEFINE_STATIC_KEY_FALSE(iommufd_policies);
DEFINE_STATIC_KEY_FALSE(iommufd_charge_policies);

/**
 * struct policy - an attached policy
 * @node: link in policies, which is sorted by descending priority
 * @ops: operations in a registered struct_ops map
 * @link: the link that attaches it
 * @number: number of the link, never reused
 * @cgroup: only requests from this cgroup are subject to the policy; NULL for
 *	all requests. The policy holds a reference
 * @late: it is to be charged for pages that were pinned before it was attached
 */
struct policy {
	struct list_head node;
	struct iommufd_bpf_ops *ops;
	struct bpf_link *link;
	u64 number;
	struct cgroup *cgroup;
	bool late;
};

/*
 * Protects the list; a leaf. This is a spinlock because attach, detach and
 * update are called under a global mutex of BPF and must not wait for requests.
 */
static DEFINE_SPINLOCK(policies_lock);
static LIST_HEAD(policies);
static unsigned int nr_policies;
static u64 last_number;
/* Written with the lock held, see iommufd_policy_late_round(). */
unsigned int iommufd_late_round;

static int cgroup_of(const struct iommufd_bpf_ops *ops, struct cgroup **cgroup)
{
	*cgroup = NULL;
	if (!ops->cgroup_id)
		return 0;
	*cgroup = cgroup_get_from_id(ops->cgroup_id);
	return PTR_ERR_OR_ZERO(*cgroup);
}

static void put_cgroup(struct cgroup *cgroup)
{
	if (cgroup)
		cgroup_put(cgroup);
}

/* Insert a policy after those of the same priority. */
static void insert(struct policy *new)
{
	struct policy *each;

	lockdep_assert_held(&policies_lock);

	list_for_each_entry(each, &policies, node)
		if (each->ops->priority < new->ops->priority)
			break;
	list_add_tail(&new->node, &each->node);
}

static struct policy *find_link(struct bpf_link *link)
{
	struct policy *each;

	lockdep_assert_held(&policies_lock);

	list_for_each_entry(each, &policies, node)
		if (each->link == link)
			return each;
	return NULL;
}

static bool is_attached(const struct iommufd_bpf_ops *ops)
{
	struct policy *each;

	lockdep_assert_held(&policies_lock);

	list_for_each_entry(each, &policies, node)
		if (each->ops == ops)
			return true;
	return false;
}

/*
 * The branch is off while no policy has @charge. Pages that are pinned before it
 * is on are not charged to a policy that is attached at that time, unless
 * bpf/late.c does it later.
 */
static void count_charging(const struct iommufd_bpf_ops *old,
			   const struct iommufd_bpf_ops *new)
{
	bool before = old && old->charge, after = new && new->charge;

	if (after && !before)
		static_branch_inc(&iommufd_charge_policies);
	else if (before && !after)
		static_branch_dec(&iommufd_charge_policies);
}

/**
 * iommufd_policy_attach - attach a policy
 * @ops: the policy, which stays in memory until it is detached
 * @link: the link that attaches it
 *
 * Context: Process context. May sleep, but does not wait for requests.
 *
 * Return: 0, -EOPNOTSUPP if @link is NULL, -E2BIG if there are too many
 * policies, -EEXIST if the policy is already attached, -ENOMEM, or the error of
 * cgroup_get_from_id().
 */
int iommufd_policy_attach(struct iommufd_bpf_ops *ops, struct bpf_link *link)
{
	struct policy *new;
	int ret;

	if (!link)
		return -EOPNOTSUPP;
	new = kzalloc_obj(*new, GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->ops = ops;
	new->link = link;
	ret = cgroup_of(ops, &new->cgroup);
	if (ret)
		goto free;

	spin_lock(&policies_lock);
	if (is_attached(ops)) {
		ret = -EEXIST;
	} else if (nr_policies == IOMMUFD_BPF_MAX_POLICIES) {
		ret = -E2BIG;
	} else {
		nr_policies++;
		new->number = ++last_number;
		insert(new);
	}
	spin_unlock(&policies_lock);
	if (!ret) {
		static_branch_inc(&iommufd_policies);
		count_charging(NULL, ops);
		return 0;
	}
	put_cgroup(new->cgroup);
free:
	kfree(new);
	return ret;
}

/**
 * iommufd_policy_detach - detach the policy of a link
 * @link: the link
 *
 * Requests that have called the policy hold references of their own.
 *
 * Context: Process context. May sleep, but does not wait for requests.
 */
void iommufd_policy_detach(struct bpf_link *link)
{
	struct policy *policy;

	spin_lock(&policies_lock);
	policy = find_link(link);
	if (policy) {
		list_del(&policy->node);
		nr_policies--;
	}
	spin_unlock(&policies_lock);
	if (WARN_ON(!policy))
		return;
	static_branch_dec(&iommufd_policies);
	count_charging(policy->ops, NULL);
	put_cgroup(policy->cgroup);
	kfree(policy);
}

/**
 * iommufd_policy_update - replace the policy of a link
 * @ops: the new policy
 * @link: the link
 *
 * Context: Process context. May sleep, but does not wait for requests.
 *
 * Return: 0, -EEXIST if the new policy is already attached, or the error of
 * cgroup_get_from_id().
 */
int iommufd_policy_update(struct iommufd_bpf_ops *ops, struct bpf_link *link)
{
	struct iommufd_bpf_ops *old = NULL;
	struct policy *policy;
	struct cgroup *cgroup;
	int ret;

	ret = cgroup_of(ops, &cgroup);
	if (ret)
		return ret;
	spin_lock(&policies_lock);
	policy = find_link(link);
	if (WARN_ON(!policy)) {
		ret = -ENOENT;
	} else if (is_attached(ops)) {
		ret = -EEXIST;
	} else {
		list_del(&policy->node);
		old = policy->ops;
		policy->ops = ops;
		swap(policy->cgroup, cgroup);
		insert(policy);
	}
	spin_unlock(&policies_lock);
	if (old)
		count_charging(old, ops);
	put_cgroup(cgroup);
	return ret;
}

/* Check if a cgroup, or with NULL the calling task, is subject to a policy. */
static bool concerns(const struct policy *policy, struct cgroup *cgroup)
{
	bool inside;

	if (!policy->cgroup)
		return true;
	if (cgroup)
		return cgroup_is_descendant(cgroup, policy->cgroup);
	rcu_read_lock();
	inside = cgroup_is_descendant(task_dfl_cgroup(current), policy->cgroup);
	rcu_read_unlock();
	return inside;
}

static void hold(struct iommufd_asked *asked, const struct policy *policy)
{
	lockdep_assert_held(&policies_lock);

	/* This can't fail: unregistering takes it off the list first. */
	if (WARN_ON(!bpf_struct_ops_get(policy->ops)))
		return;
	asked->policies[asked->nr].ops = policy->ops;
	asked->policies[asked->nr].link = policy->number;
	asked->nr++;
}

/**
 * iommufd_policy_hold - get references to the policies to call
 * @asked: set to the policies, in order; the caller must call
 *	iommufd_policy_release()
 * @cgroup: only those that apply to this cgroup; NULL for the calling task
 * @seen: if not NULL, only and all of these links that still exist
 *
 * Context: Any context. Does not sleep.
 */
void iommufd_policy_hold(struct iommufd_asked *asked, struct cgroup *cgroup,
			 const struct iommufd_seen *seen)
{
	struct policy *each;

	asked->nr = 0;
	spin_lock(&policies_lock);
	list_for_each_entry(each, &policies, node)
		if (seen ? iommufd_policy_has_seen(seen, each->number) :
			   concerns(each, cgroup))
			hold(asked, each);
	spin_unlock(&policies_lock);
}

/**
 * iommufd_policy_hold_late - get references to the policies that pages are to be
 *	charged to after they were pinned
 * @asked: set to the policies, in order; the caller must call
 *	iommufd_policy_release()
 * @cgroup: the cgroup of the owner
 * @seen: the links that the pages are charged to already, or NULL. Those that
 *	still exist are in @asked, too
 *
 * Context: Any context. Does not sleep.
 */
void iommufd_policy_hold_late(struct iommufd_asked *asked,
			      struct cgroup *cgroup,
			      const struct iommufd_seen *seen)
{
	struct policy *each;

	asked->nr = 0;
	spin_lock(&policies_lock);
	list_for_each_entry(each, &policies, node)
		if (iommufd_policy_has_seen(seen, each->number) ||
		    (each->late && concerns(each, cgroup)))
			hold(asked, each);
	spin_unlock(&policies_lock);
}

/**
 * iommufd_policy_begin_late - begin a walk over pages that were pinned before a
 *	policy was attached
 * @link_id: id of the link of the policy, as user space sees it
 *
 * From now on, a request that adds pages to the store also charges the policy
 * for them. The caller walks over the pages that are in the store already.
 *
 * Context: Process context.
 *
 * Return: 0, or -ENOENT if the link attaches no policy.
 */
int iommufd_policy_begin_late(u32 link_id)
{
	struct policy *each;
	int ret = -ENOENT;

	spin_lock(&policies_lock);
	list_for_each_entry(each, &policies, node) {
		if (each->link->id != link_id)
			continue;
		each->late = true;
		WRITE_ONCE(iommufd_late_round, iommufd_late_round + 1);
		ret = 0;
		break;
	}
	spin_unlock(&policies_lock);
	return ret;
}

/**
 * iommufd_policy_release - put the policies starting with one of them
 * @asked: the policies
 * @first: index of the first one to put
 */
void iommufd_policy_release(struct iommufd_asked *asked, unsigned int first)
{
	unsigned int i;

	for (i = first; i < asked->nr; i++)
		bpf_struct_ops_put(asked->policies[i].ops);
	asked->nr = first;
}

static struct iommufd_bpf_caller caller(const struct iommufd_ctx *ctx)
{
	struct iommufd_bpf_caller caller = {
		.ctx = ctx->number,
		.tgid = task_tgid_nr(current),
		.uid = from_kuid_munged(&init_user_ns, current_uid()),
	};

	rcu_read_lock();
	caller.cgroup_id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
	return caller;
}

/**
 * iommufd_policy_errno - convert the return value of a policy
 * @ret: not 0
 *
 * Return: a negative errno for the user.
 */
int iommufd_policy_errno(int ret)
{
	/* Errnos internal to the kernel could restart the ioctl. */
	return ret > 0 || ret <= -ERESTARTSYS ? -EPERM : ret;
}

static int refusal(int ret, const struct iommufd_bpf_ops *ops)
{
	if (!ret)
		return 0;
	return iommufd_fail_policy(iommufd_policy_errno(ret),
				   IOMMUFD_REASON_DENIED_BY_POLICY,
				   (s64)ops->priority, 0, ops->name);
}

/**
 * iommufd_policy_remember - record the links of policies
 * @asked: the policies
 *
 * This is done before the page table is allocated, or the pages are pinned, as
 * a policy that counts them must see each of them freed.
 *
 * Return: the links, or NULL if there is not enough memory.
 */
struct iommufd_seen *iommufd_policy_remember(const struct iommufd_asked *asked)
{
	struct iommufd_seen *seen;
	unsigned int i;

	seen = kmalloc_flex(*seen, links, asked->nr, GFP_KERNEL_ACCOUNT);
	if (!seen)
		return NULL;
	seen->nr = asked->nr;
	for (i = 0; i < asked->nr; i++)
		seen->links[i] = asked->policies[i].link;
	return seen;
}

/**
 * iommufd_policy_hwpt_alloc - call the policies before a page table is
 * allocated
 * @call: its args describe the page table; sets add_flags and max_page_shift
 * @ctx: the context
 * @can_add: enum iommufd_hwpt_alloc_flags that policies may add
 *
 * The caller must call iommufd_policy_hwpt_done() afterwards, whatever this
 * returns.
 *
 * Context: Process context. May sleep. No lock of iommufd may be held.
 *
 * Return: 0, the negative errno of the policy that has refused it, or -ENOMEM.
 */
int iommufd_policy_hwpt_alloc(struct iommufd_hwpt_call *call,
			      struct iommufd_ctx *ctx, u32 can_add)
{
	bool is_paging = call->args.kind == IOMMUFD_OBJ_HWPT_PAGING;
	u32 add = 0, max_page_shift = 0;
	unsigned int i;
	int ret = 0;

	call->args.caller = caller(ctx);
	call->args.can_add = can_add;
	iommufd_policy_hold(&call->asked, NULL, NULL);
	for (i = 0; i < call->asked.nr && !ret; i++) {
		struct iommufd_bpf_ops *ops = call->asked.policies[i].ops;

		if (!ops->hwpt_alloc)
			continue;
		call->args.add_flags = 0;
		call->args.max_page_shift = 0;
		ret = refusal(ops->hwpt_alloc(&call->args), ops);
		if (ret)
			continue;
		add |= call->args.add_flags & can_add;
		max_page_shift = min_not_zero(max_page_shift,
					      call->args.max_page_shift);
	}
	/* Policies after the one that refused were not called. */
	iommufd_policy_release(&call->asked, i);
	call->args.add_flags = add;
	/* The entries of a nested page table belong to the user. */
	call->args.max_page_shift = is_paging ? max_page_shift : 0;
	if (!ret && call->asked.nr) {
		call->seen = iommufd_policy_remember(&call->asked);
		if (!call->seen)
			ret = -ENOMEM;
	}
	call->start_ns = ktime_get_ns();
	return ret;
}

/**
 * iommufd_policy_hwpt_done - report the end of an allocation to the policies
 * @call: set up by iommufd_policy_hwpt_alloc()
 * @hwpt: id of the page table, 0 if it was not allocated
 * @ret: 0 or a negative errno
 *
 * Context: Process context. May sleep. No lock of iommufd may be held.
 *
 * Return: The links that have seen the allocation, for
 * iommufd_policy_hwpt_free(), or NULL.
 */
struct iommufd_seen *iommufd_policy_hwpt_done(struct iommufd_hwpt_call *call,
					      u32 hwpt, int ret)
{
	struct iommufd_seen *seen = call->seen;
	unsigned int i;

	call->args.ns = ktime_get_ns() - call->start_ns;
	call->args.hwpt = hwpt;
	call->args.ret = ret;
	for (i = 0; i < call->asked.nr; i++) {
		struct iommufd_bpf_ops *ops = call->asked.policies[i].ops;

		if (ops->hwpt_alloc_done)
			ops->hwpt_alloc_done(&call->args);
	}
	iommufd_policy_release(&call->asked, 0);
	if (!ret)
		return seen;
	kfree(seen);
	return NULL;
}

/**
 * __iommufd_policy_hwpt_free - report to the policies that a page table is gone
 * @ctx: the context
 * @hwpt: id of the page table
 * @kind: enum iommufd_object_type
 * @automatic: it was allocated for an attach to an IOAS
 * @seen: the links that have seen its allocation; freed
 *
 * Context: Process context. May sleep. No lock of iommufd may be held.
 */
void __iommufd_policy_hwpt_free(struct iommufd_ctx *ctx, u32 hwpt, u32 kind,
				bool automatic, struct iommufd_seen *seen)
{
	struct iommufd_bpf_hwpt args = {
		.hwpt = hwpt,
		.kind = kind,
		.automatic = automatic,
	};
	struct iommufd_asked asked;
	unsigned int i;

	args.caller = caller(ctx);
	iommufd_policy_hold(&asked, NULL, seen);
	kfree(seen);
	for (i = 0; i < asked.nr; i++)
		if (asked.policies[i].ops->hwpt_free)
			asked.policies[i].ops->hwpt_free(&args);
	iommufd_policy_release(&asked, 0);
}

static int sleep_killable(u64 ns)
{
	ktime_t end = ktime_add_ns(ktime_get(), ns);

	do {
		set_current_state(TASK_KILLABLE);
		if (!schedule_hrtimeout(&end, HRTIMER_MODE_ABS))
			break;
	} while (!fatal_signal_pending(current));
	__set_current_state(TASK_RUNNING);
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * iommufd_policy_invalidate - call the policies before an invalidation
 * @call: its args describe the request; sets limit and delay_ns
 * @ctx: the context
 *
 * If this returns 0 and delay_ns is not 0, the caller must call
 * iommufd_policy_delay(). The caller must call iommufd_policy_invalidate_done()
 * afterwards, whatever this returns.
 *
 * Context: Process context. May sleep. No lock of iommufd may be held. The
 * caller holds a reference to the object.
 *
 * Return: 0 or the negative errno of the policy that has refused it.
 */
int iommufd_policy_invalidate(struct iommufd_invalidate_call *call,
			      struct iommufd_ctx *ctx)
{
	struct iommufd_bpf_invalidate *args = &call->args;
	u32 limit = args->asked;
	u64 delay_ns = 0;
	unsigned int i;
	int ret = 0;

	args->caller = caller(ctx);
	iommufd_policy_hold(&call->asked, NULL, NULL);
	for (i = 0; i < call->asked.nr && !ret; i++) {
		struct iommufd_bpf_ops *ops = call->asked.policies[i].ops;

		if (!ops->hwpt_invalidate)
			continue;
		args->limit = args->asked;
		args->delay_ns = 0;
		ret = refusal(ops->hwpt_invalidate(args), ops);
		if (ret)
			continue;
		if (args->limit < limit)
			iommufd_fail_policy(-EAGAIN,
					    IOMMUFD_REASON_LIMITED_BY_POLICY,
					    args->limit, args->asked,
					    ops->name);
		limit = min(limit, args->limit);
		delay_ns = max(delay_ns, args->delay_ns);
	}
	iommufd_policy_release(&call->asked, i);
	args->limit = limit;
	args->delay_ns = min(delay_ns, IOMMUFD_BPF_MAX_DELAY_NS);
	call->start_ns = ktime_get_ns();
	return ret;
}

/**
 * iommufd_policy_delay - sleep for the time that policies have requested
 * @call: set up by iommufd_policy_invalidate(), which has returned 0
 *
 * Context: Process context. Sleeps. Neither a lock of iommufd nor a reference
 * to an object may be held: afterwards the caller must check that the object
 * still exists and is the same one.
 *
 * Return: 0, or -EINTR if the caller was killed.
 */
int iommufd_policy_delay(struct iommufd_invalidate_call *call)
{
	int ret = sleep_killable(call->args.delay_ns);

	call->start_ns = ktime_get_ns();
	return ret;
}

/**
 * iommufd_policy_invalidate_done - report the end of an invalidation
 * @call: set up by iommufd_policy_invalidate()
 * @handled: number of entries that were handled
 * @ret: 0 or a negative errno
 *
 * Context: Process context. May sleep. No lock of iommufd may be held.
 */
void iommufd_policy_invalidate_done(struct iommufd_invalidate_call *call,
				    u32 handled, int ret)
{
	unsigned int i;

	call->args.ns = ktime_get_ns() - call->start_ns;
	call->args.handled = handled;
	call->args.ret = ret;
	for (i = 0; i < call->asked.nr; i++) {
		struct iommufd_bpf_ops *ops = call->asked.policies[i].ops;

		if (ops->hwpt_invalidate_done)
			ops->hwpt_invalidate_done(&call->args);
	}
	iommufd_policy_release(&call->asked, 0);
}
