// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures on request, where iommufd calls what can fail but allocates nothing
 * that FAILSLAB sees.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "mock/driver.h"
#include "mock/mock.h"

static DECLARE_FAULT_ATTR(fail_attr);
static struct dentry *fail_dir;

/**
 * iommufd_mock_should_fail - whether the caller is to fail
 *
 * For a caller whose failure has nothing to undo yet. Tests find it in debugfs
 * as fail_iommufd, and through /proc/self/fail-nth.
 */
bool iommufd_mock_should_fail(void)
{
	return should_fail(&fail_attr, 1);
}

void mock_fault_init(void)
{
	fail_dir = fault_create_debugfs_attr("fail_iommufd", NULL, &fail_attr);
}

void mock_fault_exit(void)
{
	debugfs_remove_recursive(fail_dir);
}
