// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of the software IOMMU for which the test ioctl has no operation:
 * files in the directory iommufd_mock of debugfs. All are 0, which changes
 * nothing, until a test writes to them.
 */
#include <linux/debugfs.h>
#include <linux/wait.h>

#include "mock/driver.h"
#include "mock/knobs.h"

struct mock_knobs mock_knobs;

static DECLARE_WAIT_QUEUE_HEAD(hold_wait);
static struct dentry *knobs_dir;

/**
 * mock_hold - block while a test holds requests at this point
 * @hold: the point
 *
 * Context: Process context, sleeps. The caller must not hold a lock that the
 * test needs.
 * Return: 0, or -EINTR if the process was killed while waiting.
 */
int mock_hold(struct mock_hold *hold)
{
	int ret;

	atomic_inc(&hold->held);
	ret = wait_event_killable(hold_wait, !READ_ONCE(hold->on));
	atomic_dec(&hold->held);
	return ret ? -EINTR : 0;
}

static int hold_get(void *data, u64 *value)
{
	struct mock_hold *hold = data;

	*value = READ_ONCE(hold->on);
	return 0;
}

static int hold_set(void *data, u64 value)
{
	struct mock_hold *hold = data;

	WRITE_ONCE(hold->on, value);
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
	debugfs_create_bool("can_enforce", 0600, dir, &mock_knobs.can_enforce);
	debugfs_create_bool("own_domains", 0600, dir, &mock_knobs.own_domains);
	debugfs_create_bool("large_pages", 0600, dir, &mock_knobs.large_pages);
	debugfs_create_file_unsafe("hold_vdevices", 0600, dir,
				   &mock_knobs.vdevices, &hold_fops);
	debugfs_create_atomic_t("held_vdevices", 0400, dir,
				&mock_knobs.vdevices.held);
	debugfs_create_file_unsafe("hold_pins", 0600, dir, &mock_knobs.pins,
				   &hold_fops);
	debugfs_create_atomic_t("held_pins", 0400, dir, &mock_knobs.pins.held);
	debugfs_create_file_unsafe("hold_revokes", 0600, dir,
				   &mock_knobs.revokes, &hold_fops);
	debugfs_create_atomic_t("held_revokes", 0400, dir,
				&mock_knobs.revokes.held);
	knobs_dir = dir;
}

void mock_knobs_exit(void)
{
	debugfs_remove_recursive(knobs_dir);
}
