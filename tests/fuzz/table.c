// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The steps, their frequencies, and the kinds of objects that they need. */

#include "fuzz.h"

#define OP(name, weight, needs) { #name, weight, needs, name }

const struct op mock_ops[] = {
	OP(ioas_alloc, 4, 0),
	OP(ioas_ranges, 4, 1 << IOAS),
	OP(ioas_allow, 3, 1 << IOAS),
	OP(ioas_reserve, 2, 1 << IOAS),
	OP(ioas_option, 3, 0),
	OP(change_process, 3, 1 << IOAS),
	OP(map_va, 16, 1 << IOAS),
	OP(map_file, 12, 1 << IOAS),
	OP(copy, 12, 1 << IOAS),
	OP(unmap, 12, 1 << IOAS),
	OP(unmap_all, 1, 1 << IOAS),
	OP(destroy, 8, 1 << IOAS),
	OP(vfio_ioas, 3, 1 << IOAS),
	OP(type1_map, 4, 1 << IOAS),
	OP(type1_unmap, 4, 1 << IOAS),
	OP(type1_ask, 2, 0),
	OP(device_attach, 8, 1 << IOAS),
	OP(device_replace, 5, 1 << STDEV),
	OP(device_detach, 4, 1 << STDEV),
	OP(device_info, 2, 1 << IDEV),
	OP(pasid_attach, 5, 1 << STDEV | 1 << HWPT),
	OP(pasid_replace, 4, 1 << STDEV | 1 << HWPT),
	OP(pasid_detach, 4, 1 << STDEV),
	OP(hwpt_alloc, 9, 1 << IDEV),
	OP(nested_alloc, 7, 1 << IDEV | 1 << HWPT),
	OP(invalidate, 4, 1 << NESTED),
	OP(dirty_set, 4, 1 << HWPT),
	OP(dirty_get, 5, 1 << HWPT),
	OP(dirty_mark, 4, 1 << HWPT),
	OP(fault_alloc, 2, 0),
	OP(fault_trigger, 8, 1 << IDEV | 1 << FAULT),
	OP(fault_read, 5, 1 << FAULT),
	OP(fault_write, 5, 1 << FAULT),
	OP(event_trigger, 6, 1 << VDEVICE),
	OP(event_read, 5, 1 << VEVENTQ),
	OP(queue_close, 2, 1 << FAULT),
	OP(queue_misuse, 2, 1 << FAULT),
	OP(viommu_alloc, 6, 1 << IDEV | 1 << HWPT),
	OP(vdevice_alloc, 6, 1 << VIOMMU),
	OP(veventq_alloc, 5, 1 << VIOMMU),
	OP(hw_queue_alloc, 6, 1 << VIOMMU),
	OP(viommu_map, 4, 1 << VIOMMU),
	OP(viommu_unmap, 3, 1 << VIOMMU),
	OP(access_create, 6, 1 << IOAS),
	OP(access_pin, 10, 1 << ACCESS),
	OP(access_unpin, 5, 1 << ACCESS),
	OP(access_rw, 10, 1 << ACCESS),
	OP(access_replace, 3, 1 << ACCESS),
	OP(access_close, 3, 1 << ACCESS),
	OP(dmabuf_get, 4, 0),
	OP(dmabuf_revoke, 4, 0),
	OP(memory_limit, 2, 0),
	OP(disturb, 3, 0),
	OP(check_map, 8, 1 << HWPT),
	OP(check_refs, 8, 1 << IOAS),
	OP(raw, 4, 0),
};

const unsigned int mock_op_count = ARRAY_SIZE(mock_ops);

/* With a real device, and thus without operations of the mock. */
const struct op vfio_ops[] = {
	OP(ioas_alloc, 4, 0),
	OP(ioas_ranges, 4, 1 << IOAS),
	OP(ioas_allow, 3, 1 << IOAS),
	OP(ioas_option, 3, 0),
	OP(change_process, 3, 1 << IOAS),
	OP(map_va, 16, 1 << IOAS),
	OP(map_file, 12, 1 << IOAS),
	OP(copy, 12, 1 << IOAS),
	OP(unmap, 12, 1 << IOAS),
	OP(unmap_all, 1, 1 << IOAS),
	OP(destroy, 8, 1 << IOAS),
	OP(vfio_ioas, 3, 1 << IOAS),
	OP(type1_map, 4, 1 << IOAS),
	OP(type1_unmap, 4, 1 << IOAS),
	OP(type1_ask, 2, 0),
	OP(cdev_bind, 10, 0),
	OP(cdev_attach, 12, 1 << STDEV | 1 << IOAS),
	OP(cdev_detach, 4, 1 << STDEV),
	OP(cdev_close, 1, 1 << STDEV),
	OP(device_info, 2, 1 << IDEV),
	OP(hwpt_alloc, 9, 1 << IDEV),
	OP(dirty_set, 4, 1 << HWPT),
	OP(dirty_get, 5, 1 << HWPT),
	OP(fault_alloc, 2, 0),
	OP(access_create, 4, 1 << IOAS),
	OP(access_pin, 6, 1 << ACCESS),
	OP(access_unpin, 3, 1 << ACCESS),
	OP(access_rw, 6, 1 << ACCESS),
	OP(access_close, 2, 1 << ACCESS),
	OP(disturb, 3, 0),
	OP(check_refs, 6, 1 << IOAS),
	OP(raw, 4, 0),
	OP(viommu_alloc, 2, 1 << IDEV | 1 << HWPT),
};

const unsigned int vfio_op_count = ARRAY_SIZE(vfio_ops);

const struct op *ops_of(unsigned int *count)
{
	*count = options.device ? vfio_op_count : mock_op_count;
	return options.device ? vfio_ops : mock_ops;
}
