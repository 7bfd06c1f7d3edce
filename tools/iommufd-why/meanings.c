// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The meanings of docs/failures.md by errno, in numerical order. A test checks
 * that each errno of that page is here.
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
	  "a capability is missing, the IOMMU group of the device belongs to another user or to a kernel driver, interrupt remapping is off, a mapping or a file does not allow that kind of access, or a policy denies it" },
	{ ENOENT,
	  "no object has that id, the object has the wrong type, nothing is mapped there, or an unmap would split a mapping" },
	{ EINTR,
	  "a signal ended the request; most programs try again" },
	{ ENXIO,
	  "there is nothing at that offset" },
	{ E2BIG,
	  "the structure has fields that this kernel does not know, and they are not zero" },
	{ EBADF,
	  "a file descriptor in the request is not open" },
	{ EAGAIN,
	  "the request can be repeated later, or a policy limits how much is done at a time" },
	{ ENOMEM,
	  "more memory would be locked than RLIMIT_MEMLOCK allows (ulimit -l), the machine or the cgroup is out of memory, or the memory is of a kind that can't be pinned" },
	{ EFAULT,
	  "the memory to be mapped does not exist, is not writable or belongs to a device (a BAR), or the request itself can't be read" },
	{ EBUSY,
	  "other objects depend on it, it is already attached, it is too late to set an option, or the IOMMU group of the device is in use" },
	{ EEXIST,
	  "something is mapped at that address already, or such an object already exists" },
	{ ENODEV,
	  "there is no IOMMU in front of the device, the device is gone or has revoked its memory, or a VFIO container is not set up yet" },
	{ EINVAL,
	  "something in the request is not allowed: a length of 0, an address that is not aligned, reserved or out of the IOMMU's reach, an object that does not match, a flag or a size" },
	{ ENFILE,
	  "the system has reached its limit of open files (fs.file-max)" },
	{ EMFILE,
	  "the process has reached its limit of open files (ulimit -n)" },
	{ ENOTTY,
	  "this kernel does not know that request, or the file is not /dev/iommu" },
	{ ENOSPC,
	  "no free range in the IOAS is large enough" },
	{ ESPIPE,
	  "the length of a read or write is not a multiple of the record size" },
	{ EOVERFLOW,
	  "the range ends beyond the last possible address" },
	{ EMSGSIZE,
	  "the buffer is too small for the answer; programs try again with a larger one" },
	{ EOPNOTSUPP,
	  "the IOMMU, its driver or this kernel does not support it, or a flag, a type or a reserved field is unknown" },
	{ EADDRINUSE,
	  "something is mapped, or promised by IOAS_ALLOW_IOVAS, where the device can't do DMA or where addresses are to be excluded" },
};
/* clang-format on */

const char *meaning_find(int error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].error == error)
			return meanings[i].text;
	return "iommufd itself does not return it, but a driver may";
}
