// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/err.h"
#include "checks.h"
#include "options.h"
#include "pci.h"

/* The checks could not be completed. */
#define EXIT_ERROR 2

static struct options options;

/* Checks the devices that VFIO has. */
static void check_bound(const struct host *host,
			const struct processes *processes, struct report *out)
{
	char driver[TEXT_SIZE];
	struct dirent **entries;
	int nr = host_list(host, &entries, PCI_DEVICES);
	bool any = false;

	for (int i = 0; i < nr; i++) {
		pci_driver(host, entries[i]->d_name, driver);
		if (!pci_is_vfio(driver))
			continue;
		any = true;
		check_device(host, processes, entries[i]->d_name, out);
	}
	host_free(entries, nr);
	if (!any)
		report(out, "driver", NULL, STATE_NONE, NULL,
		       "no PCI device is bound to a driver of VFIO");
}

static void check_all(const struct host *host, struct report *out)
{
	struct processes processes;
	struct symbols symbols;

	processes_read(&processes, host);
	symbols_read(&symbols, host);
	check_iommu(host, out);
	check_iommufd(host, &symbols, &processes, out);
	check_vfio(host, &symbols, out);
	for (size_t i = 0; i < options.nr_devices; i++)
		check_device(host, &processes, options.devices[i], out);
	if (!options.nr_devices)
		check_bound(host, &processes, out);
	check_memory(host, &processes, out);
	check_tools(host, &symbols, out);
	processes_free(&processes);
}

int main(int argc, char **argv)
{
	struct report out = {};
	struct host host;

	options_parse(&options, argc, argv);
	out.json = options.common.json;
	out.verbose = options.common.verbose;
	host_init(&host, options.root);
	if (!host_has(&host, "/proc/self/status") || !host_has(&host, "/sys")) {
		err_say("%s/proc or %s/sys is not mounted", options.root,
			options.root);
		return EXIT_ERROR;
	}
	check_all(&host, &out);
	report_end(&out);
	if (fflush(stdout) || ferror(stdout)) {
		err_say("can't write: %s", strerror(errno));
		return EXIT_ERROR;
	}
	return out.counts[STATE_PROBLEM] ? EXIT_FAILURE : EXIT_SUCCESS;
}
