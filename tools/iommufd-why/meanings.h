/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The possible meanings of an errno, for kernels that don't report reasons. */
#ifndef __MEANINGS_H
#define __MEANINGS_H

/* For an errno that iommufd does not return, the text says so. */
const char *meaning_find(int error);

#endif
