/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_OBJECT_H
#define __IOMMUFD_CORE_OBJECT_H

#include <linux/iommufd.h>

#include "core/ctx.h"

/*
 * Objects live in the table of their context under an id and are counted twice:
 *
 * wait_cnt	1 and the references that calls take while they run. A destroy
 *		waits for them, so that two calls that merely overlap never make
 *		one of them fail.
 * users	1 and the objects that depend on this one for as long as they
 *		live. A destroy by the user is refused while there are any.
 *
 * A call that may still fail makes do with the former: a destroy that overlaps
 * it waits and then does what is right, rather than be refused for the sake of
 * what never comes about. Once nothing can fail any more, it makes one object
 * depend on the other with iommufd_object_keep(). Objects that end by
 * themselves, with the last that depends on them, are held with
 * iommufd_object_hold() instead, which fails once they have left the table. All
 * that and the leaving happen under the table's xa_lock, and so does the lookup:
 * out of the table means that neither counter can grow any more.
 */

/**
 * struct iommufd_object_ops - what a type of objects does
 * @destroy: gives back all that the object holds; cannot fail. The object's
 *	memory is freed after it by the caller. May sleep, no lock is held.
 */
struct iommufd_object_ops {
	void (*destroy)(struct iommufd_object *obj);
};

/**
 * struct iommufd_watch - a call that waits without a reference to its object
 * @node: link in &iommufd_ctx.watches
 * @obj: the object, NULL once it has left the table
 *
 * A destroy does not wait for such a call. The id does not tell whether the
 * object is still the same one, nor does its address: both may be used again.
 */
struct iommufd_watch {
	struct list_head node;
	struct iommufd_object *obj;
};

extern const struct iommufd_object_ops iommufd_access_ops;
extern const struct iommufd_object_ops iommufd_device_ops;
extern const struct iommufd_object_ops iommufd_fault_ops;
extern const struct iommufd_object_ops iommufd_hw_queue_ops;
extern const struct iommufd_object_ops iommufd_hwpt_nested_ops;
extern const struct iommufd_object_ops iommufd_hwpt_paging_ops;
extern const struct iommufd_object_ops iommufd_ioas_ops;
extern const struct iommufd_object_ops iommufd_vdevice_ops;
extern const struct iommufd_object_ops iommufd_veventq_ops;
extern const struct iommufd_object_ops iommufd_viommu_ops;

struct iommufd_object *__iommufd_object_alloc(struct iommufd_ctx *ctx,
					      size_t size,
					      enum iommufd_object_type type);

/*
 * Allocates a zeroed struct that embeds its object first, with an id that is
 * reserved but not visible yet. Ends with iommufd_object_publish() or
 * iommufd_object_abort(). Returns an ERR_PTR on failure.
 */
#define iommufd_object_alloc(ctx, ptr, type)                                 \
	((typeof(ptr))__iommufd_object_alloc(                                \
		ctx,                                                         \
		sizeof(*(ptr)) + BUILD_BUG_ON_ZERO(offsetof(typeof(*(ptr)),  \
							    obj)),           \
		type))

void iommufd_object_publish(struct iommufd_ctx *ctx,
			    struct iommufd_object *obj);
void iommufd_object_abort(struct iommufd_ctx *ctx, struct iommufd_object *obj);

struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ctx, u32 id,
					  enum iommufd_object_type type);
struct iommufd_object *iommufd_object_next(struct iommufd_ctx *ctx, u32 id,
					   enum iommufd_object_type type);
void iommufd_object_put(struct iommufd_ctx *ctx, struct iommufd_object *obj);
void iommufd_object_watch(struct iommufd_ctx *ctx, struct iommufd_object *obj,
			  struct iommufd_watch *watch);
struct iommufd_object *iommufd_object_unwatch(struct iommufd_ctx *ctx,
					      struct iommufd_watch *watch);

/**
 * iommufd_object_hold - make something depend on an object
 * @ctx: context of the object
 * @obj: the object, looked up by the caller or otherwise known to be in memory
 *
 * Returns true on success, to be ended with iommufd_object_drop(), or false if
 * the object is being destroyed or is not published yet.
 */
static inline bool iommufd_object_hold(struct iommufd_ctx *ctx,
				       struct iommufd_object *obj)
{
	bool alive;

	xa_lock(&ctx->objects);
	alive = xa_load(&ctx->objects, obj->id) == obj;
	if (alive)
		refcount_inc(&obj->users);
	xa_unlock(&ctx->objects);
	return alive;
}

/**
 * iommufd_object_keep - make objects depend on one that does not go meanwhile
 * @ctx: context of the object
 * @obj: the object: the caller has looked it up and only the user ends it, or
 *	something depends on it for the caller's sake, or it is not published yet
 * @nr: how many come to depend on it, each to be ended with
 *	iommufd_object_drop()
 */
static inline void iommufd_object_keep(struct iommufd_ctx *ctx,
				       struct iommufd_object *obj,
				       unsigned int nr)
{
	xa_lock(&ctx->objects);
	refcount_add(nr, &obj->users);
	xa_unlock(&ctx->objects);
}

/**
 * iommufd_object_drop - end a dependency
 * @obj: the object that was depended on
 */
static inline void iommufd_object_drop(struct iommufd_object *obj)
{
	refcount_dec(&obj->users);
}

bool iommufd_object_drop_last(struct iommufd_ctx *ctx,
			      struct iommufd_object *obj);

int iommufd_object_destroy(struct iommufd_ctx *ctx, u32 id);
void iommufd_object_remove(struct iommufd_ctx *ctx,
			   struct iommufd_object *obj);
bool iommufd_object_bury(struct iommufd_ctx *ctx, struct iommufd_object *obj);
void iommufd_object_finish(struct iommufd_ctx *ctx, struct iommufd_object *obj,
			   bool buried);
void iommufd_object_destroy_all(struct iommufd_ctx *ctx);

#endif
