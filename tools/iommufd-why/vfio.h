/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Failures of requests to VFIO for which iommufd gives no reason. */
#ifndef __VFIO_H
#define __VFIO_H

#include "failure.h"
#include "sentences.h"

/* Whether iommufd may have refused it: then the sentence is only likely. */
bool vfio_is_unsure(const struct failure *failure);

const struct sentence *vfio_sentence(const struct failure *failure);

/* The part of the kernel that refused it: a word for JSON, and the reason as text. */
const char *vfio_refuser(const struct failure *failure);
const char *vfio_reason(const struct failure *failure);

#endif
