// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves the mappings of a context to another process, to which their pinned
 * pages are charged from then on. This includes pages of map requests that are
 * still running, as soon as their area has an address.
 */
#include <linux/slab.h>

#include "core/ioctl.h"
#include "ioas/ioas.h"
#include "pages/pages.h"
#include "trace/fail.h"

/**
 * struct move - pages that are moved to another owner
 * @list: link
 * @pages: the pages, on which this has a reference
 * @owner: the new owner; the old one after the move
 * @requester: for the tracepoint
 */
struct move {
	struct list_head list;
	struct iommufd_pages *pages;
	struct iommufd_owner owner;
	struct iommufd_requester requester;
};

static int add_move(struct iommufd_ioas *ioas, struct iommufd_area *area,
		    struct list_head *moves)
{
	struct iommufd_pages *pages = area->pages;
	struct move *move;

	/* Memory that is mapped in an mm can't move to another process. */
	if (pages->source == IOMMUFD_SOURCE_VA)
		return iommufd_fail(-EINVAL, IOMMUFD_REASON_VA_STAYS,
				    area->iova, iommufd_area_length(area));
	if (pages->moving)
		return 0;
	move = kzalloc_obj(*move, GFP_KERNEL_ACCOUNT);
	if (!move)
		return -ENOMEM;
	if (iommufd_owner_init(&move->owner, ioas->ctx, pages->source)) {
		kfree(move);
		return -ENOMEM;
	}
	refcount_inc(&pages->refs);
	pages->moving = true;
	move->pages = pages;
	move->requester = iommufd_ioas_requester(ioas);
	list_add_tail(&move->list, moves);
	return 0;
}

static int collect_ioas(struct iommufd_ioas *ioas, struct list_head *moves)
{
	struct iommufd_area *area;
	int ret = 0;

	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_for_each(area, &ioas->iovas, 0, ULONG_MAX) {
		ret = add_move(ioas, area, moves);
		if (ret)
			break;
	}
	mutex_unlock(&ioas->iova_lock);
	return ret;
}

static int collect_all(struct iommufd_ctx *ctx, struct list_head *moves)
{
	struct iommufd_object *obj;
	u32 id = 0;
	int ret = 0;

	lockdep_assert_held(&ctx->process_lock);

	while (!ret &&
	       (obj = iommufd_object_next(ctx, id, IOMMUFD_OBJ_IOAS))) {
		id = obj->id;
		ret = collect_ioas(to_ioas(obj), moves);
		iommufd_object_put(ctx, obj);
	}
	return ret;
}

/*
 * A concurrent copy may add pages to an IOAS that has been collected already,
 * and an unmap may remove them from one that has not. So collect until nothing
 * new is found.
 */
static int collect_moves(struct iommufd_ctx *ctx, struct list_head *moves)
{
	struct list_head *end;
	int ret;

	do {
		end = moves->prev;
		ret = collect_all(ctx, moves);
	} while (!ret && moves->prev != end);
	return ret;
}

/* If the caller is killed, pages already moved may stay with the new owner. */
static int run_moves(struct list_head *moves)
{
	struct move *move;
	int ret;

	list_for_each_entry(move, moves, list) {
		ret = iommufd_pages_change_owner(move->pages, &move->owner,
						 false, &move->requester);
		if (ret)
			goto undo;
	}
	return 0;

undo:
	list_for_each_entry_continue_reverse(move, moves, list)
		iommufd_pages_change_owner(move->pages, &move->owner, true,
					   &move->requester);
	return ret;
}

static void free_moves(struct list_head *moves)
{
	struct move *move, *next;

	list_for_each_entry_safe(move, next, moves, list) {
		move->pages->moving = false;
		iommufd_owner_release(&move->owner);
		iommufd_pages_put(move->pages);
		kfree(move);
	}
}

int iommufd_cmd_ioas_change_process(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_change_process *cmd = ucmd->cmd;
	struct iommufd_ctx *ctx = ucmd->ctx;
	LIST_HEAD(moves);
	int ret;

	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);

	ret = mutex_lock_killable(&ctx->process_lock);
	if (ret)
		return ret;
	ret = collect_moves(ctx, &moves);
	if (!ret)
		ret = run_moves(&moves);
	free_moves(&moves);
	mutex_unlock(&ctx->process_lock);
	return ret;
}
