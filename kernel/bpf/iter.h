/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_BPF_ITER_H
#define __IOMMUFD_BPF_ITER_H

int iommufd_iter_init(void);

#endif
