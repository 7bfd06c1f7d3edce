/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_POLICY_H
#define __IOMMUFD_BPF_POLICY_H

#include "bpf/iommufd_bpf.h"

struct bpf_link;
struct cgroup;
struct iommufd_ctx;
struct iommufd_owner;
struct iommufd_requester;

/*
 * A request first calls the attached policies. When it ends, it calls the same
 * policies again to report the result. It holds references to them in between,
 * so that a policy sees the end of each request whose start it has seen, even
 * if it is detached in between.
 */

/**
 * struct iommufd_asked - the policies that a request has called, in order
 * @nr: number of policies
 * @policies: the policies, each with the number of its link
 */
struct iommufd_asked {
	unsigned int nr;
	struct {
		struct iommufd_bpf_ops *ops;
		u64 link;
	} policies[IOMMUFD_BPF_MAX_POLICIES];
};

/**
 * struct iommufd_seen - the links that have seen the allocation of a page
 * table, or that pages are charged to
 * @nr: number of links
 * @links: numbers of the links
 */
struct iommufd_seen {
	unsigned int nr;
	u64 links[] __counted_by(nr);
};

/**
 * struct iommufd_hwpt_call - policy calls for the allocation of a page table
 * @asked: the policies that were called
 * @seen: their links, to be stored with the page table, or NULL
 * @args: the argument of the programs
 * @start_ns: when the driver was called
 */
struct iommufd_hwpt_call {
	struct iommufd_asked asked;
	struct iommufd_seen *seen;
	struct iommufd_bpf_hwpt args;
	u64 start_ns;
};

/**
 * struct iommufd_invalidate_call - policy calls for an invalidation
 * @asked: the policies that were called
 * @args: the argument of the programs
 * @start_ns: when the driver was called
 */
struct iommufd_invalidate_call {
	struct iommufd_asked asked;
	struct iommufd_bpf_invalidate args;
	u64 start_ns;
};

static inline bool iommufd_policy_has_seen(const struct iommufd_seen *seen,
					   u64 link)
{
	unsigned int i;

	for (i = 0; seen && i < seen->nr; i++)
		if (seen->links[i] == link)
			return true;
	return false;
}

#ifdef CONFIG_IOMMUFD_BPF
#include <linux/jump_label.h>

DECLARE_STATIC_KEY_FALSE(iommufd_policies);

/* Check if there may be attached policies. */
static inline bool iommufd_has_policies(void)
{
	return static_branch_unlikely(&iommufd_policies);
}

int iommufd_policy_hwpt_alloc(struct iommufd_hwpt_call *call,
			      struct iommufd_ctx *ctx, u32 can_add);
struct iommufd_seen *iommufd_policy_hwpt_done(struct iommufd_hwpt_call *call,
					      u32 hwpt, int ret);
void __iommufd_policy_hwpt_free(struct iommufd_ctx *ctx, u32 hwpt, u32 kind,
				bool automatic, struct iommufd_seen *seen);

/* @seen is NULL if no policy has seen the allocation. */
static inline void iommufd_policy_hwpt_free(struct iommufd_ctx *ctx, u32 hwpt,
					    u32 kind, bool automatic,
					    struct iommufd_seen *seen)
{
	if (seen)
		__iommufd_policy_hwpt_free(ctx, hwpt, kind, automatic, seen);
}

int iommufd_policy_invalidate(struct iommufd_invalidate_call *call,
			      struct iommufd_ctx *ctx);
int iommufd_policy_delay(struct iommufd_invalidate_call *call);
void iommufd_policy_invalidate_done(struct iommufd_invalidate_call *call,
				    u32 handled, int ret);

/* bpf/policy.c, for bpf/struct_ops.c: these don't wait for requests */
int iommufd_policy_attach(struct iommufd_bpf_ops *ops, struct bpf_link *link);
void iommufd_policy_detach(struct bpf_link *link);
int iommufd_policy_update(struct iommufd_bpf_ops *ops, struct bpf_link *link);

/* bpf/policy.c, for bpf/charge.c */
void iommufd_policy_hold(struct iommufd_asked *asked, struct cgroup *cgroup,
			 const struct iommufd_seen *seen);
void iommufd_policy_hold_late(struct iommufd_asked *asked,
			      struct cgroup *cgroup,
			      const struct iommufd_seen *seen);
void iommufd_policy_release(struct iommufd_asked *asked, unsigned int first);
struct iommufd_seen *iommufd_policy_remember(const struct iommufd_asked *asked);
int iommufd_policy_errno(int ret);

/* bpf/policy.c, for bpf/late.c */
int iommufd_policy_begin_late(u32 link_id);

