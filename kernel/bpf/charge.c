// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charges pinned pages to policies. Each block of pages has the number of the
 * set of links that it is charged to, so that exactly these are uncharged when
 * it is unpinned. A set exists while pages are charged to it.
 */
#include <linux/bpf.h>
#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "pages/owner.h"
#include "trace/fail.h"

/**
 * struct charge_set - a set of links that pages are charged to
 * @npages: number of pages, on behalf of all contexts
 * @seen: the links
 */
struct charge_set {
	unsigned long npages;
	struct iommufd_seen *seen;
};

/*
 * Serialises the calls of policies, so that a policy that compares several
 * counters with limits needs no lock of its own. Protects the sets and the
 * cgroup of owners. Nests inside the locks of pages.
 */
static DEFINE_MUTEX(charge_lock);
static DEFINE_XARRAY_ALLOC1(charge_sets);

/*
 * The cgroup stays the same as long as pages may be charged to the owner, so
 * that they are uncharged from the same one.
 */
static void remember_cgroup(struct iommufd_owner *owner)
{
	struct cgroup *cgroup;

	lockdep_assert_held(&charge_lock);

	if (owner->cgroup)
		return;
	rcu_read_lock();
	/* This fails only while the task moves to another cgroup. */
	do {
		cgroup = task_dfl_cgroup(owner->process->task);
	} while (!cgroup_tryget(cgroup));
	rcu_read_unlock();
	owner->cgroup = cgroup;
}

/**
 * iommufd_policy_put_owner - put the cgroup of an owner
 * @owner: the owner, to which no page is charged any more
 */
void iommufd_policy_put_owner(struct iommufd_owner *owner)
{
	cgroup_put(owner->cgroup);
}

static void describe(struct iommufd_bpf_charge *args,
		     const struct iommufd_owner *owner, unsigned long npages,
		     bool force, const struct iommufd_requester *requester)
{
	struct cgroup *cgroup = owner->cgroup;
	int i;

	*args = (struct iommufd_bpf_charge){
		.ctx = requester->ctx->number,
		.ioas = requester->ioas,
		.tgid = task_tgid_nr(owner->process->task),
		.uid = from_kuid_munged(&init_user_ns, owner->process->user->uid),
		.source = owner->source,
		.forced = force,
		.npages = npages,
		.cgroup_id = cgroup_id(cgroup),
		.level = cgroup->level,
		.page_shift = PAGE_SHIFT,
	};
	for (i = 0; i <= cgroup->level && i < IOMMUFD_BPF_MAX_ANCESTORS; i++)
		args->ancestors[i] = cgroup_id(cgroup_ancestor(cgroup, i));
}

/* Drop the policies that don't want to be charged. */
static void keep_charging(struct iommufd_asked *asked)
{
	unsigned int i, kept = 0;

	for (i = 0; i < asked->nr; i++) {
		if (asked->policies[i].ops->charge)
			asked->policies[kept++] = asked->policies[i];
		else
			bpf_struct_ops_put(asked->policies[i].ops);
	}
	asked->nr = kept;
}

static bool is_same(const struct iommufd_seen *seen,
		    const struct iommufd_asked *asked)
{
	unsigned int i;

	if (seen->nr != asked->nr)
		return false;
	for (i = 0; i < seen->nr; i++)
		if (seen->links[i] != asked->policies[i].link)
			return false;
	return true;
}

static int add_set(const struct iommufd_asked *asked, unsigned long npages,
		   u16 *number)
{
	struct charge_set *set;
	u32 id;
	int ret = -ENOMEM;

	set = kzalloc_obj(*set, GFP_KERNEL_ACCOUNT);
	if (!set)
		return -ENOMEM;
	set->npages = npages;
	set->seen = iommufd_policy_remember(asked);
	if (set->seen)
		ret = xa_alloc(&charge_sets, &id, set, XA_LIMIT(1, U16_MAX),
			       GFP_KERNEL_ACCOUNT);
	if (!ret) {
		*number = id;
		return 0;
	}
	kfree(set->seen);
	kfree(set);
	/* There are too many sets. */
	return -ENOMEM;
}

