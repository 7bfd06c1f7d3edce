// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

/* CPUs have consecutive numbers here, and number 0 is the boot CPU. */
void start_cpus(void)
{
	char path[64];
	int cpu, fd;

	for (cpu = 1;; cpu++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/online", cpu);
		fd = open(path, O_WRONLY);
		if (fd < 0)
			break;
		if (write(fd, "1", 1) != 1)
			die("starting CPU %d: %s", cpu, strerror(errno));
		close(fd);
	}
}
