/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an errno of iommufd can mean, where the kernel does not tell why. */
#ifndef __MEANINGS_H
#define __MEANINGS_H

/* For ones that iommufd does not use: that it does not. */
const char *meaning_find(int error);

#endif
