// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets user space control an access. The access is a file, whose descriptor the
 * requests take instead of an object id. It does what a driver would do that
 * does its DMA in software.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "core/ctx.h"
#include "core/ioctl.h"
#include "ioas/ioas.h"
#include "mock/access.h"
#include "mock/driver.h"
#include "mock/knobs.h"

/* Enough for any test, but limits the memory that a user can allocate. */
#define MOCK_PIN_MAX	SZ_1G
#define MOCK_RW_MAX	SZ_16M

/**
 * struct mock_pin - a pinned range
 * @node: link in &mock_access.pins
 * @id: its id for user space
 * @iova: first address
 * @length: bytes
 */
struct mock_pin {
	struct list_head node;
	u32 id;
	unsigned long iova;
	unsigned long length;
};

/**
 * struct mock_access - an access
 * @access: the access
 * @ctx: the context; @access has a reference
 * @pins_pages: it can pin pages
 * @pins: struct mock_pin, its pinned ranges
 * @last_id: id of the last pin
 */
struct mock_access {
	struct iommufd_access *access;
	struct iommufd_ctx *ctx;
	bool pins_pages;
	/**
	 * @move_rwsem: held for reading from a pin until it is in @pins, and
	 * for writing while the access changes its IOAS, as that requires that
	 * all pins are recorded. An unmap does not wait for it: it calls the
	 * driver again.
	 */
	struct rw_semaphore move_rwsem;
	/**
	 * @lock: protects the fields below. The locks of the IOAS nest inside,
	 * so iommufd must not hold any of them when it calls back.
	 */
	struct mutex lock;
	struct list_head pins;
	u32 last_id;
	/** @ioas_id: the IOAS, to resolve addresses of MOCK_FLAGS_ACCESS_SYZ */
	u32 ioas_id;
};

static void unpin(struct mock_access *access, struct mock_pin *pin)
{
	lockdep_assert_held(&access->lock);

	iommufd_access_unpin_pages(access->access, pin->iova, pin->length);
	list_del(&pin->node);
	kfree(pin);
}

/* When this returns, no pin of the access may overlap the range. */
static void access_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct mock_access *access = data;
	unsigned long last = iova + (length - 1);
	struct mock_pin *pin, *next;

	mutex_lock(&access->lock);
	list_for_each_entry_safe(pin, next, &access->pins, node)
		if (pin->iova <= last && pin->iova + (pin->length - 1) >= iova)
			unpin(access, pin);
	mutex_unlock(&access->lock);
}

static const struct iommufd_access_ops rw_ops = {
	.unmap = access_unmap,
};

static const struct iommufd_access_ops pin_ops = {
	.needs_pin_pages = 1,
	.unmap = access_unmap,
};

static void access_free(struct mock_access *access)
{
	struct mock_pin *pin, *next;

	mutex_lock(&access->lock);
	list_for_each_entry_safe(pin, next, &access->pins, node)
		unpin(access, pin);
	mutex_unlock(&access->lock);
	iommufd_access_destroy(access->access);
	mutex_destroy(&access->lock);
	kfree(access);
}

static int access_release(struct inode *inode, struct file *file)
{
	access_free(file->private_data);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.release = access_release,
};

static struct mock_access *access_alloc(struct iommufd_ctx *ctx,
					const struct iommufd_access_ops *ops)
{
	struct mock_access *access;
	u32 id;

	access = kzalloc_obj(*access, GFP_KERNEL_ACCOUNT);
	if (!access)
		return ERR_PTR(-ENOMEM);
	init_rwsem(&access->move_rwsem);
	mutex_init(&access->lock);
	INIT_LIST_HEAD(&access->pins);
	access->ctx = ctx;
	access->access = iommufd_access_create(ctx, ops, access, &id);
	if (IS_ERR(access->access)) {
		void *err = access->access;

		mutex_destroy(&access->lock);
		kfree(access);
		return err;
	}
	return access;
}

static struct file *access_open(struct iommufd_ctx *ctx, u32 ioas_id, u32 flags)
{
	bool pins = flags & MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
	struct mock_access *access;
	struct file *file;
	int ret;

	access = access_alloc(ctx, pins ? &pin_ops : &rw_ops);
	if (IS_ERR(access))
		return ERR_CAST(access);
	access->ioas_id = ioas_id;
	access->pins_pages = pins;
	ret = iommufd_access_attach(access->access, ioas_id);
	file = ret ? ERR_PTR(ret) :
		     anon_inode_getfile("[iommufd_mock_access]", &access_fops,
					access, O_RDWR);
	if (IS_ERR(file))
		access_free(access);
	return file;
}

