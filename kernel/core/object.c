// SPDX-License-Identifier: GPL-2.0-only
/*
 * The object table: ids, lookup, lifetimes. The rules are in core/object.h.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "core/ctx.h"
#include "core/object.h"
#include "mock/mock.h"
#include "trace/fail.h"

static const struct iommufd_object_ops *const object_ops[IOMMUFD_OBJ_MAX] = {
	[IOMMUFD_OBJ_ACCESS] = &iommufd_access_ops,
	[IOMMUFD_OBJ_DEVICE] = &iommufd_device_ops,
	[IOMMUFD_OBJ_FAULT] = &iommufd_fault_ops,
	[IOMMUFD_OBJ_HW_QUEUE] = &iommufd_hw_queue_ops,
	[IOMMUFD_OBJ_HWPT_NESTED] = &iommufd_hwpt_nested_ops,
	[IOMMUFD_OBJ_HWPT_PAGING] = &iommufd_hwpt_paging_ops,
	[IOMMUFD_OBJ_IOAS] = &iommufd_ioas_ops,
	[IOMMUFD_OBJ_VDEVICE] = &iommufd_vdevice_ops,
	[IOMMUFD_OBJ_VEVENTQ] = &iommufd_veventq_ops,
	[IOMMUFD_OBJ_VIOMMU] = &iommufd_viommu_ops,
#ifdef CONFIG_IOMMUFD_TEST
	[IOMMUFD_OBJ_SELFTEST] = &iommufd_mock_slot_ops,
#endif
};

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
	refcount_set(&new->wait_cnt, 1);

	/* A NULL entry reserves the id and is not found by a lookup. */
	ret = xa_alloc(&ctx->objects, &new->id, NULL, xa_limit_31b,
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
 * @obj: the object, complete: another thread may use or destroy it at once
 */
void iommufd_object_publish(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	void *old;

	trace_iommufd_object_create(ctx->number, obj);
	/* The reservation holds the memory: this can't fail. */
	old = xa_store(&ctx->objects, obj->id, obj, GFP_KERNEL);
	WARN_ON(old);
}

/**
 * iommufd_object_abort - free an object that was never published
 * @ctx: context of the object
 * @obj: the object; the caller has undone what it did to it
 */
void iommufd_object_abort(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	void *old;

	old = xa_erase(&ctx->objects, obj->id);
	WARN_ON(old);
	kfree(obj);
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

/**
 * iommufd_object_get - look up an object for the time of a call
 * @ctx: context to look in
 * @id: its id
 * @type: the type it must have, IOMMUFD_OBJ_ANY for any
 *
 * Returns the object, to be given back with iommufd_object_put(), or
 * ERR_PTR(-ENOENT) if there is none of that id and type.
 */
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ctx, u32 id,
					  enum iommufd_object_type type)
{
	struct iommufd_object *obj;

	xa_lock(&ctx->objects);
	obj = xa_load(&ctx->objects, id);
	if (obj && (type == IOMMUFD_OBJ_ANY || obj->type == type))
		refcount_inc(&obj->wait_cnt);
	else
		obj = refuse(id, type, obj);
	xa_unlock(&ctx->objects);
	return obj;
}

/**
 * iommufd_object_next - look up the next object of a type
 * @ctx: context to look in
 * @id: id to look behind, 0 for the first object
 * @type: its type
 *
 * Returns the object of the lowest id above @id, to be given back with
 * iommufd_object_put(), or NULL if there is none.
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
	} while (obj && obj->type != type);
	if (obj)
		refcount_inc(&obj->wait_cnt);
	xa_unlock(&ctx->objects);
	return obj;
}

/**
 * iommufd_object_put - end the use of an object that was looked up
 * @ctx: context of the object; the caller keeps it alive
 * @obj: the object
 */
void iommufd_object_put(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	refcount_dec(&obj->wait_cnt);
	/* Orders the decrement before the look for sleepers. */
	if (wq_has_sleeper(&ctx->destroy_wait))
		wake_up_all(&ctx->destroy_wait);
}

/**
 * iommufd_object_watch - put an object for the time of a wait
 * @ctx: context of the object
 * @obj: the object, looked up by the caller
 * @watch: remembers it, until iommufd_object_unwatch()
 */
void iommufd_object_watch(struct iommufd_ctx *ctx, struct iommufd_object *obj,
			  struct iommufd_watch *watch)
{
	xa_lock(&ctx->objects);
	/* It may have left the table since it was looked up. */
	watch->obj = xa_load(&ctx->objects, obj->id) == obj ? obj : NULL;
	list_add(&watch->node, &ctx->watches);
	xa_unlock(&ctx->objects);
	iommufd_object_put(ctx, obj);
}

/**
 * iommufd_object_unwatch - take an object back after a wait
 * @ctx: context of the object
 * @watch: set up by iommufd_object_watch()
 *
 * Returns the very same object, to be given back with iommufd_object_put(), or
 * NULL if it has left the table.
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
 * Whether nothing but the object itself is left of one of its counters, so that
 * it can be freed.
 *
 * A call that gives its reference back has used the object until then, and does
 * so under no lock that is taken here: refcount_dec() orders that use before
 * the decrement (release). What the caller does to the object next, freeing it
 * above all, must come after it: the read has to be an acquire, which that of
 * refcount_read() is not.
 */
static bool none_left(const refcount_t *counter)
{
	if (refcount_read(counter) != 1)
		return false;
	/* Pairs with refcount_dec() in iommufd_object_put() and _drop(). */
	smp_acquire__after_ctrl_dep();
	return true;
}

static bool object_idle(struct iommufd_object *obj)
{
	return none_left(&obj->wait_cnt);
}

/*
 * Nobody finds it from here on. Its id names nothing else before it is gone, so
 * that what events and policies say of either is in order.
 */
static void object_leave(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	struct iommufd_watch *each;

	lockdep_assert_held(&ctx->objects.xa_lock);

	list_for_each_entry(each, &ctx->watches, node)
		if (each->obj == obj)
			each->obj = NULL;
	/* A reservation, in a place that is there: this can't fail. */
	__xa_store(&ctx->objects, obj->id, XA_ZERO_ENTRY, GFP_ATOMIC);
}

static void object_free(struct iommufd_ctx *ctx, struct iommufd_object *obj,
			bool buried)
{
	trace_iommufd_object_destroy(ctx->number, obj);
	object_ops[obj->type]->destroy(obj);
	if (!buried)
		xa_erase(&ctx->objects, obj->id);
	/* Who lists objects may still look at it, see core/info.c. */
	kfree_rcu_mightsleep(obj);
}

/**
 * iommufd_object_finish - destroy an object that has left the table
 * @ctx: context of the object
 * @obj: the object; the caller is who took it out
 * @buried: by iommufd_object_bury()
 *
 * Calls that are using the object are waited for.
 */
void iommufd_object_finish(struct iommufd_ctx *ctx, struct iommufd_object *obj,
			   bool buried)
{
	wait_event(ctx->destroy_wait, object_idle(obj));
	object_free(ctx, obj, buried);
}

/**
 * iommufd_object_drop_last - end a dependency on an object nobody asked for
 * @ctx: context of the object
 * @obj: an object that was made automatically
 *
 * Like iommufd_object_drop(), and takes the object out of the table if this was
 * the last that depended on it.
 *
 * Returns true if the caller is to end the object with iommufd_object_finish().
 */
bool iommufd_object_drop_last(struct iommufd_ctx *ctx,
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
 * Take an object out of the table if nothing depends on it or uses it. Returns
 * it, or ERR_PTR: -ENOENT, -EBUSY, or -EAGAIN if calls are using it.
 */
static struct iommufd_object *object_take(struct iommufd_ctx *ctx, u32 id)
{
	struct iommufd_object *obj;

	xa_lock(&ctx->objects);
	obj = xa_load(&ctx->objects, id);
	if (!obj)
		obj = ERR_PTR(iommufd_fail(-ENOENT, IOMMUFD_REASON_NO_OBJECT,
					   id, IOMMUFD_OBJ_ANY));
	else if (!none_left(&obj->users))
		obj = ERR_PTR(iommufd_fail(-EBUSY, IOMMUFD_REASON_OBJECT_BUSY,
					   id, refcount_read(&obj->users) - 1));
	else if (!object_idle(obj))
		obj = ERR_PTR(-EAGAIN);
	else
		object_leave(ctx, obj);
	xa_unlock(&ctx->objects);
	return obj;
}

/**
 * iommufd_object_destroy - destroy an object because the user says so
 * @ctx: context of the object
 * @id: its id
 *
 * Calls that are using the object are waited for. The wait holds no reference,
 * so that two destroyers never wait for each other: one of them finds the id
 * gone.
 *
 * Returns 0, -ENOENT if there is no such object, -EBUSY if others depend on
 * it, or -ERESTARTSYS if the caller was killed while waiting.
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
	/* Others that wait for the same id look again. */
	wake_up_all(&ctx->destroy_wait);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	object_free(ctx, obj, false);
	return 0;
}

/**
 * iommufd_object_remove - destroy an object because its owner is done with it
 * @ctx: context of the object
 * @obj: the object, on which its owner depends, and nothing else any more
 *
 * The owner's dependency keeps the user from destroying the object; it ends
 * when the object is out of the table. Calls that are using it are waited for.
 */
void iommufd_object_remove(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	xa_lock(&ctx->objects);
	WARN_ON(xa_load(&ctx->objects, obj->id) != obj);
	object_leave(ctx, obj);
	xa_unlock(&ctx->objects);
	iommufd_object_drop(obj);
	WARN_ON(!none_left(&obj->users));
	wake_up_all(&ctx->destroy_wait);
	iommufd_object_finish(ctx, obj, false);
}

/**
 * iommufd_object_bury - take an object from the user who made it
 * @ctx: context of the object
 * @obj: the object, in memory, on which nothing depends
 *
 * Its id is not used again for as long as the context lives: the user, who does
 * not know yet, must not find something else there.
 *
 * Context: any that may take a spinlock.
 *
 * Returns true if the caller is to end the object with iommufd_object_finish(),
 * or false if it is not in the table: being made, or being destroyed.
 */
bool iommufd_object_bury(struct iommufd_ctx *ctx, struct iommufd_object *obj)
{
	bool ours;

	xa_lock(&ctx->objects);
	ours = xa_load(&ctx->objects, obj->id) == obj;
	if (ours) {
		WARN_ON(!none_left(&obj->users));
		object_leave(ctx, obj);
	}
	xa_unlock(&ctx->objects);
	if (ours)
		wake_up_all(&ctx->destroy_wait);
	return ours;
}

/**
 * iommufd_object_destroy_all - destroy what a closed context still holds
 * @ctx: the context, on which no call runs any more
 */
void iommufd_object_destroy_all(struct iommufd_ctx *ctx)
{
	struct iommufd_object *obj;
	unsigned long id;
	bool progress;

	/* Each round frees what the round before has made independent. */
	do {
		progress = false;
		xa_for_each(&ctx->objects, id, obj) {
			if (!none_left(&obj->users))
				continue;
			xa_erase(&ctx->objects, id);
			object_free(ctx, obj, true);
			progress = true;
		}
	} while (progress);
	/* There may be ids left of what was buried. */
	xa_for_each(&ctx->objects, id, obj)
		WARN_ON(1);
}
