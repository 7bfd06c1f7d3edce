/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_IOAS_UNMAP_H
#define __IOMMUFD_IOAS_UNMAP_H

struct iommufd_ioas;
struct iommufd_ucmd;
struct iommufd_unmap_stats;

int iommufd_ioas_unmap_range(struct iommufd_ioas *ioas, unsigned long iova,
			     unsigned long last, unsigned long *unmapped,
			     struct iommufd_unmap_stats *stats);
int iommufd_ioas_wait_unmapped(struct iommufd_ioas *ioas, unsigned long iova,
			       unsigned long last);
void iommufd_ioas_unmap_all(struct iommufd_ioas *ioas);
void iommufd_ioas_undo_map(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long length);
int iommufd_cmd_ioas_unmap(struct iommufd_ucmd *ucmd);

/* ioas/split.c */
int iommufd_ioas_split(struct iommufd_ioas *ioas, unsigned long iova,
		       unsigned long last);

#endif
