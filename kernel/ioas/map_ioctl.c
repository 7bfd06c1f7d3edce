// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that map memory of the caller, or the memory or device registers
 * that a file descriptor refers to.
 */
#include <linux/dma-buf.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/hugetlb.h>
#include <linux/shmem_fs.h>

#include "core/ioctl.h"
#include "ioas/area.h"
#include "ioas/ioas.h"
#include "ioas/map.h"
#include "ioas/map_check.h"
#include "ioas/unmap.h"
#include "pages/pages.h"
#include "trace/fail.h"

/**
 * struct map_request - a map request from any source
 * @ucmd: the request, with its structure
 * @ioas_id: id of the IOAS
 * @flags: enum iommufd_ioas_map_flags
 * @offset: offset of the first byte in the first page
 * @length: bytes
 * @iova: in the structure: the requested address, replaced by the chosen one
 * @source: where the pages come from
 * @stats: for the tracepoint
 */
struct map_request {
	struct iommufd_ucmd *ucmd;
	u32 ioas_id;
	u32 flags;
	unsigned long offset;
	unsigned long length;
	__aligned_u64 *iova;
	enum iommufd_source source;
	struct iommufd_map_stats stats;
};

static int map_pages(struct iommufd_ioas *ioas, struct iommufd_pages *pages,
		     struct map_request *request)
{
	unsigned long iova = *request->iova;
	struct iommufd_area *area;
	LIST_HEAD(areas);
	int ret;

	area = iommufd_area_alloc(pages, request->offset, request->length,
				  request->flags);
	if (IS_ERR(area))
		return PTR_ERR(area);
	list_add(&area->list, &areas);
	ret = iommufd_ioas_map_areas(ioas, &areas, &iova, request->flags,
				     &request->stats);
	if (ret) {
		iommufd_areas_free(&areas);
		return ret;
	}

	*request->iova = iova;
	ret = iommufd_ucmd_respond_member(request->ucmd, request->iova);
	if (ret)
		iommufd_ioas_undo_map(ioas, iova, request->length);
	return ret;
}

static void __cold trace_request(const struct iommufd_ioas *ioas,
				 const struct map_request *request, int ret)
{
	struct iommufd_map_brief brief = {
		.ctx = ioas->ctx->number,
		.ioas = ioas->obj.id,
		.iova = *request->iova,
		.length = request->length,
		.source = request->source,
		.ret = ret,
	};

	iommufd_trace_map(&brief, request->flags & IOMMUFD_MAP_PROTS,
			  &request->stats);
}

/* Map @pages, or report the error in it. Takes over the caller's reference. */
static int run_request(struct iommufd_pages *pages, struct map_request *request)
{
	struct iommufd_ctx *ctx = request->ucmd->ctx;
	struct iommufd_ioas *ioas;
	int ret;

	ioas = iommufd_ioas_get(ctx, request->ioas_id);
	if (IS_ERR(ioas)) {
		if (!IS_ERR(pages))
			iommufd_pages_put(pages);
		return PTR_ERR(ioas);
	}
	if (IS_ERR(pages)) {
		ret = PTR_ERR(pages);
	} else {
		request->source = pages->source;
		ret = map_pages(ioas, pages, request);
	}
	if (iommufd_trace_both_enabled(iommufd_ioas_map))
		trace_request(ioas, request, ret);
	iommufd_object_put(ctx, &ioas->obj);
	return ret;
}

int iommufd_cmd_ioas_map(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map *cmd = ucmd->cmd;
	struct map_request request = {
		.ucmd = ucmd,
		.ioas_id = cmd->ioas_id,
		.flags = cmd->flags,
		.offset = offset_in_page(cmd->user_va),
		.length = cmd->length,
		.iova = &cmd->iova,
		.source = IOMMUFD_SOURCE_VA,
	};
	struct iommufd_pages *pages;
	int ret;

	iommufd_trace_begin_both(iommufd_ioas_map, &request.stats);
	if (cmd->__reserved)
		return iommufd_fail_reserved(cmd->__reserved);
	ret = iommufd_map_check(cmd->flags, cmd->iova, cmd->length);
	if (!ret)
		ret = iommufd_map_check_source(cmd->user_va, cmd->length);
	if (ret)
		return ret;
	pages = iommufd_pages_from_va(ucmd->ctx, cmd->user_va,
				      cmd->flags & IOMMU_IOAS_MAP_WRITEABLE);
	return run_request(pages, &request);
}

