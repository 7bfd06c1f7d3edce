/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_CORE_OBJECT_H
#define __IOMMUFD_CORE_OBJECT_H

#include <linux/iommufd.h>

#include "core/ctx.h"

/*
 * An object is in the table of its context under an id and has two counters:
 *
 * wait_cnt	1 plus the references of calls that are using the object. A
 *		destroy waits for them, so that it never fails merely because
 *		it overlaps another call.
 * users	1 plus the number of objects that depend on this one for as long
 *		as they live. The user can't destroy the object while there are
 *		any.
 *
 * A call that may still fail only takes a reference: an overlapping destroy
 * waits for it, instead of being refused because of a dependency that is never
 * established. Once the call can't fail any more, it makes one object depend on
 * the other with iommufd_object_depend(). Objects that are destroyed together
 * with the last dependency need iommufd_object_try_depend() instead, which fails once
 * they have left the table. Lookup, adding a dependency and leaving the table
 * all happen under the table's xa_lock: once an object has left the table,
 * neither counter can grow.
 *
 * Each store to the table costs hundreds of instructions. An object is therefore
 * stored once, when its id is reserved. Lookups pass over it while wait_cnt is
 * 0: it is not published yet, or the user is destroying it.
 */

/**
 * struct iommufd_object_ops - operations of an object type
 * @destroy: release everything that the object holds; cannot fail. The caller
 *	frees the object's memory afterwards. May sleep; no lock is held.
 */
struct iommufd_object_ops {
	void (*destroy)(struct iommufd_object *obj);
};

/**
 * struct iommufd_watch - a call that waits without a reference to its object
 * @node: link in &iommufd_ctx.watches
 * @obj: the object, NULL once it has left the table
 *
 * A destroy does not wait for such a call. Neither the id nor the address can
 * tell afterwards whether the object is still the same: both may be reused.
 */
struct iommufd_watch {
	struct list_head node;
	struct iommufd_object *obj;
};

/**
 * iommufd_object_is_public - check if an object of the table is to be found
 * @obj: the object
 *
 * Context: Under the xa_lock of the table, where it stays so, or under RCU.
 *
 * Return: false if it is not published yet, or about to be freed.
 */
static inline bool iommufd_object_is_public(const struct iommufd_object *obj)
{
	/* Pairs with refcount_set_release() in iommufd_object_publish(). */
	return atomic_read_acquire(&obj->wait_cnt.refs);
}

/**
 * iommufd_object_find - look up an object in the table
 * @ctx: context to search
 * @id: id of the object
 *
 * Context: Under the xa_lock of the table.
 *
 * Return: The object or NULL.
 */
static inline struct iommufd_object *iommufd_object_find(struct iommufd_ctx *ctx,
							 u32 id)
{
	XA_STATE(xas, &ctx->objects, id);
	struct iommufd_object *obj;

	lockdep_assert_held(&ctx->objects.xa_lock);

	/* xa_load() would take the RCU lock, too. */
	obj = xas_load(&xas);
	return obj && !xa_is_zero(obj) && iommufd_object_is_public(obj) ? obj :
									  NULL;
}

/* The operations of each type, in main.c; NULL if it does not exist. */
extern const struct iommufd_object_ops *const
	iommufd_object_ops[IOMMUFD_OBJ_MAX];

struct iommufd_object *__iommufd_object_alloc(struct iommufd_ctx *ctx,
					      size_t size,
					      enum iommufd_object_type type);

/*
 * Allocates a zeroed struct whose first member is its object, and reserves an
 * id that is not visible yet. Returns an ERR_PTR on failure. The caller must
 * call either iommufd_object_publish() or iommufd_object_abort() on the object.
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
 * iommufd_object_try_depend - depend on an object that may be leaving the table
 * @ctx: context of the object
 * @obj: the object, looked up by the caller or otherwise known to be in memory
 *
 * Undo with iommufd_object_undepend().
 *
 * Context: Process context. Does not sleep.
 *
 * Return: true on success, or false if the object is being destroyed or is not
 * published yet.
 */
static inline bool iommufd_object_try_depend(struct iommufd_ctx *ctx,
					     struct iommufd_object *obj)
{
	bool alive;

	xa_lock(&ctx->objects);
	alive = iommufd_object_find(ctx, obj->id) == obj;
	if (alive)
		refcount_inc(&obj->users);
	xa_unlock(&ctx->objects);
	return alive;
}

/**
 * iommufd_object_depend - depend on an object that can't leave the table
 * @ctx: context of the object
 * @obj: the object: either the caller has looked it up and only the user
 *	destroys it, or the caller already depends on it, or it is not published
 *	yet
 * @nr: number of dependencies to add; undo each with iommufd_object_undepend()
 *
 * Context: Process context. Does not sleep.
 */
static inline void iommufd_object_depend(struct iommufd_ctx *ctx,
					 struct iommufd_object *obj,
					 unsigned int nr)
{
	xa_lock(&ctx->objects);
	refcount_add(nr, &obj->users);
	xa_unlock(&ctx->objects);
}

/**
 * iommufd_object_undepend - end a dependency on an object
 * @obj: the object that was depended on
 *
 * Context: Any context.
 */
static inline void iommufd_object_undepend(struct iommufd_object *obj)
{
	refcount_dec(&obj->users);
}

bool iommufd_object_undepend_last(struct iommufd_ctx *ctx,
				  struct iommufd_object *obj);

int iommufd_object_destroy(struct iommufd_ctx *ctx, u32 id);
void iommufd_object_remove(struct iommufd_ctx *ctx,
			   struct iommufd_object *obj);
bool iommufd_object_tombstone(struct iommufd_ctx *ctx,
			      struct iommufd_object *obj);
void iommufd_object_finish(struct iommufd_ctx *ctx, struct iommufd_object *obj);
void iommufd_object_destroy_all(struct iommufd_ctx *ctx);

#endif
