// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages are charged against RLIMIT_MEMLOCK before they are pinned, so that a
 * request beyond the limit fails before any work is done.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "bpf/policy.h"
#include "core/ctx.h"
#include "pages/owner.h"
#include "trace/fail.h"

/**
 * iommufd_process_put - drop a reference to a process
 * @process: the process, or NULL
 */
void iommufd_process_put(struct iommufd_process *process)
{
	if (!process || !refcount_dec_and_test(&process->refs))
		return;
	free_uid(process->user);
	put_task_struct(process->task);
	mmdrop(process->mm);
	kfree(process);
}

/* The first one stays in the context, which is mostly used by one process. */
static noinline struct iommufd_process *new_process(struct iommufd_ctx *ctx)
{
	struct iommufd_process *new = kmalloc_obj(*new, GFP_KERNEL_ACCOUNT);

	if (!new)
		return NULL;
	refcount_set(&new->refs, 1);
	new->mm = current->mm;
	mmgrab(new->mm);
	new->task = get_task_struct(current->group_leader);
	new->user = get_uid(current_user());
	if (!READ_ONCE(ctx->process)) {
		refcount_inc(&new->refs);
		if (cmpxchg(&ctx->process, NULL, new))
			refcount_dec(&new->refs);
	}
	return new;
}

static bool is_current(const struct iommufd_process *process)
{
	return process->mm == current->mm &&
	       process->task == current->group_leader &&
	       process->user == current_user();
}

static struct iommufd_process *get_process(struct iommufd_ctx *ctx)
{
	struct iommufd_process *process = READ_ONCE(ctx->process);

	if (!process || !is_current(process))
		return new_process(ctx);
	refcount_inc(&process->refs);
	return process;
}

/**
 * iommufd_owner_init - make the calling process an owner
 * @owner: filled in. The caller releases it with iommufd_owner_release()
 * @ctx: the context. Processes with CAP_IPC_LOCK are not charged, nor is any
 *	process for a dma-buf
 * @source: where the pages come from
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_owner_init(struct iommufd_owner *owner, struct iommufd_ctx *ctx,
		       enum iommufd_source source)
{
	owner->process = get_process(ctx);
	if (!owner->process)
		return -ENOMEM;
	if (source == IOMMUFD_SOURCE_DMABUF || capable(CAP_IPC_LOCK))
		owner->mode = IOMMUFD_ACCOUNT_NONE;
	else
		owner->mode = READ_ONCE(ctx->accounting);
	owner->source = source;
	owner->cgroup = NULL;
	return 0;
}

/**
 * iommufd_owner_copy - copy an owner with a reference of its own
 * @copy: filled in. The caller releases it with iommufd_owner_release()
 * @owner: the owner
 *
 * Policies can't be charged for the copy.
 */
void iommufd_owner_copy(struct iommufd_owner *copy,
			const struct iommufd_owner *owner)
{
	*copy = *owner;
	copy->cgroup = NULL;
	refcount_inc(&copy->process->refs);
}

/**
 * iommufd_owner_release - drop the reference of an owner
 * @owner: the owner, to which no page is charged any more
 */
void iommufd_owner_release(struct iommufd_owner *owner)
{
	if (owner->cgroup)
		iommufd_policy_put_owner(owner);
	iommufd_process_put(owner->process);
}

static unsigned long memlock_limit(struct iommufd_owner *owner)
{
	unsigned long limit = task_rlimit(owner->process->task, RLIMIT_MEMLOCK);

	return limit == RLIM_INFINITY ? ULONG_MAX : limit >> PAGE_SHIFT;
}

static noinline int charge_user(struct iommufd_owner *owner,
				unsigned long npages, bool force)
{
	unsigned long limit = force ? ULONG_MAX : memlock_limit(owner);
	atomic_long_t *locked_vm = &owner->process->user->locked_vm;
	long locked = atomic_long_read(locked_vm);

	do {
		if (npages > limit || locked > limit - npages)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(locked_vm, &locked,
					  locked + npages));
	return 0;
}

static noinline int charge_mm(struct iommufd_owner *owner,
			      unsigned long npages, bool force)
{
	struct iommufd_process *process = owner->process;
	int ret;

	ret = mmap_write_lock_killable(process->mm);
	if (ret)
		return ret;
	ret = __account_locked_vm(process->mm, npages, true, process->task,
				  force);
	mmap_write_unlock(process->mm);
	return ret;
}

