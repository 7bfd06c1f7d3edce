/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_PAGES_OWNER_H
#define __IOMMUFD_PAGES_OWNER_H

#include <linux/refcount.h>
#include <linux/types.h>

#include "trace/trace.h"

struct cgroup;
struct iommufd_ctx;
struct mm_struct;
struct task_struct;
struct user_struct;

/**
 * struct iommufd_process - a process that owns pages
 * @refs: references of owners, and of the context for which it was allocated
 * @mm: address space; a reference keeps the structure, not the address space
 * @task: process whose RLIMIT_MEMLOCK applies
 * @user: user whose locked pages count with IOMMUFD_ACCOUNT_USER
 *
 * Shared, so that an owner takes one reference instead of three.
 */
struct iommufd_process {
	refcount_t refs;
	struct mm_struct *mm;
	struct task_struct *task;
	struct user_struct *user;
};

/**
 * struct iommufd_owner - the process that pinned pages are charged to
 * @process: the process, on which this has a reference
 * @mode: what is charged
 * @source: where the pages come from
 * @cgroup: cgroup that is charged to policies; this holds a reference. NULL
 *	until the first charge. Belongs to bpf/charge.c
 */
struct iommufd_owner {
	struct iommufd_process *process;
	enum iommufd_accounting mode;
	enum iommufd_source source;
	struct cgroup *cgroup;
};

/**
 * struct iommufd_requester - on whose behalf pages are pinned or unpinned
 * @ctx: the context, which counts its pinned pages
 * @ioas: id of the IOAS, for tracepoints; the IOAS that unpins pages may be
 *	another one than the IOAS that pinned them
 */
struct iommufd_requester {
	struct iommufd_ctx *ctx;
	u32 ioas;
};

void iommufd_process_put(struct iommufd_process *process);
int iommufd_owner_init(struct iommufd_owner *owner, struct iommufd_ctx *ctx,
		       enum iommufd_source source);
void iommufd_owner_copy(struct iommufd_owner *copy,
			const struct iommufd_owner *owner);
void iommufd_owner_release(struct iommufd_owner *owner);

/* Whether charging and uncharging wait for mmap_lock. */
static inline bool iommufd_owner_waits(const struct iommufd_owner *owner)
{
	return owner->mode == IOMMUFD_ACCOUNT_MM;
}

int iommufd_owner_charge(struct iommufd_owner *owner, unsigned long npages,
			 const struct iommufd_requester *requester, u16 *set);
void iommufd_owner_uncharge(struct iommufd_owner *owner, unsigned long npages,
			    const struct iommufd_requester *requester);

int iommufd_owner_take_over(struct iommufd_owner *to,
			    const struct iommufd_owner *from,
			    unsigned long npages, bool force,
			    const struct iommufd_requester *requester);
void iommufd_owner_give_up(struct iommufd_owner *from,
			   const struct iommufd_owner *to, unsigned long npages,
			   const struct iommufd_requester *requester);

void iommufd_owner_exit(void);

#endif
