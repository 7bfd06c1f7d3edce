// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include "../../bpf/iommufd_ioctl.h"
#include "vfio.h"

#define GROUP_OWNED                                                            \
	"[IOMMU group {group}|The IOMMU group of the device][ ({devices})] "   \
	"has [{driven}, which is bound to a kernel driver|a device that "      \
	"another user has, such as a second VM][ ({holder})], and devices of " \
	"a group can't be isolated from each other."
#define GIVE_ALL                                                            \
	"Bind all devices of the group[, those of "                         \
	"/sys/kernel/iommu_groups/{group}/devices,] to vfio-pci, and give " \
	"them to one VM.[ End {holder} first.]"

/* For any error without a sentence of its own, and any request. */
#define ANY_ERROR   0
#define ANY_REQUEST (~0U)

/**
 * struct vfio_sentence - explanation of a failure
 * @request: number of the ioctl
 * @when: only where iommufd may have refused it, or only where it has not
 * @sentence: has the error in place of a reason
 */
static const struct vfio_sentence {
	__u32 request;
	enum { BOTH, UNSURE, SURE } when;
	struct sentence sentence;
} all[] = {
	{ WHY_OPEN,
	  BOTH,
	  { "", EBUSY,
	    "/dev/vfio/{file} is open already: [{holder}|another process] has it, and a group can be open only once.",
	    "Give all devices of the group to one process.[ End {holder}, or use another device.]" } },
	{ WHY_OPEN,
	  BOTH,
	  { "", EACCES, "User {uid} may not open /dev/vfio/{file}.",
	    "Give the file to the user, for example with a udev rule: SUBSYSTEM==\"vfio\", OWNER=\"NAME\"; or let libvirt do it." } },
	{ WHY_OPEN,
	  BOTH,
	  { "", EPERM,
	    "The process may not open /dev/vfio/{file}: the rules for devices of its cgroup do not allow it, or there is no IOMMU and it lacks CAP_SYS_RAWIO.",
	    "Allow it with DeviceAllow= of the systemd unit, or --device of the container." } },
	{ WHY_OPEN,
	  BOTH,
	  { "", ENOENT,
	    "There is no /dev/vfio/{file}: the device is not bound to a driver of VFIO, or this kernel or container has no such files.",
	    "Bind all devices of the group to vfio-pci; files in /dev/vfio/devices need CONFIG_VFIO_DEVICE_CDEV. iommufd-doctor looks at all of that." } },
	{ WHY_OPEN,
	  BOTH,
	  { "", ENODEV, "VFIO no longer has what /dev/vfio/{file} is for.",
	    "Bind the device to vfio-pci again." } },
	{ WHY_OPEN,
	  BOTH,
	  { "", ANY_ERROR, "/dev/vfio/{file} could not be opened.",
	    "The kernel log may say more." } },
	{ IOCTL_SET_CONTAINER, BOTH, { "", EBUSY, GROUP_OWNED, GIVE_ALL } },
	{ IOCTL_SET_CONTAINER, BOTH, { "", EPERM, GROUP_OWNED, GIVE_ALL } },
	{ IOCTL_SET_CONTAINER,
	  BOTH,
	  { "", EINVAL,
	    "[IOMMU group {group}|The group] is in a container already, or the file is no container, or its IOMMU does not suit the container.",
	    "Put the group into a container of its own." } },
	{ IOCTL_SET_CONTAINER,
	  BOTH,
	  { "", ANY_ERROR,
	    "VFIO did not put [IOMMU group {group}|the group] into the container.",
	    "The kernel log may say more." } },
	{ IOCTL_GROUP_DEVICE,
	  BOTH,
	  { "", ENODEV,
	    "[IOMMU group {group}|The group] has no device {device}, or VFIO does not have that device.",
	    "Bind the device to vfio-pci, and check its address and group: /sys/bus/pci/devices/ADDRESS/iommu_group." } },
	{ IOCTL_GROUP_DEVICE,
	  BOTH,
	  { "", EINVAL,
	    "[IOMMU group {group}|The group] is in no container that has a type.",
	    "Call VFIO_GROUP_SET_CONTAINER and VFIO_SET_IOMMU first." } },
	{ IOCTL_GROUP_DEVICE, BOTH, { "", EPERM, GROUP_OWNED, GIVE_ALL } },
	{ IOCTL_GROUP_DEVICE, BOTH, { "", EBUSY, GROUP_OWNED, GIVE_ALL } },
	{ IOCTL_GROUP_DEVICE,
	  BOTH,
	  { "", ANY_ERROR,
	    "VFIO did not open [device {device}|the device] of [IOMMU group {group}|the group].",
	    "The kernel log may say more." } },
	{ IOCTL_SET_IOMMU,
	  BOTH,
	  { "", EPERM,
	    "Interrupts of a device in the container are not isolated, or the process may not use this type.",
	    "Enable interrupt remapping: firmware, no intremap=off, a nested hypervisor: -device intel-iommu,intremap=on. Only if all users of devices are trusted: vfio_iommu_type1.allow_unsafe_interrupts=1." } },
	{ IOCTL_SET_IOMMU,
	  BOTH,
	  { "", ANY_ERROR,
	    "The container got no IOMMU: it has no group or has a type already, the type is not supported, or the IOMMU of a group refused.",
	    "Put a group into the container first; the kernel log may say more." } },
	{ IOCTL_DEVICE_BIND, UNSURE, { "", EPERM, GROUP_OWNED, GIVE_ALL } },
	{ IOCTL_DEVICE_BIND, UNSURE, { "", EBUSY, GROUP_OWNED, GIVE_ALL } },
	{ IOCTL_DEVICE_BIND,
	  UNSURE,
	  { "", ENODEV, "There is no IOMMU in front of [{device}|the device].",
	    "Enable the IOMMU: in the firmware, and with intel_iommu=on if this kernel needs it. iommufd-doctor looks at that." } },
	{ IOCTL_DEVICE_BIND,
	  UNSURE,
	  { "", EINVAL,
	    "[{device}|The device] is bound already[: {holder} has it open]; or an argument is invalid.",
	    "A device can be bound once, to one iommufd.[ End {holder}, or use another device.]" } },
	{ IOCTL_DEVICE_BIND,
	  BOTH,
	  { "", ANY_ERROR,
	    "VFIO refused to bind [{device}|the device] and did not ask iommufd: [{holder} has it open|it is bound already, or an argument is invalid].",
	    "A device can be bound once, to one iommufd.[ End {holder}, or use another device.]" } },
	{ IOCTL_DEVICE_ATTACH,
	  UNSURE,
	  { "", ENOENT,
	    "The IOAS or page table that [{device}|the device] was to be attached to does not exist.",
	    "Use the id of an IOAS or page table of the iommufd that the device is bound to." } },
	{ IOCTL_DEVICE_ATTACH,
	  UNSURE,
	  { "", EADDRINUSE,
	    "Something is mapped where [{device}|the device] has a reserved range, such as that of its interrupts.",
	    "Attach devices before mapping, or unmap that range: see reserved_regions of [IOMMU group {group}|its IOMMU group]." } },
	{ IOCTL_DEVICE_ATTACH,
	  UNSURE,
	  { "", ENOMEM,
	    "The attach of [{device}|the device] pins all memory that is mapped, which is more than the process may lock, or there is no memory for page tables.",
	    "Compare iommufd-pins --memlock with RLIMIT_MEMLOCK." } },
	{ IOCTL_DEVICE_ATTACH,
	  UNSURE,
	  { "", EINVAL,
	    "[{device}|The device] is not bound, or the object is no IOAS or page table, or its page table does not suit the device, or another device of [IOMMU group {group}|its IOMMU group] is attached to another page table.",
	    "Bind the device first, and attach all devices of a group to the same IOAS." } },
	{ ANY_REQUEST,
	  SURE,
	  { "", ANY_ERROR,
	    "VFIO refused the request[ for {device}] and did not ask iommufd: the device is not bound, or can't do that.",
	    "Bind the device first, with VFIO_DEVICE_BIND_IOMMUFD; the kernel log may say more." } },
	{ ANY_REQUEST,
	  UNSURE,
	  { "", ANY_ERROR,
	    "VFIO or iommufd refused the request[ for {device}].",
	    "The kernel log may say more." } },
};

bool vfio_is_unsure(const struct failure *failure)
{
	__u32 request = failure->fail.command;

	return failure->stock && request >= IOCTL_DEVICE_BIND &&
	       request <= IOCTL_DEVICE_DETACH;
}

const struct sentence *vfio_sentence(const struct failure *failure)
{
	const struct why_fail *fail = &failure->fail;
	bool unsure = vfio_is_unsure(failure);
	const struct vfio_sentence *at = all;

	/* The last ones are for all. */
	while ((at->request != ANY_REQUEST && at->request != fail->command) ||
	       (at->when && (at->when == UNSURE) != unsure) ||
	       (at->sentence.error && at->sentence.error != -fail->ret))
		at++;
	return &at->sentence;
}

const char *vfio_refuser(const struct failure *failure)
{
	if (failure->fail.command == WHY_OPEN || vfio_is_unsure(failure))
		return "kernel";
	return "vfio";
}

const char *vfio_reason(const struct failure *failure)
{
	if (failure->fail.command == WHY_OPEN)
		return "refused by the kernel";
	return vfio_is_unsure(failure) ? "reason not reported" :
					 "refused by VFIO";
}
