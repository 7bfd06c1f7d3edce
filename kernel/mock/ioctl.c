// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test ioctl: one command of /dev/iommu with many operations.
 */
#include <linux/nospec.h>
#include <linux/overflow.h>

#include "core/ioctl.h"
#include "ioas/ioas.h"
#include "mock/access.h"
#include "mock/check.h"
#include "mock/dmabuf.h"
#include "mock/driver.h"
#include "mock/iopf.h"
#include "mock/mock.h"
#include "mock/slot.h"
#include "mock/viommu.h"

/* In bytes; unlimited until a test sets a limit. */
unsigned int iommufd_mock_memory_limit = UINT_MAX;

static int set_memory_limit(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;

	WRITE_ONCE(iommufd_mock_memory_limit, cmd->memory_limit.limit);
	return 0;
}

/* The reservation lasts as long as the IOAS, so no device owns it. */
static int add_reserved(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	unsigned long start = cmd->add_reserved.start;
	struct iommufd_ioas *ioas;
	unsigned long last;
	int ret;

	if (!cmd->add_reserved.length ||
	    check_add_overflow(start,
			       (unsigned long)cmd->add_reserved.length - 1,
			       &last))
		return -EINVAL;

	ioas = iommufd_ioas_get(ucmd->ctx, cmd->id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	mutex_lock(&ioas->iova_lock);
	ret = iommufd_iova_map_reserve(&ioas->iovas, start, last, NULL, false);
	mutex_unlock(&ioas->iova_lock);
	iommufd_object_put(ucmd->ctx, &ioas->obj);
	return ret;
}

typedef int (*mock_operation)(struct iommufd_ucmd *ucmd);

static const mock_operation operations[] = {
	[IOMMU_TEST_OP_ADD_RESERVED] = add_reserved,
	[IOMMU_TEST_OP_MOCK_DOMAIN] = mock_slot_create,
	[IOMMU_TEST_OP_MD_CHECK_MAP] = mock_check_map,
	[IOMMU_TEST_OP_MD_CHECK_REFS] = mock_check_refs,
	[IOMMU_TEST_OP_CREATE_ACCESS] = mock_access_create,
	[IOMMU_TEST_OP_DESTROY_ACCESS_PAGES] = mock_access_unpin,
	[IOMMU_TEST_OP_ACCESS_PAGES] = mock_access_pin,
	[IOMMU_TEST_OP_ACCESS_RW] = mock_access_rw,
	[IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT] = set_memory_limit,
	[IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE] = mock_slot_replace,
	[IOMMU_TEST_OP_ACCESS_REPLACE_IOAS] = mock_access_replace,
	[IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS] = mock_slot_create,
	[IOMMU_TEST_OP_DIRTY] = mock_dirty,
	[IOMMU_TEST_OP_MD_CHECK_IOTLB] = mock_check_iotlb,
	[IOMMU_TEST_OP_TRIGGER_IOPF] = mock_iopf_trigger,
	[IOMMU_TEST_OP_DEV_CHECK_CACHE] = mock_check_cache,
	[IOMMU_TEST_OP_TRIGGER_VEVENT] = mock_viommu_trigger,
	[IOMMU_TEST_OP_PASID_ATTACH] = mock_slot_pasid_attach,
	[IOMMU_TEST_OP_PASID_REPLACE] = mock_slot_pasid_replace,
	[IOMMU_TEST_OP_PASID_DETACH] = mock_slot_pasid_detach,
	[IOMMU_TEST_OP_PASID_CHECK_HWPT] = mock_slot_pasid_check,
	[IOMMU_TEST_OP_DMABUF_GET] = mock_dmabuf_create,
	[IOMMU_TEST_OP_DMABUF_REVOKE] = mock_dmabuf_revoke,
};

/**
 * iommufd_cmd_test - IOMMU_TEST_CMD
 * @ucmd: the request, a struct iommu_test_cmd
 *
 * Return: the result of the operation, which is a new file descriptor for some,
 * or -EOPNOTSUPP.
 */
int iommufd_cmd_test(struct iommufd_ucmd *ucmd)
{
	struct iommu_test_cmd *cmd = ucmd->cmd;
	mock_operation run;

	if (cmd->__reserved || cmd->op >= ARRAY_SIZE(operations))
		return -EOPNOTSUPP;
	run = operations[array_index_nospec(cmd->op, ARRAY_SIZE(operations))];
	return run ? run(ucmd) : -EOPNOTSUPP;
}
