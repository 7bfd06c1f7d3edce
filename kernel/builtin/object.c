// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dependencies between objects of IOMMU drivers.
 */
#include <linux/export.h>
#include <linux/iommufd.h>
#include <linux/module.h>

#include "core/object.h"

/**
 * _iommufd_object_depend - make an object of a driver depend on a sibling
 * @obj_dependent: the object that depends
 * @obj_depended: the object that can't be destroyed as long as @obj_dependent
 *	depends on it; the caller must make sure that it is in memory
 *
 * Undo with _iommufd_object_undepend().
 *
 * Context: Process context. Does not sleep, so that spinlocks may be held.
 *
 * Return: 0, -EINVAL if the objects are not two different hardware queues, or
 * -ENOENT if the sibling is being created or destroyed.
 */
int _iommufd_object_depend(struct iommufd_object *obj_dependent,
			   struct iommufd_object *obj_depended)
{
	struct iommufd_hw_queue *queue =
		container_of(obj_depended, struct iommufd_hw_queue, obj);

	if (WARN_ON_ONCE(obj_dependent->type != IOMMUFD_OBJ_HW_QUEUE ||
			 obj_depended->type != IOMMUFD_OBJ_HW_QUEUE ||
			 obj_dependent == obj_depended))
		return -EINVAL;
	if (!iommufd_object_try_depend(queue->viommu->ictx, obj_depended))
		return -ENOENT;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_depend, "IOMMUFD");

/**
 * _iommufd_object_undepend - undo _iommufd_object_depend()
 * @obj_dependent: the object that depends
 * @obj_depended: the object that it depends on
 *
 * Context: Any context.
 */
void _iommufd_object_undepend(struct iommufd_object *obj_dependent,
			      struct iommufd_object *obj_depended)
{
	if (!WARN_ON_ONCE(obj_dependent->type != obj_depended->type ||
			  obj_dependent == obj_depended))
		iommufd_object_undepend(obj_depended);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_undepend, "IOMMUFD");

MODULE_DESCRIPTION("The part of iommufd that IOMMU drivers call");
MODULE_LICENSE("GPL");
