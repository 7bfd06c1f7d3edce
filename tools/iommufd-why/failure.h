/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __FAILURE_H
#define __FAILURE_H

#include <stdbool.h>
#include "../../bpf/iommufd_why.h"

/**
 * struct failure - a request that failed
 * @fail: who asked for what, and why it failed
 * @subject: what it was about; @subject.kind is 0 if nobody told
 * @stock: of a stock kernel: in @fail are the process, the request and the error
 *	alone
 */
struct failure {
	struct why_fail fail;
	struct why_subject subject;
	bool stock;
};

#endif
