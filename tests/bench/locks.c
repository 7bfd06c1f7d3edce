// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kernel's statistics of locks (CONFIG_LOCK_STAT), for --locks. */
#include <stdio.h>

#include "bench.h"

#define STATISTICS "/proc/lock_stat"
#define SWITCH	   "/proc/sys/kernel/lock_stat"

/* From here on, locks are counted. */
void locks_begin(void)
{
	write_file(STATISTICS, "0");
	write_file(SWITCH, "1");
}

void locks_end(void)
{
	write_file(SWITCH, "0");
}

/* Prints them as they are. */
void locks_print(uint64_t calls, unsigned int threads)
{
	FILE *file = fopen(STATISTICS, "re");
	char line[512];

	if (!file)
		fail(STATISTICS ": %m");
	printf("= locks %llu %u\n", (unsigned long long)calls, threads);
	while (fgets(line, sizeof(line), file))
		printf("= lock %s", line);
	fclose(file);
	fflush(stdout);
}