/**
 * mock_access_create - IOMMU_TEST_OP_CREATE_ACCESS
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_access_create(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 flags = cmd->create_access.flags;
	int ret;

	if (flags & ~MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES)
		return -EOPNOTSUPP;

	FD_PREPARE(fdf, O_CLOEXEC, access_open(ucmd->ctx, cmd->id, flags));
	if (fdf.err)
		return fdf.err;
	cmd->create_access.out_access_fd = fd_prepare_fd(fdf);
	ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	if (!ret)
		fd_publish(fdf);
	return ret;
}

/* Look up the access of a request. The caller must fput() @file. */
static struct mock_access *access_get(struct iommufd_ucmd *ucmd,
				      struct file **file)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct mock_access *access;

	*file = fget(cmd->id);
	if (!*file)
		return ERR_PTR(-EBADF);
	access = (*file)->private_data;
	if ((*file)->f_op == &access_fops && access->ctx == ucmd->ctx)
		return access;
	fput(*file);
	return ERR_PTR(-EINVAL);
}

/**
 * mock_access_replace - IOMMU_TEST_OP_ACCESS_REPLACE_IOAS
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_access_replace(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u32 ioas_id = cmd->access_replace_ioas.ioas_id;
	struct mock_access *access;
	struct file *file;
	int ret;

	access = access_get(ucmd, &file);
	if (IS_ERR(access))
		return PTR_ERR(access);
	/* This calls access_unmap(), so the lock must not be held. */
	ret = down_write_killable(&access->move_rwsem);
	if (!ret) {
		ret = iommufd_access_replace(access->access, ioas_id);
		if (!ret)
			WRITE_ONCE(access->ioas_id, ioas_id);
		up_write(&access->move_rwsem);
	}
	fput(file);
	return ret;
}

/*
 * A fuzzer can't guess addresses that the kernel chose. With
 * MOCK_FLAGS_ACCESS_SYZ, the upper half of an address is the number of an area,
 * counted from the lowest, and the lower half is the offset in it.
 */
static int fuzzed_iova(struct mock_access *access, u64 *iova)
{
	u32 index = upper_32_bits(*iova);
	struct iommufd_area *area;
	struct iommufd_ioas *ioas;
	int ret = -ENOENT;

	ioas = iommufd_ioas_get(access->ctx, READ_ONCE(access->ioas_id));
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ioas->iova_lock);
	iommufd_iova_map_for_each(area, &ioas->iovas, 0, ULONG_MAX) {
		if (iommufd_area_state(area) == IOMMUFD_AREA_MAPPED &&
		    !index--) {
			*iova = area->iova + lower_32_bits(*iova);
			ret = 0;
			break;
		}
	}
	mutex_unlock(&ioas->iova_lock);
	iommufd_object_put(access->ctx, &ioas->obj);
	return ret;
}

