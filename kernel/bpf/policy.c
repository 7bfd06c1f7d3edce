// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which policies there are, and asking them.
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
#include "device/device.h"
#include "trace/fail.h"

DEFINE_STATIC_KEY_FALSE(iommufd_policies);

/**
 * struct policy - a policy that is attached
 * @node: link in @policies, the highest priority first
 * @ops: what it says, of a struct_ops map that is registered
 * @link: by which it is attached
 * @number: of the link, never used twice
 * @cgroup: of which this has a reference: where requests come from, or NULL
 */
struct policy {
	struct list_head node;
	struct iommufd_bpf_ops *ops;
	struct bpf_link *link;
	u64 number;
	struct cgroup *cgroup;
};

/*
 * Protects the list. A leaf, under which nothing sleeps: attach, detach and
 * update come under a mutex of all of BPF and must not wait for a request.
 */
static DEFINE_SPINLOCK(policies_lock);
static LIST_HEAD(policies);
static unsigned int nr_policies;
static u64 last_number;

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

/* Behind those of the same priority. */
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

/**
 * iommufd_policy_attach - a link attaches a policy
 * @ops: the policy, in memory until it is detached
 * @link: the link
 *
 * Returns 0, -EOPNOTSUPP if there is no link, -E2BIG if there are too many
 * policies, -EEXIST if it is attached already, -ENOMEM, or what
 * cgroup_get_from_id() returns.
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
		return 0;
	}
	put_cgroup(new->cgroup);
free:
	kfree(new);
	return ret;
}

/**
 * iommufd_policy_detach - a link is gone
 * @link: the link
 *
 * Requests that have asked the policy hold it themselves.
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
	put_cgroup(policy->cgroup);
	kfree(policy);
}

/**
 * iommufd_policy_update - a link changes its policy for another
 * @ops: the new one
 * @link: the link
 *
 * Returns 0, -EEXIST if the new one is attached already, or what
 * cgroup_get_from_id() returns.
 */
int iommufd_policy_update(struct iommufd_bpf_ops *ops, struct bpf_link *link)
{
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
		policy->ops = ops;
		swap(policy->cgroup, cgroup);
		insert(policy);
	}
	spin_unlock(&policies_lock);
	put_cgroup(cgroup);
	return ret;
}

/* Whether the calling task is in the scope of a policy. */
static bool concerns(const struct policy *policy)
{
	bool inside;

	if (!policy->cgroup)
		return true;
	rcu_read_lock();
	inside = cgroup_is_descendant(task_dfl_cgroup(current), policy->cgroup);
	rcu_read_unlock();
	return inside;
}

static bool is_among(u64 number, const struct iommufd_seen *seen)
{
	unsigned int i;

	for (i = 0; i < seen->nr; i++)
		if (seen->links[i] == number)
			return true;
	return false;
}

/* Hold the policies to ask; those of a request, or those that have seen it. */
static void hold(struct iommufd_asked *asked, const struct iommufd_seen *seen)
{
	struct policy *each;

	asked->nr = 0;
	spin_lock(&policies_lock);
	list_for_each_entry(each, &policies, node) {
		if (seen ? !is_among(each->number, seen) : !concerns(each))
			continue;
		/* Registered, it can't be on its way out: that comes here first. */
		if (WARN_ON(!bpf_struct_ops_get(each->ops)))
			continue;
		asked->policies[asked->nr].ops = each->ops;
		asked->policies[asked->nr].link = each->number;
		asked->nr++;
	}
	spin_unlock(&policies_lock);
}

/* Let go of those from @first on. */
static void release(struct iommufd_asked *asked, unsigned int first)
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

/* What a policy has returned, as an errno that the user can get. */
static int refusal(int ret, const struct iommufd_bpf_ops *ops)
{
	if (!ret)
		return 0;
	/* Those of the kernel's own would make the request begin again. */
	if (ret > 0 || ret <= -ERESTARTSYS)
		ret = -EPERM;
	return iommufd_fail_policy(ret, IOMMUFD_REASON_DENIED_BY_POLICY,
				   (s64)ops->priority, 0, ops->name);
}

/* Ahead of what can't be undone: a policy that counts must see all of them go. */
static struct iommufd_seen *remember(const struct iommufd_asked *asked)
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

/*
 * What policies may add to the flags of a page table. One that the user asks for
 * by name is attached to devices that are not known yet, some of which might not
 * be able to share it then. An automatic one serves the devices that it suits.
 */
static u32 addable(const struct iommufd_bpf_hwpt *args,
		   struct iommufd_device *idev)
{
	if (!args->automatic || iommufd_device_is_noiommu(idev) ||
	    !device_iommu_capable(idev->dev, IOMMU_CAP_DIRTY_TRACKING))
		return 0;
	return IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
}

