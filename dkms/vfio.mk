# SPDX-License-Identifier: GPL-2.0-only
#
# VFIO, compiled for iommufd: structures have more members than in the VFIO that
# the kernel came with. Drivers that were compiled for that one, such as kvmgt,
# must not load: symbols get a namespace that only these modules import.

subdir-ccflags-y += -DCONFIG_IOMMUFD_MODULE -DCONFIG_VFIO_DEVICE_CDEV
subdir-ccflags-y += -DDEFAULT_SYMBOL_NAMESPACE='"VFIO_FOR_IOMMUFD"'
subdir-ccflags-y += -include $(M)/iommufd/compat/vfio.h
# Drivers for devices with logs of dirty memory use iommufd's bitmaps.
subdir-ccflags-y += $(if $(CONFIG_IOMMUFD_DRIVER),,-DCONFIG_IOMMUFD_DRIVER)

include $(src)/Makefile
