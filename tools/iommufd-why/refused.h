/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs that clean up unmap a range although its map has failed. The error
 * of the unmap is a consequence of the map's.
 */
#ifndef __REFUSED_H
#define __REFUSED_H

#include "failure.h"

/* Remembers a map that failed; sets @refused of an unmap of its range. */
void refused_note(struct failure *failure);

#endif
