// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A real device, through the character device of VFIO. One at a time. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"

/* It is a STDEV without an id: its file represents it. */
void cdev_bind(struct run *run)
{
	struct vfio_device_bind_iommufd cmd = {
		.argsz = sizeof(cmd),
		.iommufd = run->world->fd,
	};
	struct object *stdev;
	int fd;

	if (right(run, STDEV))
		return;
	fd = open(options.device, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	any(run);
	/*
	 * Enabling the device allocates memory in ACPI and PCI, which report
	 * failures in many ways.
	 */
	run->nth = 0;
	call_on(run, fd, VFIO_DEVICE_BIND_IOMMUFD, &cmd);
	judged(run, "%s", "");
	if (run->error) {
		close(fd);
		return;
	}
	stdev = object_add(run, STDEV, 0x7f000003);
	stdev->fd = fd;
	stdev->device = object_add(run, IDEV, cmd.out_devid);
}

static void leave(struct object *stdev)
{
	struct object *hwpt = stdev->hwpt;

	stdev->hwpt = NULL;
	if (!hwpt)
		return;
	hwpt->users--;
	if (hwpt->automatic && !hwpt->users)
		object_end(hwpt);
}

void cdev_attach(struct run *run)
{
	static const enum kind kinds[] = { IOAS, IOAS, HWPT };
	struct object *stdev = right(run, STDEV);
	struct object *target = pick_of(run, kinds, ARRAY_SIZE(kinds)), *hwpt;
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.pt_id = id_of(run, target),
	};

	if (!stdev)
		return;
	any(run);
	call_on(run, stdev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd);
	judged(run, "%s", name_of(target));
	if (run->error || !target)
		return;
	hwpt = is(target, IOAS) ? object_by_id(run, cmd.pt_id) : target;
	if (!hwpt) {
		hwpt = object_add(run, HWPT, cmd.pt_id);
		hwpt->automatic = true;
		object_depend(hwpt, target);
	}
	hwpt->users++;
	leave(stdev);
	stdev->hwpt = hwpt;
}

void cdev_detach(struct run *run)
{
	struct object *stdev = right(run, STDEV);
	struct vfio_device_detach_iommufd_pt cmd = { .argsz = sizeof(cmd) };

	if (!stdev)
		return;
	run->strict = true;
	call_on(run, stdev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd);
	judged(run, "%s", name_of(stdev));
	if (!run->error)
		leave(stdev);
}

void cdev_close(struct run *run)
{
	struct object *stdev = right(run, STDEV);

	if (!stdev || run->world->wild)
		return;
	leave(stdev);
	close(stdev->fd);
	run->error = 0;
	judged(run, "%s", name_of(stdev));
	object_end(stdev->device);
	object_end(stdev);
}