static void uncharge_locked(struct mm_struct *mm, unsigned long npages)
{
	__account_locked_vm(mm, npages, false, current, true);
	mmap_write_unlock(mm);
}

/**
 * struct late_uncharge - an uncharge that a killed task could not wait for
 * @node: link in late_uncharges
 * @mm: the address space, on which this has a reference
 * @npages: number of pages
 */
struct late_uncharge {
	struct llist_node node;
	struct mm_struct *mm;
	unsigned long npages;
};

static LLIST_HEAD(late_uncharges);

static void run_late_uncharges(struct work_struct *work)
{
	struct late_uncharge *late, *next;

	llist_for_each_entry_safe(late, next, llist_del_all(&late_uncharges),
				  node) {
		mmap_write_lock(late->mm);
		uncharge_locked(late->mm, late->npages);
		mmdrop(late->mm);
		kfree(late);
	}
}

static DECLARE_WORK(late_work, run_late_uncharges);

/* mmap_lock may be held across a page fault of unlimited length. */
static noinline void uncharge_mm(struct iommufd_owner *owner,
				 unsigned long npages)
{
	struct mm_struct *mm = owner->process->mm;
	struct late_uncharge *late;

	if (!mmap_write_lock_killable(mm)) {
		uncharge_locked(mm, npages);
		return;
	}
	late = kmalloc_obj(*late, GFP_KERNEL | __GFP_NOFAIL);
	late->mm = mm;
	mmgrab(late->mm);
	late->npages = npages;
	llist_add(&late->node, &late_uncharges);
	queue_work(system_dfl_wq, &late_work);
}

/**
 * iommufd_owner_exit - wait until all pages are uncharged
 *
 * Context: Module exit.
 */
void iommufd_owner_exit(void)
{
	flush_work(&late_work);
}

static u64 total_charged(struct iommufd_owner *owner)
{
	switch (owner->mode) {
	case IOMMUFD_ACCOUNT_USER:
		return atomic_long_read(&owner->process->user->locked_vm);
	case IOMMUFD_ACCOUNT_MM:
		return READ_ONCE(owner->process->mm->locked_vm);
	case IOMMUFD_ACCOUNT_NONE:
		break;
	}
	return 0;
}

static __always_inline int charge(struct iommufd_owner *owner,
				  unsigned long npages, bool force)
{
	if (owner->mode == IOMMUFD_ACCOUNT_USER)
		return charge_user(owner, npages, force);
	if (owner->mode == IOMMUFD_ACCOUNT_MM)
		return charge_mm(owner, npages, force);
	return 0;
}

static int __cold fail_charge(struct iommufd_owner *owner, unsigned long npages,
			      int error)
{
	if (error != -ENOMEM)
		return error;
	return iommufd_fail(-ENOMEM, IOMMUFD_REASON_MEMLOCK,
			    total_charged(owner) + npages,
			    memlock_limit(owner));
}

static __always_inline void uncharge(struct iommufd_owner *owner,
				     unsigned long npages)
{
	if (owner->mode == IOMMUFD_ACCOUNT_USER)
		atomic_long_sub(npages, &owner->process->user->locked_vm);
	else if (owner->mode == IOMMUFD_ACCOUNT_MM)
		uncharge_mm(owner, npages);
}

/* Whether both owners charge the same counter. */
static bool same_account(const struct iommufd_owner *a,
			 const struct iommufd_owner *b)
{
	if (a->mode != b->mode)
		return false;
	if (a->mode == IOMMUFD_ACCOUNT_USER)
		return a->process->user == b->process->user;
	return a->process->mm == b->process->mm;
}

static u64 shown_limit(struct iommufd_owner *owner)
{
	return owner->mode == IOMMUFD_ACCOUNT_NONE ? U64_MAX :
						     memlock_limit(owner);
}

#define trace_owner(event, owner, npages, requester) \
	trace_##event((requester)->ctx->number, (requester)->ioas, \
		      task_tgid_nr((owner)->process->task), \
		      from_kuid_munged(&init_user_ns, \
				       (owner)->process->user->uid), \
		      (owner)->mode, npages, total_charged(owner), \
		      shown_limit(owner))

