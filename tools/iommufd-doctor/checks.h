/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The checks, each in a file of its own; all report what they find. */
#ifndef __CHECKS_H
#define __CHECKS_H

#include "host.h"
#include "processes.h"
#include "report.h"
#include "symbols.h"

/* The IOMMU and its remapping of interrupts. */
void check_iommu(const struct host *host, struct report *out);

/* Whose iommufd this is, and whether this user can open it. */
void check_iommufd(const struct host *host, const struct symbols *symbols,
		   const struct processes *processes, struct report *out);

/* VFIO: devices as files of their own, groups, containers. */
void check_vfio(const struct host *host, const struct symbols *symbols,
		struct report *out);

/* A PCI device: its driver, its group, its users. */
void check_device(const struct host *host, const struct processes *processes,
		  const char *address, struct report *out);

/* Limits of locked memory, huge pages. */
void check_memory(const struct host *host, const struct processes *processes,
		  struct report *out);

/* Trace events, BPF and type information, which the tools need. */
void check_tools(const struct host *host, const struct symbols *symbols,
		 struct report *out);

#endif
