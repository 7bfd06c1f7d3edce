# SPDX-License-Identifier: GPL-2.0-only
#
# The configuration of iommufd as an external module, for a kernel that is
# already installed. Included by ../Makefile.
#
# IOMMU drivers call a part of iommufd that is built into the kernel, the driver
# core. There are two cases:
#
#   CONFIG_IOMMUFD=m       The kernel has a driver core of its own. Features that
#                          would pass objects of ours to it are refused.
#   CONFIG_IOMMUFD unset   IOMMU drivers were compiled without a driver core.
#                          Ours is part of the module, for VFIO, and features
#                          that need IOMMU drivers to call it are refused.
#
# core/driver_core.h says which features these are.

SERIES := $(VERSION).$(PATCHLEVEL)
ifeq ($(filter 7.2 7.3,$(SERIES)),)
$(error This iommufd is for Linux 7.2 and 7.3, not for $(KERNELRELEASE))
endif
ifeq ($(CONFIG_IOMMUFD),y)
$(error $(KERNELRELEASE) has iommufd built in: a module cannot replace it)
endif
ifneq ($(CONFIG_IOMMU_SUPPORT),y)
$(error $(KERNELRELEASE) is built without IOMMU support)
endif

# Symbols that iommu.c exports to iommufd are declared in a header that packages
# of kernel headers do not contain.
ccflags-y += -I$(src)/compat -include $(src)/compat/compat.h
ccflags-y += -DCONFIG_IOMMUFD_EXTERNAL
# See also compat.h.
CONFIG_IOMMUFD_TEST :=
CONFIG_IOMMUFD_KUNIT_TEST :=

ifeq ($(origin CONFIG_IOMMUFD),file)
external-driver-core :=
ccflags-y += -DCONFIG_IOMMUFD_FOREIGN_BITMAP
else
CONFIG_IOMMUFD := m
external-driver-core := y
ccflags-y += -DCONFIG_IOMMUFD_MODULE -DCONFIG_IOMMUFD_DRIVER_CORE
endif

# Whether IOMMU drivers were compiled with iova_bitmap_set().
ifeq ($(CONFIG_IOMMUFD_DRIVER),y)
ccflags-y += -DCONFIG_IOMMUFD_DRIVERS_REPORT_DIRTY
else
ccflags-y += -DCONFIG_IOMMUFD_DRIVER
endif

bpf-needs := $(CONFIG_BPF_SYSCALL) $(CONFIG_BPF_JIT) $(CONFIG_CGROUPS) \
	$(CONFIG_DEBUG_INFO_BTF_MODULES)
ifeq ($(strip $(bpf-needs)),y y y y)
CONFIG_IOMMUFD_BPF := y
ccflags-y += -DCONFIG_IOMMUFD_BPF
endif
