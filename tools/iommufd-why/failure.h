/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __FAILURE_H
#define __FAILURE_H

#include <stdbool.h>
#include "../../bpf/iommufd_why.h"
#include "likely.h"

/* The first number of a failure of VFIO that is for no group. */
#define NO_GROUP (~0ULL)

/**
 * struct failure - a request that failed
 * @fail: the request, its process, and why it failed
 * @subject: what the request was about; @subject.kind is 0 if that is not known
 * @refused: reason for which the map of the range to unmap failed before, or
 *	empty
 * @holder: the process that has the device or group that VFIO refused, or empty
 * @stock: the kernel has a stock iommufd: @fail has only the process, the
 *	request and the error, and for requests to VFIO the device or file
 * @likely: the likely cause on such a kernel
 */
struct failure {
	struct why_fail fail;
	struct why_subject subject;
	char refused[32];
	char holder[64];
	bool stock;
	struct likely likely;
};

#endif
