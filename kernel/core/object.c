// SPDX-License-Identifier: GPL-2.0-only
/*
 * The object table: ids, lookup and lifetimes. See core/object.h for the rules.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "core/ctx.h"
#include "core/object.h"
#include "trace/fail.h"

struct iommufd_object *__iommufd_object_alloc(struct iommufd_ctx *ctx,
					      size_t size,
					      enum iommufd_object_type type)
{
	struct iommufd_object *new = kzalloc(size, GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!new)
		goto fail;
	new->type = type;
	refcount_set(&new->users, 1);
	/* Its wait_cnt is 0, so a lookup does not find it. */
	ret = xa_alloc(&ctx->objects, &new->id, new, xa_limit_31b,
		       GFP_KERNEL_ACCOUNT);
	if (!ret)
		return new;
fail:
	kfree(new);
	return ERR_PTR(ret);
}

/**
 * iommufd_object_publish - make an object visible under its id
 * @ctx: context of the object
 * @obj: the object, complete: another thread may use or destroy it immediately
 *
 * Context: Process context.
 */
void iommufd_object_publish(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	trace_iommufd_object_create(ctx->number, obj);
	/* A lookup that sees the counter sees the object complete. */
	refcount_set_release(&obj->wait_cnt, 1);
}

/**
 * iommufd_object_abort - free an object that was never published
 * @ctx: context of the object
 * @obj: the object; the caller has released everything that it holds
 */
void iommufd_object_abort(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	void *old;

	old = xa_erase(&ctx->objects, obj->id);
	WARN_ON(old != obj);
	/* Readers that list objects look at wait_cnt, see bpf/info.c. */
	kfree_rcu_mightsleep(obj);
}

static noinline struct iommufd_object * __cold
refuse(u32 id, enum iommufd_object_type type, const struct iommufd_object *obj)
{
	if (!obj)
		iommufd_fail(-ENOENT, IOMMUFD_REASON_NO_OBJECT, id, type);
	else
		iommufd_fail(-ENOENT, IOMMUFD_REASON_WRONG_TYPE, id, obj->type);
	return ERR_PTR(-ENOENT);
}

/* Most requests are about the same object as the one before. */
static struct iommufd_object *find_object(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj = ctx->found;

	lockdep_assert_held(&ctx->objects.xa_lock);

	if (obj && obj->id == id)
		return obj;
	obj = iommufd_object_find(ctx, id);
	if (obj)
		ctx->found = obj;
	return obj;
}

/**
 * iommufd_object_get - look up an object for the duration of a call
 * @ctx: context to search
 * @id: id of the object
 * @type: the required type, or IOMMUFD_OBJ_ANY
 *
 * Release the reference with iommufd_object_put().
 *
 * Context: Process context. Does not sleep.
 *
 * Return: The object, or ERR_PTR(-ENOENT) if there is no object of that id and
 * type.
 */
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ctx, u32 id,
					  enum iommufd_object_type type)
{
	struct iommufd_object *obj;

	xa_lock(&ctx->objects);
	obj = find_object(ctx, id);
	if (obj && (type == IOMMUFD_OBJ_ANY || obj->type == type))
		refcount_inc(&obj->wait_cnt);
	else
		obj = refuse(id, type, obj);
	xa_unlock(&ctx->objects);
	return obj;
}

/**
 * iommufd_object_next - look up the next object of a type
 * @ctx: context to search
 * @id: id of the previous object, 0 for the first one
 * @type: the required type
 *
 * Release the reference with iommufd_object_put().
 *
 * Context: Process context. Does not sleep.
 *
 * Return: The object of this type with the lowest id above @id, or NULL.
 */
struct iommufd_object *iommufd_object_next(struct iommufd_ctx *ctx, u32 id,
					   enum iommufd_object_type type)
{
	unsigned long index = id;
	struct iommufd_object *obj;

	xa_lock(&ctx->objects);
	do {
		obj = xa_find_after(&ctx->objects, &index, ULONG_MAX,
				    XA_PRESENT);
	} while (obj && (obj->type != type || !iommufd_object_is_public(obj)));
	if (obj)
		refcount_inc(&obj->wait_cnt);
	xa_unlock(&ctx->objects);
	return obj;
}

/* A counter has changed before this. */
static void wake_destroyers(struct iommufd_ctx *ctx)
{
	/* Includes a barrier: change the counter first, then check. */
	if (wq_has_sleeper(&ctx->destroy_wait))
		wake_up_all(&ctx->destroy_wait);
}

/**
 * iommufd_object_put - release an object that was looked up
 * @ctx: context of the object; the caller keeps it alive
 * @obj: the object
 *
 * Context: Any context.
 */
void iommufd_object_put(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	refcount_dec(&obj->wait_cnt);
	wake_destroyers(ctx);
}

