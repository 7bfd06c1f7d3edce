/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Objects that may be older than this program, from the kernel's list. */
#ifndef __OBJECTS_H
#define __OBJECTS_H

#include "../lib/list.h"
#include "failure.h"

/*
 * An object as it is now, or NULL if it does not exist or can't be listed. It
 * is valid until the next call.
 */
const struct list_object *objects_find(__u32 ctx, __u32 id);

/* Names the device of the request if its event has only the id. */
void objects_name_device(struct failure *failure);

void objects_end(void);

#endif