static int rw(struct mock_access *access, unsigned long iova,
	      void __user *uptr, size_t length, u32 flags)
{
	void *buffer;
	int ret = 0;

	buffer = kvzalloc(length, GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	if ((flags & MOCK_ACCESS_RW_WRITE) &&
	    copy_from_user(buffer, uptr, length))
		ret = -EFAULT;
	/* The flags of the request equal those of the function. */
	if (!ret)
		ret = iommufd_access_rw(access->access, iova, buffer, length,
					flags);
	if (!ret && !(flags & MOCK_ACCESS_RW_WRITE) &&
	    copy_to_user(uptr, buffer, length))
		ret = -EFAULT;
	kvfree(buffer);
	return ret;
}

/**
 * mock_access_rw - IOMMU_TEST_OP_ACCESS_RW
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_access_rw(struct iommufd_ucmd *ucmd)
{
	const u32 rw_flags = MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH;
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 length = cmd->access_rw.length;
	u32 flags = cmd->access_rw.flags;
	u64 iova = cmd->access_rw.iova;
	struct mock_access *access;
	struct file *file;
	int ret = 0;

	static_assert((int)MOCK_ACCESS_RW_WRITE == IOMMUFD_ACCESS_RW_WRITE);
	static_assert((int)MOCK_ACCESS_RW_SLOW_PATH ==
		      __IOMMUFD_ACCESS_RW_SLOW_PATH);

	if (flags & ~(rw_flags | MOCK_FLAGS_ACCESS_SYZ))
		return -EOPNOTSUPP;
	if (length > MOCK_RW_MAX)
		return -EINVAL;

	access = access_get(ucmd, &file);
	if (IS_ERR(access))
		return PTR_ERR(access);
	if (flags & MOCK_FLAGS_ACCESS_SYZ)
		ret = fuzzed_iova(access, &iova);
	if (!ret)
		ret = rw(access, iova, u64_to_user_ptr(cmd->access_rw.uptr),
			 length, flags & rw_flags);
	fput(file);
	return ret;
}

/* Check that these are the pages of the user's memory. */
static int check_pages(unsigned long uptr, struct page **pages,
		       unsigned long npages)
{
	struct page *page;
	unsigned long i;
	int ret;

	for (i = 0; i < npages; i++) {
		ret = get_user_pages_fast((uptr & PAGE_MASK) + i * PAGE_SIZE,
					  1, 0, &page);
		if (ret != 1)
			return ret < 0 ? ret : -EFAULT;
		put_page(page);
		if (page != pages[i])
			return -EINVAL;
	}
	return 0;
}

static int pin_and_record(struct mock_access *access, struct mock_pin *pin,
			  struct page **pages, unsigned int flags, u32 *id)
{
	int ret;

	ret = down_read_killable(&access->move_rwsem);
	if (ret)
		return ret;
	ret = iommufd_access_pin_pages(access->access, pin->iova, pin->length,
				       pages, flags);
	if (ret)
		goto up;
	mock_hold(&mock_knobs.pins);
	mutex_lock(&access->lock);
	/* Once the lock is dropped, an unmap may free the pin. */
	*id = ++access->last_id;
	pin->id = *id;
	list_add(&pin->node, &access->pins);
	mutex_unlock(&access->lock);
up:
	up_read(&access->move_rwsem);
	return ret;
}

static int unpin_id(struct mock_access *access, u32 id)
{
	struct mock_pin *pin;
	int ret = -ENOENT;

	mutex_lock(&access->lock);
	list_for_each_entry(pin, &access->pins, node) {
		if (pin->id == id) {
			unpin(access, pin);
			ret = 0;
			break;
		}
	}
	mutex_unlock(&access->lock);
	return ret;
}

static int pin(struct mock_access *access, struct iommufd_ucmd *ucmd, u64 iova)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 length = cmd->access_pages.length;
	unsigned int flags = 0;
	unsigned long npages;
	struct mock_pin *new;
	struct page **pages;
	int ret = -ENOMEM;
	u32 id;

	if (cmd->access_pages.flags & MOCK_FLAGS_ACCESS_WRITE)
		flags = IOMMUFD_ACCESS_RW_WRITE;
	npages = PFN_UP(offset_in_page(iova) + length);

	pages = kvcalloc(npages, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	new = kzalloc_obj(*new, GFP_KERNEL_ACCOUNT);
	if (!pages || !new)
		goto free;
	new->iova = iova;
	new->length = length;

	ret = pin_and_record(access, new, pages, flags, &id);
	if (ret)
		goto free;
	new = NULL;

	ret = check_pages(cmd->access_pages.uptr, pages, npages);
	if (!ret) {
		cmd->access_pages.out_access_pages_id = id;
		ret = iommufd_ucmd_respond(ucmd, sizeof(*cmd));
	}
	if (ret)
		unpin_id(access, id);
free:
	kfree(new);
	kvfree(pages);
	return ret;
}

/**
 * mock_access_pin - IOMMU_TEST_OP_ACCESS_PAGES
 * @ucmd: the request: pins a range and checks that it maps the user's memory
 *
 * Return: 0 or a negative errno.
 */
int mock_access_pin(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	u64 length = cmd->access_pages.length;
	u32 flags = cmd->access_pages.flags;
	u64 iova = cmd->access_pages.iova;
	struct mock_access *access;
	struct file *file;
	int ret = 0;

	if (flags & ~(MOCK_FLAGS_ACCESS_WRITE | MOCK_FLAGS_ACCESS_SYZ))
		return -EOPNOTSUPP;
	if (!length || length > MOCK_PIN_MAX)
		return -EINVAL;

	access = access_get(ucmd, &file);
	if (IS_ERR(access))
		return PTR_ERR(access);
	if (!access->pins_pages)
		ret = -EINVAL;
	if (!ret && (flags & MOCK_FLAGS_ACCESS_SYZ))
		ret = fuzzed_iova(access, &iova);
	if (!ret)
		ret = pin(access, ucmd, iova);
	fput(file);
	return ret;
}

/**
 * mock_access_unpin - IOMMU_TEST_OP_DESTROY_ACCESS_PAGES
 * @ucmd: the request
 *
 * Return: 0 or a negative errno.
 */
int mock_access_unpin(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	struct mock_access *access;
	struct file *file;
	int ret;

	access = access_get(ucmd, &file);
	if (IS_ERR(access))
		return PTR_ERR(access);
	ret = unpin_id(access, cmd->destroy_access_pages.access_pages_id);
	fput(file);
	return ret;
}
