/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What can be found out about a failure beside its numbers, at once after it:
 *
 *	pid, comm, uid  who asked
 *	policy          name of the BPF policy that refused
 *	ioas, range, length
 *	                of a request to map or unmap; the IOAS of an attach
 *	device          PCI address, of a bind or an attach
 *	devices         those of the IOMMU group that is the first number, and
 *	                their drivers
 *	driven          one of these that a kernel driver has
 *	memory          the file that the process has mapped at the first number
 *	region          what the platform has at the address that is the first
 *	                number
 *	bits, reach     of addresses, where the first number is behind the last
 */
#ifndef __FACTS_H
#define __FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include "failure.h"

#define FACT_SIZE 512

/* Writes a fact to @text, of FACT_SIZE bytes; false if it is not known. */
bool fact_find(const struct failure *failure, const char *name, char *text);

#endif
