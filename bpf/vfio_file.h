/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of VFIO, and the devices behind them. */
#ifndef __IOMMUFD_VFIO_FILE_H
#define __IOMMUFD_VFIO_FILE_H

#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define VFIO_NAME_LEN 32

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct qstr___vfio {
	const unsigned char *name;
};

struct dentry___vfio {
	struct qstr___vfio d_name;
};

struct path___vfio {
	struct dentry___vfio *dentry;
};

struct file___vfio {
	struct path___vfio f_path;
	void *private_data;
};

struct kobject___vfio {
	const char *name;
};

struct device___vfio {
	struct kobject___vfio kobj;
};

struct vfio_device {
	struct device___vfio *dev;
};

struct vfio_device_file {
	struct vfio_device *device;
};

#pragma clang attribute pop

/* The name of a file in its folder. */
static inline void vfio_file_name(void *of, char name[VFIO_NAME_LEN])
{
	struct file___vfio *file = of;

	bpf_probe_read_kernel_str(name, VFIO_NAME_LEN,
				  BPF_CORE_READ(file, f_path.dentry,
						d_name.name));
}

/* Whether it is the name of a file for a device: vfioN, or that of a group. */
static inline bool vfio_is_device(const char *name)
{
	return (name[0] == 'v' && name[1] == 'f' && name[2] == 'i' &&
		name[3] == 'o' && name[4] >= '0' && name[4] <= '9') ||
	       (name[0] == '[' && name[1] == 'v' && name[2] == 'f' &&
		name[3] == 'i' && name[4] == 'o' && name[5] == '-' &&
		name[6] == 'd');
}

/* The device behind such a file. The types exist if VFIO is there. */
static inline void vfio_device_name(void *of, char name[VFIO_NAME_LEN])
{
	struct file___vfio *file = of;
	struct vfio_device_file *data = BPF_CORE_READ(file, private_data);

	if (bpf_core_type_exists(struct vfio_device_file))
		bpf_probe_read_kernel_str(name, VFIO_NAME_LEN,
					  BPF_CORE_READ(data, device, dev,
							kobj.name));
}

#endif