static noinline void trace_pinned(struct iommufd_owner *owner,
				  unsigned long npages,
				  const struct iommufd_requester *requester)
{
	trace_owner(iommufd_pin, owner, npages, requester);
}

static noinline void trace_unpinned(struct iommufd_owner *owner,
				    unsigned long npages,
				    const struct iommufd_requester *requester)
{
	trace_owner(iommufd_unpin, owner, npages, requester);
}

static __always_inline void
count_pinned(struct iommufd_owner *owner, unsigned long npages,
	     const struct iommufd_requester *requester)
{
	atomic64_add(npages, &owner->process->mm->pinned_vm);
	atomic_long_add(npages, &requester->ctx->pinned);
	if (trace_iommufd_pin_enabled())
		trace_pinned(owner, npages, requester);
}

static __always_inline void
count_unpinned(struct iommufd_owner *owner, unsigned long npages,
	       const struct iommufd_requester *requester)
{
	atomic64_sub(npages, &owner->process->mm->pinned_vm);
	atomic_long_sub(npages, &requester->ctx->pinned);
	if (trace_iommufd_unpin_enabled())
		trace_unpinned(owner, npages, requester);
}

/**
 * iommufd_owner_charge - charge pages to an owner
 * @owner: the owner
 * @npages: number of pages
 * @requester: on whose behalf
 * @set: set to the number of the set of policies that are charged too, or to 0.
 *	The caller uncharges them with iommufd_policy_uncharge()
 *
 * Context: Takes mmap_lock for writing if iommufd_owner_waits().
 * Return: 0, -ENOMEM if the owner's limit would be exceeded, the errno of a
 * policy, or -EINTR if the caller was killed.
 */
int iommufd_owner_charge(struct iommufd_owner *owner, unsigned long npages,
			 const struct iommufd_requester *requester, u16 *set)
{
	int ret = charge(owner, npages, false);

	if (ret)
		return fail_charge(owner, npages, ret);
	ret = iommufd_policy_charge(owner, npages, false, requester, set);
	if (ret) {
		uncharge(owner, npages);
		return ret;
	}
	count_pinned(owner, npages, requester);
	return 0;
}

/**
 * iommufd_owner_uncharge - uncharge pages from an owner, but not from policies
 * @owner: the owner
 * @npages: number of pages
 * @requester: on whose behalf
 *
 * Context: Takes mmap_lock for writing if iommufd_owner_waits(). If the caller
 * is killed while waiting, a worker does it later.
 */
void iommufd_owner_uncharge(struct iommufd_owner *owner, unsigned long npages,
			    const struct iommufd_requester *requester)
{
	uncharge(owner, npages);
	count_unpinned(owner, npages, requester);
}

/**
 * iommufd_owner_take_over - charge pages of another owner to an owner
 * @to: the owner
 * @from: the other owner, charged too until iommufd_owner_give_up()
 * @npages: number of pages
 * @force: ignore the limit of @to
 * @requester: on whose behalf
 *
 * Two processes of a user may share a counter, which is not charged twice.
 * Policies are not charged.
 *
 * Context: As iommufd_owner_charge().
 * Return: 0, -ENOMEM if the limit of @to would be exceeded, or -EINTR if the
 * caller was killed.
 */
int iommufd_owner_take_over(struct iommufd_owner *to,
			    const struct iommufd_owner *from,
			    unsigned long npages, bool force,
			    const struct iommufd_requester *requester)
{
	int ret;

	if (!npages)
		return 0;
	if (!same_account(from, to)) {
		ret = charge(to, npages, force);
		if (ret)
			return fail_charge(to, npages, ret);
	}
	count_pinned(to, npages, requester);
	return 0;
}

/**
 * iommufd_owner_give_up - uncharge pages that are charged to another owner too
 * @from: the owner
 * @to: the other owner
 * @npages: number of pages
 * @requester: on whose behalf
 *
 * Context: As iommufd_owner_uncharge().
 */
void iommufd_owner_give_up(struct iommufd_owner *from,
			   const struct iommufd_owner *to, unsigned long npages,
			   const struct iommufd_requester *requester)
{
	if (!npages)
		return;
	if (!same_account(from, to))
		uncharge(from, npages);
	count_unpinned(from, npages, requester);
}
