// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Preloaded into the kernel's own tests on a slow kernel: their harness limits
 * each case to 30 s. PATIENCE is the factor by which that limit is extended;
 * other timeouts are unchanged.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdlib.h>

#define CASE_LIMIT_MS 30000

int poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
	int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");
	const char *patience = getenv("PATIENCE");

	if (timeout == CASE_LIMIT_MS && patience)
		timeout *= atoi(patience);
	return real(fds, nfds, timeout);
}