/**
 * iommufd_object_watch - put an object for the duration of a wait
 * @ctx: context of the object
 * @obj: the object, looked up by the caller
 * @watch: remembers the object until iommufd_object_unwatch()
 *
 * Context: Process context. Does not sleep.
 */
void iommufd_object_watch(struct iommufd_ctx *ctx, struct iommufd_object *obj,
			  struct iommufd_watch *watch)
{
	xa_lock(&ctx->objects);
	/* It may have left the table since it was looked up. */
	watch->obj = iommufd_object_find(ctx, obj->id) == obj ? obj : NULL;
	list_add(&watch->node, &ctx->watches);
	xa_unlock(&ctx->objects);
	iommufd_object_put(ctx, obj);
}

/**
 * iommufd_object_unwatch - get an object again after a wait
 * @ctx: context of the object
 * @watch: set up by iommufd_object_watch()
 *
 * Release the reference with iommufd_object_put().
 *
 * Context: Process context. Does not sleep.
 *
 * Return: The same object, or NULL if it has left the table.
 */
struct iommufd_object *iommufd_object_unwatch(struct iommufd_ctx *ctx,
					      struct iommufd_watch *watch)
{
	struct iommufd_object *obj;

	xa_lock(&ctx->objects);
	list_del(&watch->node);
	obj = watch->obj;
	if (obj)
		refcount_inc(&obj->wait_cnt);
	xa_unlock(&ctx->objects);
	return obj;
}

/*
 * Check if a counter is down to its initial value, so that the object can be
 * freed.
 *
 * A call that puts its reference may have used the object until then, and takes
 * no lock that is taken here: refcount_dec() orders that use before the
 * decrement (release). The caller goes on to free the object, which must come
 * after that. This requires an acquire, which refcount_read() does not provide.
 */
static bool none_left(const refcount_t *counter)
{
	if (refcount_read(counter) != 1)
		return false;
	/* Pairs with refcount_dec() in iommufd_object_put() and _undepend(). */
	smp_acquire__after_ctrl_dep();
	return true;
}

static bool object_idle(struct iommufd_object *obj)
{
	return none_left(&obj->wait_cnt);
}

/* Whatever remembers an object that leaves the table. */
static void forget(struct iommufd_ctx *ctx, const struct iommufd_object *obj)
{
	struct iommufd_watch *each;

	list_for_each_entry(each, &ctx->watches, node)
		if (each->obj == obj)
			each->obj = NULL;
	if (ctx->found == obj)
		ctx->found = NULL;
}

/*
 * Lookups no longer find the object after this, although calls may be using it.
 * Its id is not reused before the object is gone, so that events and policies
 * see the destruction of the old object before the creation of a new one.
 */
static void object_leave(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	lockdep_assert_held(&ctx->objects.xa_lock);

	forget(ctx, obj);
	/* Replaces an existing entry, so this can't fail. */
	__xa_store(&ctx->objects, obj->id, XA_ZERO_ENTRY, GFP_ATOMIC);
}

/* The same for an object that no call is using, without a store to the table. */
static void object_leave_idle(struct iommufd_ctx *ctx,
			      struct iommufd_object *obj)
{
	lockdep_assert_held(&ctx->objects.xa_lock);

	forget(ctx, obj);
	refcount_set(&obj->wait_cnt, 0);
}

/* Marks the entries of tombstones in &iommufd_ctx.objects. */
#define TOMBSTONE	XA_MARK_1

/* @keep_id: the id stays reserved. */
static void object_free(struct iommufd_ctx *ctx, struct iommufd_object *obj,
			bool keep_id)
{
	trace_iommufd_object_destroy(ctx->number, obj);
	iommufd_object_ops[obj->type]->destroy(obj);
	if (!keep_id)
		xa_erase(&ctx->objects, obj->id);
	/* Readers that list objects may still access it, see bpf/info.c. */
	kfree_rcu_mightsleep(obj);
}

/**
 * iommufd_object_finish - destroy an object that has left the table
 * @ctx: context of the object
 * @obj: the object; the caller has taken it out of the table
 *
 * Waits for calls that are using the object.
 *
 * Context: Process context. Sleeps.
 */
void iommufd_object_finish(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	wait_event(ctx->destroy_wait, object_idle(obj));
	object_free(ctx, obj, xa_get_mark(&ctx->objects, obj->id, TOMBSTONE));
}

/**
 * iommufd_object_undepend_last - end a dependency on an automatic object
 * @ctx: context of the object
 * @obj: an object that was not created by the user
 *
 * Like iommufd_object_undepend(), but also takes the object out of the table if
 * this was the last dependency on it.
 *
 * Context: Process context. Does not sleep.
 *
 * Return: true if the caller must destroy the object with
 * iommufd_object_finish().
 */
bool iommufd_object_undepend_last(struct iommufd_ctx *ctx,
				  struct iommufd_object *obj)
{
	bool last;

