# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd_test.h, the interface of the mock, in ctypes; test_uapi.py compares the two."""

import ctypes
from ctypes import c_int32, c_uint32, c_uint64

from .ioctl import io
from .uapi import CMD_BASE, Argument

TEST_CMD = io(";", CMD_BASE + 32)

# In the order of their numbers, from 1 on.
TEST_OPS = (
    "ADD_RESERVED",
    "MOCK_DOMAIN",
    "MD_CHECK_MAP",
    "MD_CHECK_REFS",
    "CREATE_ACCESS",
    "DESTROY_ACCESS_PAGES",
    "ACCESS_PAGES",
    "ACCESS_RW",
    "SET_TEMP_MEMORY_LIMIT",
    "MOCK_DOMAIN_REPLACE",
    "ACCESS_REPLACE_IOAS",
    "MOCK_DOMAIN_FLAGS",
    "DIRTY",
    "MD_CHECK_IOTLB",
    "TRIGGER_IOPF",
    "DEV_CHECK_CACHE",
    "TRIGGER_VEVENT",
    "PASID_ATTACH",
    "PASID_REPLACE",
    "PASID_DETACH",
    "PASID_CHECK_HWPT",
    "DMABUF_GET",
    "DMABUF_REVOKE",
)
OP = {name: i for i, name in enumerate(TEST_OPS, 1)}

MOCK_IOMMUPT_DEFAULT = 0
MOCK_IOMMUPT_HUGE = 1

MOCK_APERTURE_START = 1 << 24
MOCK_APERTURE_LAST = (1 << 31) - 1
MOCK_PAGE_SIZE = 2048
MOCK_HUGE_PAGE_SIZE = 512 * MOCK_PAGE_SIZE

MOCK_FLAGS_ACCESS_WRITE = 1 << 0
MOCK_FLAGS_ACCESS_SYZ = 1 << 16
MOCK_ACCESS_RW_WRITE = 1 << 0
MOCK_ACCESS_RW_SLOW_PATH = 1 << 2
MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES = 1 << 0
MOCK_FLAGS_DEVICE_NO_DIRTY = 1 << 0
MOCK_FLAGS_DEVICE_PASID = 1 << 2

MOCK_NESTED_DOMAIN_IOTLB_ID_MAX = 3
MOCK_NESTED_DOMAIN_IOTLB_NUM = 4
MOCK_DEV_CACHE_ID_MAX = 3
MOCK_DEV_CACHE_NUM = 4
MOCK_PASID_WIDTH = 20

IOMMU_TEST_PASID_RESERVED = 1024
IOMMU_HW_INFO_TYPE_SELFTEST = 0xFEEDBEEF
IOMMU_HW_INFO_SELFTEST_REGVAL = 0xDEADBEEF
IOMMU_HWPT_DATA_SELFTEST = 0xDEAD
IOMMU_TEST_IOTLB_DEFAULT = 0xBADBEEF
IOMMU_TEST_DEV_CACHE_DEFAULT = 0xBADDAD
IOMMU_HWPT_INVALIDATE_DATA_SELFTEST = 0xDEADBEEF
IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID = 0xDADBEEF
IOMMU_TEST_INVALIDATE_FLAG_ALL = 1 << 0
IOMMU_VIOMMU_TYPE_SELFTEST = 0xDEADBEEF
IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST = 0xDEADBEEF
IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST_INVALID = 0xDADBEEF
IOMMU_VEVENTQ_TYPE_SELFTEST = 0xBEEFBEEF
IOMMU_HW_QUEUE_TYPE_SELFTEST = 0xDEADBEEF
IOMMU_TEST_HW_QUEUE_MAX = 2


def _part(**fields: type) -> type[ctypes.Structure]:
    """One member of the union in a command: an anonymous structure."""
    return type("Part", (ctypes.Structure,), {"_fields_": list(fields.items())})


