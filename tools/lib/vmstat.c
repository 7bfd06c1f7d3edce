// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include "vmstat.h"

__u64 vmstat_iommu_pages(void)
{
	FILE *file = fopen("/proc/vmstat", "re");
	unsigned long long pages = ~0ULL;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_iommu_pages %llu", &pages) == 1)
			break;
	if (file)
		fclose(file);
	return pages;
}
