/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_POLICY_H
#define __IOMMUFD_BPF_POLICY_H

#include "bpf/iommufd_bpf.h"

struct bpf_link;
struct iommufd_ctx;
struct iommufd_device;

/*
 * A request asks the policies that are attached, then tells those that it has
 * asked how it ended. It holds them meanwhile, so that a start has its end,
 * whoever is detached in between.
 */

/**
 * struct iommufd_asked - the policies that a request has asked, in their order
 * @nr: how many there are
 * @policies: each with the number of its link
 */
struct iommufd_asked {
	unsigned int nr;
	struct {
		struct iommufd_bpf_ops *ops;
		u64 link;
	} policies[IOMMUFD_BPF_MAX_POLICIES];
};

/**
 * struct iommufd_seen - links that have seen a page table come
 * @nr: how many there are
 * @links: their numbers
 */
struct iommufd_seen {
	unsigned int nr;
	u64 links[] __counted_by(nr);
};

/**
 * struct iommufd_hwpt_call - what policies say about a page table
 * @asked: whom
 * @seen: the same, to be kept with the page table, or NULL
 * @args: what they see
 * @start_ns: when the driver began
 */
struct iommufd_hwpt_call {
	struct iommufd_asked asked;
	struct iommufd_seen *seen;
	struct iommufd_bpf_hwpt args;
	u64 start_ns;
};

/**
 * struct iommufd_invalidate_call - what policies say about an invalidation
 * @asked: whom
 * @args: what they see
 * @start_ns: when the driver began
 */
struct iommufd_invalidate_call {
	struct iommufd_asked asked;
	struct iommufd_bpf_invalidate args;
	u64 start_ns;
};

#ifdef CONFIG_IOMMUFD_BPF
#include <linux/jump_label.h>

DECLARE_STATIC_KEY_FALSE(iommufd_policies);

/* Whether there may be a policy to ask: nothing is done where there is none. */
static inline bool iommufd_has_policies(void)
{
	return static_branch_unlikely(&iommufd_policies);
}

int iommufd_policy_hwpt_alloc(struct iommufd_hwpt_call *call,
			      struct iommufd_ctx *ctx,
			      struct iommufd_device *idev);
struct iommufd_seen *iommufd_policy_hwpt_done(struct iommufd_hwpt_call *call,
					      u32 hwpt, int ret);
void iommufd_policy_hwpt_free(struct iommufd_ctx *ctx, u32 hwpt, u32 kind,
			      bool automatic, struct iommufd_seen *seen);
int iommufd_policy_invalidate(struct iommufd_invalidate_call *call,
			      struct iommufd_ctx *ctx);
int iommufd_policy_delay(struct iommufd_invalidate_call *call);
void iommufd_policy_invalidate_done(struct iommufd_invalidate_call *call,
				    u32 handled, int ret);

/* bpf/policy.c, for bpf/struct_ops.c: they don't wait */
int iommufd_policy_attach(struct iommufd_bpf_ops *ops, struct bpf_link *link);
void iommufd_policy_detach(struct bpf_link *link);
int iommufd_policy_update(struct iommufd_bpf_ops *ops, struct bpf_link *link);

/* bpf/struct_ops.c */
int iommufd_bpf_init(void);
#else
static inline bool iommufd_has_policies(void)
{
	return false;
}

static inline int iommufd_policy_hwpt_alloc(struct iommufd_hwpt_call *call,
					    struct iommufd_ctx *ctx,
					    struct iommufd_device *idev)
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

static inline int iommufd_bpf_init(void)
{
	return 0;
}
#endif

#endif