/* bpf/charge.c */
DECLARE_STATIC_KEY_FALSE(iommufd_charge_policies);
extern unsigned int iommufd_late_round;

int __iommufd_policy_charge(struct iommufd_owner *owner, unsigned long npages,
			    bool force,
			    const struct iommufd_requester *requester,
			    u16 *set);
void iommufd_policy_uncharge(const struct iommufd_owner *owner, u16 set,
			     unsigned long npages,
			     const struct iommufd_requester *requester);
void iommufd_policy_move(const struct iommufd_owner *owner, u16 set,
			 unsigned long npages, bool back,
			 const struct iommufd_requester *requester);
void iommufd_policy_moved(u16 set, unsigned long npages);
int iommufd_policy_charge_late(struct iommufd_owner *owner,
			       unsigned long npages,
			       const struct iommufd_requester *requester,
			       u16 *set);
void iommufd_policy_put_owner(struct iommufd_owner *owner);

/**
 * iommufd_policy_charge - charge pages to the policies
 * @owner: the owner of the pages
 * @npages: number of pages, at least one
 * @force: ignore refusals
 * @requester: on whose behalf
 * @set: set to the number of the set of policies that the pages are charged to,
 *	0 for none
 *
 * Context: Process context. Allocates memory. The caller holds a lock of the
 * pages, so that their owner stays the same.
 *
 * Return: 0, the negative errno of the policy that has refused it, or -ENOMEM.
 * With @force, always 0.
 */
static inline int
iommufd_policy_charge(struct iommufd_owner *owner, unsigned long npages,
		      bool force, const struct iommufd_requester *requester,
		      u16 *set)
{
	*set = 0;
	if (!static_branch_unlikely(&iommufd_charge_policies))
		return 0;
	return __iommufd_policy_charge(owner, npages, force, requester, set);
}

/**
 * iommufd_policy_late_round - get the number of walks over pinned pages
 *
 * A request that pins pages compares the number before it charges them with the
 * number when they are in the store. If both are the same, all policies that a
 * walk has begun for were charged, or the walk finds the pages.
 *
 * Return: the number of walks that have begun, 0 if no policy can be charged.
 */
static inline unsigned int iommufd_policy_late_round(void)
{
	if (!static_branch_unlikely(&iommufd_charge_policies))
		return 0;
	return READ_ONCE(iommufd_late_round);
}

/* bpf/struct_ops.c */
int iommufd_bpf_init(void);
#else
static inline bool iommufd_has_policies(void)
{
	return false;
}

static inline int iommufd_policy_hwpt_alloc(struct iommufd_hwpt_call *call,
					    struct iommufd_ctx *ctx,
					    u32 can_add)
{
	return 0;
}

static inline struct iommufd_seen *
iommufd_policy_hwpt_done(struct iommufd_hwpt_call *call, u32 hwpt, int ret)
{
	return NULL;
}

static inline void iommufd_policy_hwpt_free(struct iommufd_ctx *ctx, u32 hwpt,
					    u32 kind, bool automatic,
					    struct iommufd_seen *seen)
{
}

static inline int
iommufd_policy_invalidate(struct iommufd_invalidate_call *call,
			  struct iommufd_ctx *ctx)
{
	return 0;
}

static inline int iommufd_policy_delay(struct iommufd_invalidate_call *call)
{
	return 0;
}

static inline void
iommufd_policy_invalidate_done(struct iommufd_invalidate_call *call,
			       u32 handled, int ret)
{
}

static inline int
iommufd_policy_charge(struct iommufd_owner *owner, unsigned long npages,
		      bool force, const struct iommufd_requester *requester,
		      u16 *set)
{
	*set = 0;
	return 0;
}

static inline void
iommufd_policy_uncharge(const struct iommufd_owner *owner, u16 set,
			unsigned long npages,
			const struct iommufd_requester *requester)
{
}

static inline void
iommufd_policy_move(const struct iommufd_owner *owner, u16 set,
		    unsigned long npages, bool back,
		    const struct iommufd_requester *requester)
{
}

static inline void iommufd_policy_moved(u16 set, unsigned long npages)
{
}

static inline int
iommufd_policy_charge_late(struct iommufd_owner *owner, unsigned long npages,
			   const struct iommufd_requester *requester, u16 *set)
{
	return 0;
}

static inline unsigned int iommufd_policy_late_round(void)
{
	return 0;
}

static inline void iommufd_policy_put_owner(struct iommufd_owner *owner)
{
}

static inline int iommufd_bpf_init(void)
{
	return 0;
}
#endif

#endif
