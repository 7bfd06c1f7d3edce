// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fault injection for calls that can fail, but whose allocations FAILSLAB does
 * not see.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "mock/driver.h"
#include "mock/mock.h"

static DECLARE_FAULT_ATTR(fail_attr);
static struct dentry *fail_dir;

/**
 * iommufd_mock_should_fail - check whether the caller shall fail
 *
 * For callers that have nothing to undo yet. Tests control it by fail_iommufd
 * in debugfs, and by /proc/self/fail-nth.
 *
 * Return: true if the caller shall fail.
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
