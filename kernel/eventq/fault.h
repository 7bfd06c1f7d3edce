/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef __IOMMUFD_EVENTQ_FAULT_H
#define __IOMMUFD_EVENTQ_FAULT_H

#include "core/object.h"

struct iommufd_attach_handle;
struct iommufd_ctx;
struct iommufd_fault;
struct iommufd_ucmd;
struct iopf_group;

struct iommufd_fault *iommufd_fault_get(struct iommufd_ctx *ctx, u32 id);
struct iommufd_object *iommufd_fault_object(struct iommufd_fault *fault);
u64 iommufd_fault_outstanding(struct iommufd_object *obj);
int iommufd_fault_report(struct iopf_group *group);
void iommufd_fault_flush(struct iommufd_fault *fault,
			 struct iommufd_attach_handle *handle);

extern const struct iommufd_object_ops iommufd_fault_ops;

int iommufd_cmd_fault_queue_alloc(struct iommufd_ucmd *ucmd);

#endif
