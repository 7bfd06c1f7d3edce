/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* PCI devices as sysfs shows them. */
#ifndef __PCI_H
#define __PCI_H

#include "host.h"

#define PCI_DEVICES "/sys/bus/pci/devices"

enum acs {
	ACS_UNKNOWN, /* the configuration space is not readable */
	ACS_NONE,
	ACS_OFF, /* not all that isolates is on */
	ACS_ON,
};

/* "" without a driver. */
void pci_driver(const struct host *host, const char *address,
		char driver[TEXT_SIZE]);

/* Whether the driver hands devices to user space. */
bool pci_is_vfio(const char *driver);

/* Whether a device with this driver keeps others of its group from VFIO. */
bool pci_blocks_group(const char *driver);

bool pci_is_bridge(const struct host *host, const char *address);

/* The bridge that the device is below; false at the root. */
bool pci_parent(const struct host *host, const char *address,
		char parent[TEXT_SIZE]);

/* Whether these are functions of one device. */
bool pci_same_slot(const char *one, const char *other);

enum acs pci_acs(const struct host *host, const char *address);

#endif