/* Add pages to the set of these policies. */
static int get_set(const struct iommufd_asked *asked, unsigned long npages,
		   u16 *number)
{
	struct charge_set *set;
	unsigned long id;

	lockdep_assert_held(&charge_lock);

	xa_for_each(&charge_sets, id, set) {
		if (!is_same(set->seen, asked))
			continue;
		set->npages += npages;
		*number = id;
		return 0;
	}
	return add_set(asked, npages, number);
}

static void put_set(u16 number, unsigned long npages)
{
	struct charge_set *set = xa_load(&charge_sets, number);

	lockdep_assert_held(&charge_lock);

	if (WARN_ON(!set || set->npages < npages))
		return;
	set->npages -= npages;
	if (set->npages)
		return;
	xa_erase(&charge_sets, number);
	kfree(set->seen);
	kfree(set);
}

/* Call the first @nr policies. */
static void call_uncharge(const struct iommufd_asked *asked, unsigned int nr,
			  struct iommufd_bpf_charge *args)
{
	unsigned int i;

	args->detail = 0;
	for (i = 0; i < nr; i++)
		if (asked->policies[i].ops->uncharge)
			asked->policies[i].ops->uncharge(args);
}

static int call_charge(const struct iommufd_asked *asked,
		       struct iommufd_bpf_charge *args)
{
	struct iommufd_bpf_ops *ops;
	unsigned int i;
	int ret;

	for (i = 0; i < asked->nr; i++) {
		ops = asked->policies[i].ops;
		/* The policy may have been replaced by one without it. */
		if (!ops->charge)
			continue;
		args->detail = 0;
		ret = ops->charge(args);
		if (!ret || args->forced)
			continue;
		ret = iommufd_fail_policy(iommufd_policy_errno(ret),
					  IOMMUFD_REASON_PINNING_DENIED,
					  args->npages, args->detail,
					  ops->name);
		call_uncharge(asked, i, args);
		return ret;
	}
	return 0;
}

/* See iommufd_policy_charge(). */
int __iommufd_policy_charge(struct iommufd_owner *owner, unsigned long npages,
			    bool force,
			    const struct iommufd_requester *requester,
			    u16 *set)
{
	struct iommufd_bpf_charge args;
	struct iommufd_asked asked;
	int ret;

	mutex_lock(&charge_lock);
	remember_cgroup(owner);
	iommufd_policy_hold(&asked, owner->cgroup, NULL);
	keep_charging(&asked);
	ret = asked.nr ? get_set(&asked, npages, set) : 0;
	if (!ret && *set) {
		describe(&args, owner, npages, force, requester);
		ret = call_charge(&asked, &args);
		if (ret)
			put_set(*set, npages);
	}
	iommufd_policy_release(&asked, 0);
	mutex_unlock(&charge_lock);
	if (!ret)
		return 0;
	*set = 0;
	return force ? 0 : ret;
}

/*
 * Find those of the policies that the pages are not charged to yet. @asked keeps
 * the references of all of them.
 */
static void find_late(struct iommufd_asked *late, struct iommufd_asked *asked,
		      const struct iommufd_seen *seen)
{
	unsigned int i, kept = 0;

	late->nr = 0;
	for (i = 0; i < asked->nr; i++) {
		if (!iommufd_policy_has_seen(seen, asked->policies[i].link)) {
			if (!asked->policies[i].ops->charge) {
				bpf_struct_ops_put(asked->policies[i].ops);
				continue;
			}
			late->policies[late->nr++] = asked->policies[i];
		}
		asked->policies[kept++] = asked->policies[i];
	}
	asked->nr = kept;
}

