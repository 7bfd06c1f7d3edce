// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * docs/failures.md the other way round: by errno, in their order. A test holds that there is one
 * for each errno of that page.
 */
#include <errno.h>
#include <stddef.h>
#include "meanings.h"

/* clang-format off */
static const struct {
	int error;
	const char *text;
} meanings[] = {
	{ EPERM,
	  "a capability is missing, the IOMMU group of the device belongs to another user or to a driver of the kernel, interrupt remapping is off, a mapping or a file does not allow that kind of access, or a policy denies it" },
	{ ENOENT,
	  "there is no object of that id, or it is of another type than is needed, or nothing is mapped there, or an unmap would cut a mapping" },
	{ EINTR,
	  "a signal ended the request; most programs try again" },
	{ ENXIO,
	  "there is nothing at that offset" },
	{ E2BIG,
	  "the structure has fields that this kernel does not know, and they are not zero" },
	{ EBADF,
	  "a file descriptor in the request is not open" },
	{ EAGAIN,
	  "it can be done later, or a policy limits how much is done at a time" },
	{ ENOMEM,
	  "more memory would be locked than RLIMIT_MEMLOCK allows (ulimit -l), the machine or the cgroup is out of memory, or the memory is of a kind that can't be pinned" },
	{ EFAULT,
	  "memory to be mapped is not there, is not writable or is that of a device (a BAR), or the request itself can't be read" },
	{ EBUSY,
	  "other objects depend on it, it is attached already, it is too late to set an option, or the IOMMU group of the device is in use" },
	{ EEXIST,
	  "something is mapped at that address already, or there is such an object already" },
	{ ENODEV,
	  "no IOMMU is in front of the device, the device is gone or has taken its memory back, or a VFIO container is not set up yet" },
	{ EINVAL,
	  "something in the request is not allowed: a length of 0, an address that is not aligned, reserved or out of the IOMMU's reach, an object that does not fit, a flag or a size" },
	{ ENFILE,
	  "all files of the system are in use (fs.file-max)" },
	{ EMFILE,
	  "all files that the process may open are in use (ulimit -n)" },
	{ ENOTTY,
	  "this kernel does not know that request, or the file is not /dev/iommu" },
	{ ENOSPC,
	  "no free place in the IOAS is large enough" },
	{ ESPIPE,
	  "a read or write was not of whole records" },
	{ EOVERFLOW,
	  "the range does not end before the last address" },
	{ EMSGSIZE,
	  "there is no room for the answer; programs ask again with more" },
	{ EOPNOTSUPP,
	  "the IOMMU, its driver or this kernel can't do it, or a flag, a type or a reserved field is not known" },
	{ EADDRINUSE,
	  "something is mapped, or promised, where the device can't do DMA, or where addresses are to be excluded" },
};
/* clang-format on */

const char *meaning_find(int error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].error == error)
			return meanings[i].text;
	return "iommufd itself does not use it; a driver may";
}
