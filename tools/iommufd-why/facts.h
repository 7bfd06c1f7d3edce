/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts about a failure beside its numbers, looked up right after it:
 *
 *	pid, comm, uid  the process that made the request
 *	policy          name of the BPF policy that refused it
 *	ioas, range, length
 *	                of a map or unmap request; the IOAS of an attach
 *	device          PCI address of the device to bind or attach, or that a page
 *	                table is for
 *	devices         the devices of the IOMMU group that is the first number,
 *	                with their drivers
 *	driven          one of them that is bound to a kernel driver
 *	memory          the file that the process has mapped at the first number
 *	region          what the platform uses the first number, an address, for
 *	refused         reason for which the map of the range failed before
 *	holder          who has the device or group that VFIO refused
 *	group           number of the IOMMU group of a request to VFIO
 *	file            path in /dev/vfio of the file that could not be opened
 *	nopri           the device, if it has no PRI and was to be attached to a
 *	                page table with a fault queue
 *	pinlimit        whose limit of pinned memory would be exceeded: what is
 *	                pinned, and the limit
 *	raise           a command that raises that limit
 *	bits, reach     address width, if the first number is the first address
 *	                out of reach
 */
#ifndef __FACTS_H
#define __FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include "failure.h"

#define FACT_SIZE 512

/*
 * Writes a fact to @text, of FACT_SIZE bytes. Returns false if the fact is not
 * known.
 */
bool fact_find(const struct failure *failure, const char *name, char *text);

#endif
