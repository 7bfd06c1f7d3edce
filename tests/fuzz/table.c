// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a step may be, and how often it is. */

#include "fuzz.h"

#define OP(name, weight) { #name, weight, name }

const struct op mock_ops[] = {
	OP(ioas_alloc, 5),     OP(ioas_ranges, 4),
	OP(ioas_allow, 3),     OP(ioas_reserve, 2),
	OP(ioas_option, 3),    OP(change_process, 3),
	OP(map_va, 16),	       OP(map_file, 12),
	OP(copy, 12),	       OP(unmap, 12),
	OP(unmap_all, 1),      OP(destroy, 8),
	OP(vfio_ioas, 3),      OP(type1_map, 4),
	OP(type1_unmap, 4),    OP(type1_ask, 2),
	OP(device_attach, 8),  OP(device_replace, 5),
	OP(device_detach, 4),  OP(device_info, 2),
	OP(pasid_attach, 5),   OP(pasid_replace, 4),
	OP(pasid_detach, 4),   OP(hwpt_alloc, 9),
	OP(nested_alloc, 7),   OP(invalidate, 4),
	OP(dirty_set, 4),      OP(dirty_get, 5),
	OP(dirty_mark, 4),     OP(fault_alloc, 4),
	OP(fault_trigger, 6),  OP(fault_read, 5),
	OP(fault_write, 5),    OP(event_trigger, 6),
	OP(event_read, 5),     OP(queue_close, 2),
	OP(queue_misuse, 2),   OP(viommu_alloc, 6),
	OP(vdevice_alloc, 6),  OP(veventq_alloc, 5),
	OP(hw_queue_alloc, 6), OP(viommu_map, 4),
	OP(viommu_unmap, 3),   OP(access_create, 6),
	OP(access_pin, 10),    OP(access_unpin, 5),
	OP(access_rw, 10),     OP(access_replace, 3),
	OP(access_close, 3),   OP(dmabuf_get, 4),
	OP(dmabuf_revoke, 4),  OP(memory_limit, 2),
	OP(disturb, 3),	       OP(check_map, 8),
	OP(check_refs, 8),     OP(raw, 4),
};

const unsigned int mock_op_count = ARRAY_SIZE(mock_ops);

/* With a real device, and so without what only the mock has. */
const struct op vfio_ops[] = {
	OP(ioas_alloc, 5),     OP(ioas_ranges, 4),
	OP(ioas_allow, 3),     OP(ioas_option, 3),
	OP(change_process, 3), OP(map_va, 16),
	OP(map_file, 12),      OP(copy, 12),
	OP(unmap, 12),	       OP(unmap_all, 1),
	OP(destroy, 8),	       OP(vfio_ioas, 3),
	OP(type1_map, 4),      OP(type1_unmap, 4),
	OP(type1_ask, 2),      OP(cdev_bind, 10),
	OP(cdev_attach, 12),   OP(cdev_detach, 4),
	OP(cdev_close, 1),     OP(device_info, 2),
	OP(hwpt_alloc, 9),     OP(dirty_set, 4),
	OP(dirty_get, 5),      OP(fault_alloc, 2),
	OP(access_create, 4),  OP(access_pin, 6),
	OP(access_unpin, 3),   OP(access_rw, 6),
	OP(access_close, 2),   OP(disturb, 3),
	OP(check_refs, 6),     OP(raw, 4),
	OP(viommu_alloc, 2),
};

const unsigned int vfio_op_count = ARRAY_SIZE(vfio_ops);

const struct op *ops_of(unsigned int *count)
{
	*count = options.device ? vfio_op_count : mock_op_count;
	return options.device ? vfio_ops : mock_ops;
}