/**
 * iommufd_policy_hwpt_alloc - ask whether a page table may be made
 * @call: what is known of it is in its args; add_flags are set
 * @ctx: the context
 * @idev: the device
 *
 * Context: may sleep, no lock of iommufd is held.
 *
 * Ended with iommufd_policy_hwpt_done() whatever is returned.
 *
 * Returns 0, the negative errno of the policy that has refused it, or -ENOMEM.
 */
int iommufd_policy_hwpt_alloc(struct iommufd_hwpt_call *call,
			      struct iommufd_ctx *ctx,
			      struct iommufd_device *idev)
{
	u32 can_add = addable(&call->args, idev), add = 0;
	unsigned int i;
	int ret = 0;

	call->args.caller = caller(ctx);
	hold(&call->asked, NULL);
	for (i = 0; i < call->asked.nr && !ret; i++) {
		struct iommufd_bpf_ops *ops = call->asked.policies[i].ops;

		if (!ops->hwpt_alloc)
			continue;
		call->args.add_flags = 0;
		ret = refusal(ops->hwpt_alloc(&call->args), ops);
		if (!ret)
			add |= call->args.add_flags & can_add;
	}
	/* Those behind the one that refused were not asked. */
	release(&call->asked, i);
	call->args.add_flags = add;
	if (!ret && call->asked.nr) {
		call->seen = remember(&call->asked);
		if (!call->seen)
			ret = -ENOMEM;
	}
	call->start_ns = ktime_get_ns();
	return ret;
}

/**
 * iommufd_policy_hwpt_done - tell what has become of a page table
 * @call: begun with iommufd_policy_hwpt_alloc()
 * @hwpt: its id, 0 if there is none
 * @ret: 0 or a negative errno
 *
 * Returns who is to be told when it is gone, for iommufd_policy_hwpt_free(), or
 * NULL.
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
	release(&call->asked, 0);
	if (!ret)
		return seen;
	kfree(seen);
	return NULL;
}

/**
 * iommufd_policy_hwpt_free - tell that a page table is gone
 * @ctx: the context
 * @hwpt: its id
 * @kind: enum iommufd_object_type
 * @automatic: nobody asked for it by name
 * @seen: who was told when it came, freed here; or NULL
 *
 * Context: may sleep, no lock of iommufd is held.
 */
void iommufd_policy_hwpt_free(struct iommufd_ctx *ctx, u32 hwpt, u32 kind,
			      bool automatic, struct iommufd_seen *seen)
{
	struct iommufd_bpf_hwpt args = {
		.hwpt = hwpt,
		.kind = kind,
		.automatic = automatic,
	};
	struct iommufd_asked asked;
	unsigned int i;

	if (!seen)
		return;
	args.caller = caller(ctx);
	hold(&asked, seen);
	kfree(seen);
	for (i = 0; i < asked.nr; i++)
		if (asked.policies[i].ops->hwpt_free)
			asked.policies[i].ops->hwpt_free(&args);
	release(&asked, 0);
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
 * iommufd_policy_invalidate - ask whether an invalidation may go on, and how far
 * @call: what is known of it is in its args; limit is set
 * @ctx: the context
 *
 * Sets limit, and delay_ns, for which the caller calls iommufd_policy_delay()
 * unless it is 0.
 *
 * Context: may sleep, no lock of iommufd is held; the object is.
 *
 * Ended with iommufd_policy_invalidate_done() whatever is returned.
 *
 * Returns 0 or the negative errno of the policy that has refused it.
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
	hold(&call->asked, NULL);
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
	release(&call->asked, i);
	args->limit = limit;
	args->delay_ns = min(delay_ns, IOMMUFD_BPF_MAX_DELAY_NS);
	call->start_ns = ktime_get_ns();
	return ret;
}

/**
 * iommufd_policy_delay - sleep for as long as policies have asked for
 * @call: begun with iommufd_policy_invalidate(), which has let it go on
 *
 * Context: sleeps. No lock of iommufd is held, nor a reference to an object: the
 * caller makes sure afterwards that it is still there, and the same.
 *
 * Returns 0, or -EINTR if the caller was killed.
 */
int iommufd_policy_delay(struct iommufd_invalidate_call *call)
{
	int ret = sleep_killable(call->args.delay_ns);

	call->start_ns = ktime_get_ns();
	return ret;
}

/**
 * iommufd_policy_invalidate_done - tell how an invalidation ended
 * @call: begun with iommufd_policy_invalidate()
 * @handled: entries that were handled
 * @ret: 0 or a negative errno
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
	release(&call->asked, 0);
}