/**
 * iommufd_policy_charge_late - charge pinned pages to policies that were attached
 *	after they were pinned
 * @owner: the owner of the pages
 * @npages: number of pages, at least one
 * @requester: on whose behalf
 * @set: number of the set of policies that they are charged to, 0 for none;
 *	updated
 *
 * Context: As iommufd_policy_charge().
 *
 * Return: the number of policies that were charged, or -ENOMEM, in which case
 * nothing has changed.
 */
int iommufd_policy_charge_late(struct iommufd_owner *owner,
			       unsigned long npages,
			       const struct iommufd_requester *requester,
			       u16 *set)
{
	struct charge_set *old = NULL;
	struct iommufd_asked asked, late;
	struct iommufd_bpf_charge args;
	u16 number;
	int ret = 0;

	mutex_lock(&charge_lock);
	remember_cgroup(owner);
	if (*set)
		old = xa_load(&charge_sets, *set);
	iommufd_policy_hold_late(&asked, owner->cgroup, old ? old->seen : NULL);
	find_late(&late, &asked, old ? old->seen : NULL);
	if (late.nr)
		ret = get_set(&asked, npages, &number);
	if (late.nr && !ret) {
		describe(&args, owner, npages, true, requester);
		call_charge(&late, &args);
		if (old)
			put_set(*set, npages);
		*set = number;
	}
	iommufd_policy_release(&asked, 0);
	mutex_unlock(&charge_lock);
	return ret ?: late.nr;
}

/* Call the policies of a set, as far as they are still attached. */
static void call_set(const struct iommufd_owner *owner, u16 number,
		     unsigned long npages,
		     const struct iommufd_requester *requester, bool charge)
{
	struct charge_set *set = xa_load(&charge_sets, number);
	struct iommufd_bpf_charge args;
	struct iommufd_asked asked;

	lockdep_assert_held(&charge_lock);

	if (WARN_ON(!set))
		return;
	iommufd_policy_hold(&asked, NULL, set->seen);
	describe(&args, owner, npages, charge, requester);
	if (charge)
		call_charge(&asked, &args);
	else
		call_uncharge(&asked, asked.nr, &args);
	iommufd_policy_release(&asked, 0);
}

/**
 * iommufd_policy_uncharge - uncharge pages from the policies
 * @owner: the owner that was charged
 * @set: number of the set of policies, not 0
 * @npages: number of pages
 * @requester: on whose behalf
 *
 * Context: Process context. The caller holds a lock of the pages, so that their
 * owner stays the same.
 */
void iommufd_policy_uncharge(const struct iommufd_owner *owner, u16 set,
			     unsigned long npages,
			     const struct iommufd_requester *requester)
{
	mutex_lock(&charge_lock);
	call_set(owner, set, npages, requester, false);
	put_set(set, npages);
	mutex_unlock(&charge_lock);
}

/**
 * iommufd_policy_move - uncharge pages that are to get another owner
 * @owner: the old owner
 * @set: number of the set of policies, not 0
 * @npages: number of pages
 * @back: charge the old owner again, as the move has failed
 * @requester: on whose behalf
 *
 * The pages stay in the set. The caller must call iommufd_policy_moved() when
 * the new owner is charged, or move them back.
 *
 * Context: As iommufd_policy_uncharge().
 */
void iommufd_policy_move(const struct iommufd_owner *owner, u16 set,
			 unsigned long npages, bool back,
			 const struct iommufd_requester *requester)
{
	mutex_lock(&charge_lock);
	call_set(owner, set, npages, requester, back);
	mutex_unlock(&charge_lock);
}

/**
 * iommufd_policy_moved - take pages that have got another owner out of a set
 * @set: number of the set of policies, not 0
 * @npages: number of pages
 */
void iommufd_policy_moved(u16 set, unsigned long npages)
{
	mutex_lock(&charge_lock);
	put_set(set, npages);
	mutex_unlock(&charge_lock);
}
