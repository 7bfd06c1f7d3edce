/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __FAILURE_H
#define __FAILURE_H

#include <stdbool.h>
#include "../../bpf/iommufd_why.h"

/**
 * struct failure - a request that failed
 * @fail: the request, its process, and why it failed
 * @subject: what the request was about; @subject.kind is 0 if that is not known
 * @stock: the kernel has a stock iommufd: @fail has only the process, the
 *	request and the error
 */
struct failure {
	struct why_fail fail;
	struct why_subject subject;
	bool stock;
};

#endif
