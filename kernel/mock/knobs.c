// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tests need of the software IOMMU and the test ioctl has no operation for:
 * files in the directory iommufd_mock of debugfs. All are 0 until a test writes
 * to them, and nothing is different then.
 */
#include <linux/debugfs.h>
#include <linux/wait.h>

#include "mock/driver.h"

struct mock_knobs mock_knobs;

static bool hold_vdevices;
static atomic_t held_vdevices;
static DECLARE_WAIT_QUEUE_HEAD(hold_wait);
static struct dentry *knobs_dir;

/**
 * mock_hold_vdevice - keep a request for a vDEVICE in the driver
 *
 * It waits for as long as hold_vdevices is set; held_vdevices says how many do.
 *
 * Context: process context, sleeps, no lock is held.
 *
 * Returns 0, or -EINTR if the process is killed meanwhile.
 */
int mock_hold_vdevice(void)
{
	int ret;

	atomic_inc(&held_vdevices);
	ret = wait_event_killable(hold_wait, !READ_ONCE(hold_vdevices));
	atomic_dec(&held_vdevices);
	return ret ? -EINTR : 0;
}

static int hold_get(void *data, u64 *value)
{
	*value = READ_ONCE(hold_vdevices);
	return 0;
}

static int hold_set(void *data, u64 value)
{
	WRITE_ONCE(hold_vdevices, value);
	wake_up_all(&hold_wait);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(hold_fops, hold_get, hold_set, "%llu\n");

void mock_knobs_init(void)
{
	struct dentry *dir = debugfs_create_dir("iommufd_mock", NULL);

	debugfs_create_bool("not_coherent", 0600, dir,
			    &mock_knobs.not_coherent);
	debugfs_create_bool("must_enforce", 0600, dir,
			    &mock_knobs.must_enforce);
	debugfs_create_bool("own_domains", 0600, dir, &mock_knobs.own_domains);
	debugfs_create_bool("large_pages", 0600, dir, &mock_knobs.large_pages);
	debugfs_create_file_unsafe("hold_vdevices", 0600, dir, NULL,
				   &hold_fops);
	debugfs_create_atomic_t("held_vdevices", 0400, dir, &held_vdevices);
	knobs_dir = dir;
}

void mock_knobs_exit(void)
{
	debugfs_remove_recursive(knobs_dir);
}
