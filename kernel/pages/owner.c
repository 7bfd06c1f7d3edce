// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned pages are charged against RLIMIT_MEMLOCK before they are pinned, so
 * that a request beyond the limit is refused before it has cost anything.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>

#include "core/ctx.h"
#include "pages/owner.h"
#include "trace/fail.h"

/**
 * iommufd_owner_init - the calling process bears pages
 * @owner: filled in, to be given back with iommufd_owner_release()
 * @mode: what the context charges; who may lock what he likes is not charged
 */
void iommufd_owner_init(struct iommufd_owner *owner,
			enum iommufd_accounting mode)
{
	owner->mm = current->mm;
	mmgrab(owner->mm);
	owner->task = get_task_struct(current->group_leader);
	owner->user = get_uid(current_user());
	owner->mode = capable(CAP_IPC_LOCK) ? IOMMUFD_ACCOUNT_NONE : mode;
}

/**
 * iommufd_owner_release - give the owner's references back
 * @owner: the owner, who bears no page any more
 */
void iommufd_owner_release(struct iommufd_owner *owner)
{
	free_uid(owner->user);
	put_task_struct(owner->task);
	mmdrop(owner->mm);
}

static unsigned long memlock_limit(struct iommufd_owner *owner)
{
	unsigned long limit = task_rlimit(owner->task, RLIMIT_MEMLOCK);

	return limit == RLIM_INFINITY ? ULONG_MAX : limit >> PAGE_SHIFT;
}

static int charge_user(struct iommufd_owner *owner, unsigned long npages,
		       bool force)
{
	unsigned long limit = force ? ULONG_MAX : memlock_limit(owner);
	long locked = atomic_long_read(&owner->user->locked_vm);

	do {
		if (npages > limit || locked > limit - npages)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&owner->user->locked_vm, &locked,
					  locked + npages));
	return 0;
}

static int charge_mm(struct iommufd_owner *owner, unsigned long npages,
		     bool inc, bool force)
{
	int ret;

	mmap_write_lock(owner->mm);
	ret = __account_locked_vm(owner->mm, npages, inc, owner->task, force);
	mmap_write_unlock(owner->mm);
	return ret;
}

static u64 total_charged(struct iommufd_owner *owner)
{
	switch (owner->mode) {
	case IOMMUFD_ACCOUNT_USER:
		return atomic_long_read(&owner->user->locked_vm);
	case IOMMUFD_ACCOUNT_MM:
		return READ_ONCE(owner->mm->locked_vm);
	case IOMMUFD_ACCOUNT_NONE:
		break;
	}
	return 0;
}

static int charge(struct iommufd_owner *owner, unsigned long npages, bool force)
{
	if (owner->mode == IOMMUFD_ACCOUNT_USER)
		return charge_user(owner, npages, force);
	if (owner->mode == IOMMUFD_ACCOUNT_MM)
		return charge_mm(owner, npages, true, force);
	return 0;
}

static int __cold fail_limit(struct iommufd_owner *owner, unsigned long npages)
{
	return iommufd_fail(-ENOMEM, IOMMUFD_REASON_MEMLOCK,
			    total_charged(owner) + npages,
			    memlock_limit(owner));
}

static void uncharge(struct iommufd_owner *owner, unsigned long npages)
{
	if (owner->mode == IOMMUFD_ACCOUNT_USER)
		atomic_long_sub(npages, &owner->user->locked_vm);
	else if (owner->mode == IOMMUFD_ACCOUNT_MM)
		charge_mm(owner, npages, false, false);
}

/* Whether it is the same counter that is charged. */
static bool same_account(const struct iommufd_owner *a,
			 const struct iommufd_owner *b)
{
	if (a->mode != b->mode)
		return false;
	return a->mode == IOMMUFD_ACCOUNT_USER ? a->user == b->user :
						 a->mm == b->mm;
}

static u64 shown_limit(struct iommufd_owner *owner)
{
	return owner->mode == IOMMUFD_ACCOUNT_NONE ? U64_MAX :
						     memlock_limit(owner);
}

#define trace_owner(event, owner, npages, requester) \
	trace_##event((requester)->ctx->number, (requester)->ioas, \
		      task_tgid_nr((owner)->task), \
		      from_kuid_munged(&init_user_ns, (owner)->user->uid), \
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
	atomic64_add(npages, &owner->mm->pinned_vm);
	atomic_long_add(npages, &requester->ctx->pinned);
	if (trace_iommufd_pin_enabled())
		trace_pinned(owner, npages, requester);
}

static __always_inline void
count_unpinned(struct iommufd_owner *owner, unsigned long npages,
	       const struct iommufd_requester *requester)
{
	atomic64_sub(npages, &owner->mm->pinned_vm);
	atomic_long_sub(npages, &requester->ctx->pinned);
	if (trace_iommufd_unpin_enabled())
		trace_unpinned(owner, npages, requester);
}

/**
 * iommufd_owner_charge - charge an owner for pages
 * @owner: the owner
 * @npages: number of pages
 * @requester: for whom
 *
 * Context: takes mmap_lock for writing with IOMMUFD_ACCOUNT_MM.
 *
 * Returns 0 or -ENOMEM if his limit does not allow it.
 */
int iommufd_owner_charge(struct iommufd_owner *owner, unsigned long npages,
			 const struct iommufd_requester *requester)
{
	if (charge(owner, npages, false))
		return fail_limit(owner, npages);
	count_pinned(owner, npages, requester);
	return 0;
}

/**
 * iommufd_owner_uncharge - an owner no longer bears pages
 * @owner: the owner
 * @npages: number of pages
 * @requester: for whom
 *
 * Context: takes mmap_lock for writing with IOMMUFD_ACCOUNT_MM.
 */
void iommufd_owner_uncharge(struct iommufd_owner *owner, unsigned long npages,
			    const struct iommufd_requester *requester)
{
	uncharge(owner, npages);
	count_unpinned(owner, npages, requester);
}

/**
 * iommufd_owner_transfer - another owner bears pages from now on
 * @from: the owner that bears them
 * @to: the other
 * @npages: number of pages
 * @force: whatever the other's limit
 * @requester: for whom
 *
 * Context: takes mmap_lock for writing with IOMMUFD_ACCOUNT_MM.
 *
 * Returns 0 or -ENOMEM if the other's limit does not allow it.
 */
int iommufd_owner_transfer(struct iommufd_owner *from, struct iommufd_owner *to,
			   unsigned long npages, bool force,
			   const struct iommufd_requester *requester)
{
	if (!npages)
		return 0;
	/* Two processes of a user share an account: it must not count twice. */
	if (!same_account(from, to)) {
		if (charge(to, npages, force))
			return fail_limit(to, npages);
		uncharge(from, npages);
	}
	count_unpinned(from, npages, requester);
	count_pinned(to, npages, requester);
	return 0;
}
