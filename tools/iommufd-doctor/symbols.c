// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "symbols.h"

void symbols_read(struct symbols *symbols, const struct host *host)
{
	struct {
		const char *name;
		enum place *place;
	} const wanted[] = {
		/* Each trace event has such a function. */
		{ "__traceiter_iommufd_fail", &symbols->events },
		{ "__traceiter_iommufd_vevent", &symbols->driver_events },
		/* An exported one of include/linux/iommufd.h. */
		{ "iommufd_viommu_find_dev", &symbols->driver },
		{ "vfio_group_use_container", &symbols->container },
	};
	FILE *file = host_open(host, "/proc/kallsyms");
	char line[TEXT_SIZE], name[128], module[64];

	memset(symbols, 0, sizeof(*symbols));
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		int fields =
			sscanf(line, "%*s %*s %127s [%63[^]]]", name, module);

		symbols->known |= fields > 0;
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
			if (fields > 0 && !strcmp(name, wanted[i].name))
				*wanted[i].place = fields == 2 ? PLACE_MODULE :
								 PLACE_IMAGE;
	}
	fclose(file);
}
