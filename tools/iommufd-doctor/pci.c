// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/pci_regs.h>
#include <string.h>
#include "pci.h"

#define CONFIG_SIZE 4096
/* A bridge isolates the devices below it if all of these are on. */
#define ISOLATES (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

void pci_driver(const struct host *host, const char *address,
		char driver[TEXT_SIZE])
{
	host_link_name(host, driver, PCI_DEVICES "/%s/driver", address);
}

bool pci_is_vfio(const char *driver)
{
	return strstr(driver, "vfio");
}

bool pci_blocks_group(const char *driver)
{
	/* These do no DMA. */
	static const char *const harmless[] = { "", "pcieport", "pci-stub" };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (!strcmp(driver, harmless[i]))
			return false;
	return !pci_is_vfio(driver);
}

bool pci_is_bridge(const struct host *host, const char *address)
{
	/* The class is followed by the programming interface. */
	return host_number(host, 0, PCI_DEVICES "/%s/class", address) >> 8 ==
	       0x0604;
}

bool pci_parent(const struct host *host, const char *address,
		char parent[TEXT_SIZE])
{
	unsigned int domain, bus, slot, function;
	char target[TEXT_SIZE], *end, *name;
	bool found;

	*parent = '\0';
	if (!host_link(host, target, PCI_DEVICES "/%s", address))
		return false;
	end = strrchr(target, '/');
	if (!end)
		return false;
	*end = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	found = sscanf(name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) ==
		4;
	if (found)
		snprintf(parent, TEXT_SIZE, "%s", name);
	return found;
}

bool pci_same_slot(const char *one, const char *other)
{
	const char *end = strrchr(one, '.');

	return end && !strncmp(one, other, end - one + 1);
}

static unsigned int number16(const unsigned char *config, unsigned int at)
{
	return config[at] | config[at + 1] << 8;
}

enum acs pci_acs(const struct host *host, const char *address)
{
	FILE *file = host_open(host, PCI_DEVICES "/%s/config", address);
	unsigned int at = PCI_CFG_SPACE_SIZE, control;
	unsigned char config[CONFIG_SIZE];
	size_t size;

	if (!file)
		return ACS_UNKNOWN;
	size = fread(config, 1, sizeof(config), file);
	fclose(file);
	/* Users other than root see the first 64 bytes. */
	if (size <= 64)
		return ACS_UNKNOWN;
	/* Each capability is at least 8 bytes: that limits the list. */
	for (int i = 0; i < CONFIG_SIZE / 8; i++) {
		if (at < PCI_CFG_SPACE_SIZE || at + 8 > size)
			return ACS_NONE;
		if (number16(config, at) == PCI_EXT_CAP_ID_ACS) {
			control = number16(config, at + PCI_ACS_CTRL);
			return (control & ISOLATES) == ISOLATES ? ACS_ON :
								  ACS_OFF;
		}
		at = number16(config, at + 2) >> 4;
	}
	return ACS_NONE;
}