	xa_lock(&ctx->objects);
	refcount_dec(&obj->users);
	last = none_left(&obj->users);
	if (last)
		object_leave(ctx, obj);
	xa_unlock(&ctx->objects);
	return last;
}

/*
 * Take an object out of the table if nothing depends on it and no call is using
 * it. Returns it or an ERR_PTR: -ENOENT, -EBUSY, or -EAGAIN if calls are using
 * it.
 */
static struct iommufd_object *object_take(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj;

	xa_lock(&ctx->objects);
	obj = iommufd_object_find(ctx, id);
	if (!obj)
		obj = ERR_PTR(iommufd_fail(-ENOENT, IOMMUFD_REASON_NO_OBJECT,
					   id, IOMMUFD_OBJ_ANY));
	else if (!none_left(&obj->users))
		obj = ERR_PTR(iommufd_fail(-EBUSY, IOMMUFD_REASON_OBJECT_BUSY,
					   id, refcount_read(&obj->users) - 1));
	else if (!object_idle(obj))
		obj = ERR_PTR(-EAGAIN);
	else
		object_leave_idle(ctx, obj);
	xa_unlock(&ctx->objects);
	return obj;
}

/**
 * iommufd_object_destroy - destroy an object at the user's request
 * @ctx: context of the object
 * @id: its id
 *
 * Waits for calls that are using the object. The wait holds no reference, so
 * that two destroyers never wait for each other: one of them succeeds, and the
 * other one no longer finds the object.
 *
 * Context: Process context. Sleeps.
 *
 * Return: 0, -ENOENT if there is no such object, -EBUSY if other objects depend
 * on it, or -ERESTARTSYS if the caller was killed while waiting.
 */
int iommufd_object_destroy(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj;
	int ret;

	ret = wait_event_killable(ctx->destroy_wait,
				  (obj = object_take(ctx, id)) !=
					  ERR_PTR(-EAGAIN));
	if (ret)
		return ret;
	/* Let others that wait for the same id check again. */
	wake_destroyers(ctx);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	object_free(ctx, obj, false);
	return 0;
}

/**
 * iommufd_object_remove - destroy an object at its owner's request
 * @ctx: context of the object
 * @obj: the object; only its owner still depends on it
 *
 * The owner's dependency prevents the user from destroying the object. It ends
 * once the object is out of the table. Waits for calls that are using the
 * object.
 *
 * Context: Process context. Sleeps.
 */
void iommufd_object_remove(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	xa_lock(&ctx->objects);
	WARN_ON(iommufd_object_find(ctx, obj->id) != obj);
	object_leave(ctx, obj);
	xa_unlock(&ctx->objects);
	iommufd_object_undepend(obj);
	WARN_ON(!none_left(&obj->users));
	wake_destroyers(ctx);
	iommufd_object_finish(ctx, obj);
}

/**
 * iommufd_object_tombstone - replace an object of the user with a tombstone
 * @ctx: context of the object
 * @obj: the object, in memory; nothing depends on it
 *
 * The tombstone reserves the id for the lifetime of the context: the user does
 * not know yet that the object is gone and must not find another one under the
 * same id.
 *
 * Context: Process context. Does not sleep.
 *
 * Return: true if the caller must destroy the object with
 * iommufd_object_finish(), or false if it is not in the table because it is
 * being created or destroyed.
 */
bool iommufd_object_tombstone(struct iommufd_ctx *ctx,
			      struct iommufd_object *obj)
{
	bool ours;

	xa_lock(&ctx->objects);
	ours = iommufd_object_find(ctx, obj->id) == obj;
	if (ours) {
		WARN_ON(!none_left(&obj->users));
		object_leave(ctx, obj);
		__xa_set_mark(&ctx->objects, obj->id, TOMBSTONE);
	}
	xa_unlock(&ctx->objects);
	if (ours)
		wake_destroyers(ctx);
	return ours;
}

/**
 * iommufd_object_destroy_all - destroy all objects of a closed context
 * @ctx: the context; no call uses it any more
 *
 * Waits for iterators of BPF that are reading an object, see bpf/areas.c.
 *
 * Context: Process context. May sleep.
 */
void iommufd_object_destroy_all(struct iommufd_ctx *ctx)
{
	struct iommufd_object *obj;
	unsigned long id;
	bool progress;

	/*
	 * Each round frees the objects that only the previous one depended on.
	 */
	do {
		progress = false;
		xa_for_each(&ctx->objects, id, obj) {
			if (!none_left(&obj->users))
				continue;
			xa_erase(&ctx->objects, id);
			ctx->found = NULL;
			iommufd_object_finish(ctx, obj);
			progress = true;
		}
	} while (progress);
	/* Only tombstones may be left, which xa_for_each() skips. */
	xa_for_each(&ctx->objects, id, obj)
		WARN_ON(1);
}