static unsigned int seals_of(struct file *file)
{
#ifdef CONFIG_HUGETLBFS
	if (is_file_hugepages(file))
		return HUGETLBFS_I(file_inode(file))->seals;
#endif
	return SHMEM_I(file_inode(file))->seals;
}

/*
 * Whether the file of a memfd allows the requested DMA. There is no mmap() that
 * would check the rights.
 */
static bool memfd_allows(struct file *file, bool writable)
{
	if (!(file->f_mode & FMODE_READ))
		return false;
	return !writable || ((file->f_mode & FMODE_WRITE) &&
			     !IS_APPEND(file_inode(file)) &&
			     !(seals_of(file) &
			       (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)));
}

static void fail_rights(struct file *file)
{
	iommufd_fail(-EPERM, IOMMUFD_REASON_FILE_RIGHTS,
		     (__force u32)(file->f_mode & (FMODE_READ | FMODE_WRITE)),
		     seals_of(file));
}

static struct iommufd_pages *
pages_from_memfd(struct iommufd_ctx *ctx, struct file *file,
		 const struct iommu_ioas_map_file *cmd)
{
	bool writable = cmd->flags & IOMMU_IOAS_MAP_WRITEABLE;
	struct iommufd_pages *pages = ERR_PTR(-EPERM);

	if (memfd_allows(file, writable))
		pages = iommufd_pages_from_memfd(ctx, file, cmd->start,
						 writable);
	/* The file may have been sealed since, or is being sealed now. */
	if (pages == ERR_PTR(-EPERM))
		fail_rights(file);
	return pages;
}

/* A dma-buf has no access rights: any holder of its fd may do DMA to it. */
static struct iommufd_pages *
pages_from_dmabuf(struct iommufd_ctx *ctx,
		  const struct iommu_ioas_map_file *cmd)
{
	struct iommufd_pages *pages;
	struct dma_buf *dma_buf;

	dma_buf = dma_buf_get(cmd->fd);
	if (IS_ERR(dma_buf)) {
		iommufd_fail(PTR_ERR(dma_buf), IOMMUFD_REASON_FILE_KIND,
			     cmd->fd, 0);
		return ERR_CAST(dma_buf);
	}
	pages = iommufd_pages_from_dmabuf(ctx, dma_buf, cmd->start, cmd->length,
					  cmd->flags & IOMMU_IOAS_MAP_WRITEABLE);
	dma_buf_put(dma_buf);
	return pages;
}

/* Errors: -EBADF, -EINVAL if the file is of the wrong kind, or -EPERM. */
static struct iommufd_pages *
pages_from_fd(struct iommufd_ctx *ctx, const struct iommu_ioas_map_file *cmd)
{
	CLASS(fd, f)(cmd->fd);

	if (fd_empty(f))
		return ERR_PTR(iommufd_fail(-EBADF, IOMMUFD_REASON_BAD_FD,
					    cmd->fd, 0));
	if (shmem_file(fd_file(f)) || is_file_hugepages(fd_file(f)))
		return pages_from_memfd(ctx, fd_file(f), cmd);
	if (!IS_ENABLED(CONFIG_DMA_SHARED_BUFFER))
		return ERR_PTR(iommufd_fail(-EINVAL, IOMMUFD_REASON_FILE_KIND,
					    cmd->fd, 0));
	return pages_from_dmabuf(ctx, cmd);
}

int iommufd_cmd_ioas_map_file(struct iommufd_ucmd *ucmd)
{
	struct iommu_ioas_map_file *cmd = ucmd->cmd;
	struct map_request request = {
		.ucmd = ucmd,
		.ioas_id = cmd->ioas_id,
		.flags = cmd->flags,
		.offset = offset_in_page(cmd->start),
		.length = cmd->length,
		.iova = &cmd->iova,
		.source = IOMMUFD_SOURCE_MEMFD,
	};
	int ret;

	iommufd_trace_begin_both(iommufd_ioas_map, &request.stats);
	ret = iommufd_map_check(cmd->flags, cmd->iova, cmd->length);
	if (!ret)
		ret = iommufd_map_check_source(cmd->start, cmd->length);
	if (ret)
		return ret;
	return run_request(pages_from_fd(ucmd->ctx, cmd), &request);
}