class _Parts(ctypes.Union):
    _fields_ = [
        ("add_reserved", _part(start=c_uint64, length=c_uint64)),
        ("mock_domain", _part(out_stdev_id=c_uint32, out_hwpt_id=c_uint32, out_idev_id=c_uint32)),
        (
            "mock_domain_flags",
            _part(
                out_stdev_id=c_uint32,
                out_hwpt_id=c_uint32,
                out_idev_id=c_uint32,
                dev_flags=c_uint32,
            ),
        ),
        ("mock_domain_replace", _part(pt_id=c_uint32)),
        ("check_map", _part(iova=c_uint64, length=c_uint64, uptr=c_uint64)),
        ("check_refs", _part(length=c_uint64, uptr=c_uint64, refs=c_uint32)),
        ("create_access", _part(out_access_fd=c_uint32, flags=c_uint32)),
        ("destroy_access_pages", _part(access_pages_id=c_uint32)),
        (
            "access_pages",
            _part(
                flags=c_uint32,
                out_access_pages_id=c_uint32,
                iova=c_uint64,
                length=c_uint64,
                uptr=c_uint64,
            ),
        ),
        ("access_rw", _part(iova=c_uint64, length=c_uint64, uptr=c_uint64, flags=c_uint32)),
        ("memory_limit", _part(limit=c_uint32)),
        ("access_replace_ioas", _part(ioas_id=c_uint32)),
        (
            "dirty",
            _part(
                flags=c_uint32,
                iova=c_uint64,
                length=c_uint64,
                page_size=c_uint64,
                uptr=c_uint64,
                out_nr_dirty=c_uint64,
            ),
        ),
        ("check_iotlb", _part(id=c_uint32, iotlb=c_uint32)),
        (
            "trigger_iopf",
            _part(dev_id=c_uint32, pasid=c_uint32, grpid=c_uint32, perm=c_uint32, addr=c_uint64),
        ),
        ("check_dev_cache", _part(id=c_uint32, cache=c_uint32)),
        ("trigger_vevent", _part(dev_id=c_uint32)),
        ("pasid_attach", _part(pasid=c_uint32, pt_id=c_uint32)),
        ("pasid_replace", _part(pasid=c_uint32, pt_id=c_uint32)),
        ("pasid_detach", _part(pasid=c_uint32)),
        ("pasid_check", _part(pasid=c_uint32, hwpt_id=c_uint32)),
        ("dmabuf_get", _part(length=c_uint32, open_flags=c_uint32)),
        ("dmabuf_revoke", _part(dmabuf_fd=c_int32, revoked=c_uint32)),
    ]


class MockCommand(Argument):
    """struct iommu_test_cmd"""

    _anonymous_ = ("parts",)
    _fields_ = (
        ("size", c_uint32),
        ("op", c_uint32),
        ("id", c_uint32),
        ("__reserved", c_uint32),
        ("parts", _Parts),
        ("last", c_uint32),
    )


class MockHwInfo(ctypes.Structure):
    """struct iommu_test_hw_info"""

    _fields_ = [("flags", c_uint32), ("test_reg", c_uint32)]


class HwptSelftest(ctypes.Structure):
    """struct iommu_hwpt_selftest"""

    _fields_ = [("iotlb", c_uint32), ("pagetable_type", c_uint32)]


class HwptInvalidateSelftest(ctypes.Structure):
    """struct iommu_hwpt_invalidate_selftest"""

    _fields_ = [("flags", c_uint32), ("iotlb_id", c_uint32)]


class ViommuSelftest(ctypes.Structure):
    """struct iommu_viommu_selftest"""

    _fields_ = [
        ("in_data", c_uint32),
        ("out_data", c_uint32),
        ("out_mmap_offset", c_uint64),
        ("out_mmap_length", c_uint64),
    ]


class ViommuInvalidateSelftest(ctypes.Structure):
    """struct iommu_viommu_invalidate_selftest"""

    _fields_ = [("flags", c_uint32), ("vdev_id", c_uint32), ("cache_id", c_uint32)]


class ViommuEventSelftest(ctypes.Structure):
    """struct iommu_viommu_event_selftest"""

    _fields_ = [("virt_id", c_uint32)]
