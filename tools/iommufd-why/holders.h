/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The device or group of a request to VFIO that failed, and who else has it. */
#ifndef __HOLDERS_H
#define __HOLDERS_H

#include "failure.h"

/*
 * Sets the name of the device, the number of the IOMMU group (the first number
 * of the failure, else NO_GROUP) and @holder, as far as /proc and sysfs tell.
 */
void holders_find(struct failure *failure);

#endif
