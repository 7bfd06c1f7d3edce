# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""include/uapi/linux/iommufd.h in ctypes; test_uapi.py compares the two."""

import ctypes
from ctypes import c_int32, c_uint8, c_uint16, c_uint32, c_uint64

from .ioctl import io

U64_MAX = (1 << 64) - 1

CMD_BASE = 0x80
# In the order of their numbers, beginning with CMD_BASE.
COMMANDS = (
    "DESTROY",
    "IOAS_ALLOC",
    "IOAS_ALLOW_IOVAS",
    "IOAS_COPY",
    "IOAS_IOVA_RANGES",
    "IOAS_MAP",
    "IOAS_UNMAP",
    "OPTION",
    "VFIO_IOAS",
    "HWPT_ALLOC",
    "GET_HW_INFO",
    "HWPT_SET_DIRTY_TRACKING",
    "HWPT_GET_DIRTY_BITMAP",
    "HWPT_INVALIDATE",
    "FAULT_QUEUE_ALLOC",
    "IOAS_MAP_FILE",
    "VIOMMU_ALLOC",
    "VDEVICE_ALLOC",
    "IOAS_CHANGE_PROCESS",
    "VEVENTQ_ALLOC",
    "HW_QUEUE_ALLOC",
    "IOAS_NOIOMMU_GET_PA",
)
NUMBER = {name: io(";", CMD_BASE + i) for i, name in enumerate(COMMANDS)}

MAP_FIXED_IOVA = 1 << 0
MAP_WRITEABLE = 1 << 1
MAP_READABLE = 1 << 2

OPTION_RLIMIT_MODE = 0
OPTION_HUGE_PAGES = 1
OPTION_OP_SET = 0
OPTION_OP_GET = 1

VFIO_IOAS_GET = 0
VFIO_IOAS_SET = 1
VFIO_IOAS_CLEAR = 2

HWPT_ALLOC_NEST_PARENT = 1 << 0
HWPT_ALLOC_DIRTY_TRACKING = 1 << 1
HWPT_FAULT_ID_VALID = 1 << 2
HWPT_ALLOC_PASID = 1 << 3

HWPT_DATA_NONE = 0
HWPT_DATA_VTD_S1 = 1
HWPT_DATA_ARM_SMMUV3 = 2
HWPT_DATA_AMD_GUEST = 3

HW_INFO_TYPE_DEFAULT = 0
HW_INFO_TYPE_INTEL_VTD = 1
HW_INFO_TYPE_ARM_SMMUV3 = 2
HW_INFO_TYPE_TEGRA241_CMDQV = 3
HW_INFO_TYPE_AMD = 4
HW_INFO_FLAG_INPUT_TYPE = 1 << 0

HW_CAP_DIRTY_TRACKING = 1 << 0
HW_CAP_PCI_PASID_EXEC = 1 << 1
HW_CAP_PCI_PASID_PRIV = 1 << 2
HW_CAP_PCI_ATS_NOT_SUPPORTED = 1 << 3

HWPT_DIRTY_TRACKING_ENABLE = 1
HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1
HWPT_INVALIDATE_DATA_VTD_S1 = 0
VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1

PGFAULT_FLAGS_PASID_VALID = 1 << 0
PGFAULT_FLAGS_LAST_PAGE = 1 << 1
PAGE_RESP_SUCCESS = 0
PAGE_RESP_INVALID = 1

VIOMMU_TYPE_DEFAULT = 0
VIOMMU_TYPE_ARM_SMMUV3 = 1
VIOMMU_TYPE_TEGRA241_CMDQV = 2
VEVENTQ_FLAG_LOST_EVENTS = 1 << 0
VEVENTQ_TYPE_DEFAULT = 0
VEVENTQ_TYPE_ARM_SMMUV3 = 1
VEVENTQ_TYPE_TEGRA241_CMDQV = 2
HW_QUEUE_TYPE_DEFAULT = 0
HW_QUEUE_TYPE_TEGRA241_CMDQV = 1


class Argument(ctypes.Structure):
    """An argument of an ioctl. Unless given, its first field is its own size."""

    def __init__(self, **fields: int) -> None:
        super().__init__(**fields)
        if "size" not in fields:
            self.size = ctypes.sizeof(self)


class Destroy(Argument):
    """struct iommu_destroy"""

    _fields_ = [("size", c_uint32), ("id", c_uint32)]


class IoasAlloc(Argument):
    """struct iommu_ioas_alloc"""

    _fields_ = [("size", c_uint32), ("flags", c_uint32), ("out_ioas_id", c_uint32)]


class IovaRange(ctypes.Structure):
    """struct iommu_iova_range"""

    _fields_ = [("start", c_uint64), ("last", c_uint64)]


class IoasIovaRanges(Argument):
    """struct iommu_ioas_iova_ranges"""

    _fields_ = [
        ("size", c_uint32),
        ("ioas_id", c_uint32),
        ("num_iovas", c_uint32),
        ("__reserved", c_uint32),
        ("allowed_iovas", c_uint64),
        ("out_iova_alignment", c_uint64),
    ]


class IoasAllowIovas(Argument):
    """struct iommu_ioas_allow_iovas"""

    _fields_ = [
        ("size", c_uint32),
        ("ioas_id", c_uint32),
        ("num_iovas", c_uint32),
        ("__reserved", c_uint32),
        ("allowed_iovas", c_uint64),
    ]


class IoasMap(Argument):
    """struct iommu_ioas_map"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("ioas_id", c_uint32),
        ("__reserved", c_uint32),
        ("user_va", c_uint64),
        ("length", c_uint64),
        ("iova", c_uint64),
    ]


class IoasNoiommuGetPa(Argument):
    """struct iommu_ioas_noiommu_get_pa"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("ioas_id", c_uint32),
        ("__reserved", c_uint32),
        ("iova", c_uint64),
        ("length", c_uint64),
        ("out_phys", c_uint64),
    ]


class IoasMapFile(Argument):
    """struct iommu_ioas_map_file"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("ioas_id", c_uint32),
        ("fd", c_int32),
        ("start", c_uint64),
        ("length", c_uint64),
        ("iova", c_uint64),
    ]


class IoasCopy(Argument):
    """struct iommu_ioas_copy"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("dst_ioas_id", c_uint32),
        ("src_ioas_id", c_uint32),
        ("length", c_uint64),
        ("dst_iova", c_uint64),
        ("src_iova", c_uint64),
    ]


class IoasUnmap(Argument):
    """struct iommu_ioas_unmap"""

    _fields_ = [
        ("size", c_uint32),
        ("ioas_id", c_uint32),
        ("iova", c_uint64),
        ("length", c_uint64),
    ]


class Option(Argument):
    """struct iommu_option"""

    _fields_ = [
        ("size", c_uint32),
        ("option_id", c_uint32),
        ("op", c_uint16),
        ("__reserved", c_uint16),
        ("object_id", c_uint32),
        ("val64", c_uint64),
    ]


class VfioIoas(Argument):
    """struct iommu_vfio_ioas"""

    _fields_ = [
        ("size", c_uint32),
        ("ioas_id", c_uint32),
        ("op", c_uint16),
        ("__reserved", c_uint16),
    ]


class HwptVtdS1(ctypes.Structure):
    """struct iommu_hwpt_vtd_s1"""

    _fields_ = [
        ("flags", c_uint64),
        ("pgtbl_addr", c_uint64),
        ("addr_width", c_uint32),
        ("__reserved", c_uint32),
    ]


class HwptArmSmmuv3(ctypes.Structure):
    """struct iommu_hwpt_arm_smmuv3"""

    _fields_ = [("ste", c_uint64 * 2)]


class HwptAmdGuest(ctypes.Structure):
    """struct iommu_hwpt_amd_guest"""

    _fields_ = [("dte", c_uint64 * 4)]


class HwptAlloc(Argument):
    """struct iommu_hwpt_alloc"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("dev_id", c_uint32),
        ("pt_id", c_uint32),
        ("out_hwpt_id", c_uint32),
        ("__reserved", c_uint32),
        ("data_type", c_uint32),
        ("data_len", c_uint32),
        ("data_uptr", c_uint64),
        ("fault_id", c_uint32),
        ("__reserved2", c_uint32),
    ]


class HwInfoVtd(ctypes.Structure):
    """struct iommu_hw_info_vtd"""

    _fields_ = [
        ("flags", c_uint32),
        ("__reserved", c_uint32),
        ("cap_reg", c_uint64),
        ("ecap_reg", c_uint64),
    ]


class HwInfoArmSmmuv3(ctypes.Structure):
    """struct iommu_hw_info_arm_smmuv3"""

    _fields_ = [
        ("flags", c_uint32),
        ("__reserved", c_uint32),
        ("idr", c_uint32 * 6),
        ("iidr", c_uint32),
        ("aidr", c_uint32),
    ]


class HwInfoTegra241Cmdqv(ctypes.Structure):
    """struct iommu_hw_info_tegra241_cmdqv"""

    _fields_ = [
        ("flags", c_uint32),
        ("version", c_uint8),
        ("log2vcmdqs", c_uint8),
        ("log2vsids", c_uint8),
        ("__reserved", c_uint8),
    ]


class HwInfoAmd(ctypes.Structure):
    """struct iommu_hw_info_amd"""

    _fields_ = [("efr", c_uint64), ("efr2", c_uint64)]


class HwInfo(Argument):
    """struct iommu_hw_info; data_type is in_data_type and out_data_type"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("dev_id", c_uint32),
        ("data_len", c_uint32),
        ("data_uptr", c_uint64),
        ("out_data_type", c_uint32),
        ("out_max_pasid_log2", c_uint8),
        ("__reserved", c_uint8 * 3),
        ("out_capabilities", c_uint64),
    ]


class HwptSetDirtyTracking(Argument):
    """struct iommu_hwpt_set_dirty_tracking"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("hwpt_id", c_uint32),
        ("__reserved", c_uint32),
    ]


class HwptGetDirtyBitmap(Argument):
    """struct iommu_hwpt_get_dirty_bitmap"""

    _fields_ = [
        ("size", c_uint32),
        ("hwpt_id", c_uint32),
        ("flags", c_uint32),
        ("__reserved", c_uint32),
        ("iova", c_uint64),
        ("length", c_uint64),
        ("page_size", c_uint64),
        ("data", c_uint64),
    ]


class HwptVtdS1Invalidate(ctypes.Structure):
    """struct iommu_hwpt_vtd_s1_invalidate"""

    _fields_ = [
        ("addr", c_uint64),
        ("npages", c_uint64),
        ("flags", c_uint32),
        ("__reserved", c_uint32),
    ]


class ViommuArmSmmuv3Invalidate(ctypes.Structure):
    """struct iommu_viommu_arm_smmuv3_invalidate"""

    _fields_ = [("cmd", c_uint64 * 2)]


class HwptInvalidate(Argument):
    """struct iommu_hwpt_invalidate"""

    _fields_ = [
        ("size", c_uint32),
        ("hwpt_id", c_uint32),
        ("data_uptr", c_uint64),
        ("data_type", c_uint32),
        ("entry_len", c_uint32),
        ("entry_num", c_uint32),
        ("__reserved", c_uint32),
    ]


class HwptPgfault(ctypes.Structure):
    """struct iommu_hwpt_pgfault"""

    _fields_ = [
        ("flags", c_uint32),
        ("dev_id", c_uint32),
        ("pasid", c_uint32),
        ("grpid", c_uint32),
        ("perm", c_uint32),
        ("__reserved", c_uint32),
        ("addr", c_uint64),
        ("length", c_uint32),
        ("cookie", c_uint32),
    ]


class HwptPageResponse(ctypes.Structure):
    """struct iommu_hwpt_page_response"""

    _fields_ = [("cookie", c_uint32), ("code", c_uint32)]


class FaultAlloc(Argument):
    """struct iommu_fault_alloc"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("out_fault_id", c_uint32),
        ("out_fault_fd", c_uint32),
    ]


class ViommuTegra241Cmdqv(ctypes.Structure):
    """struct iommu_viommu_tegra241_cmdqv"""

    _fields_ = [("out_vintf_mmap_offset", c_uint64), ("out_vintf_mmap_length", c_uint64)]


class ViommuAlloc(Argument):
    """struct iommu_viommu_alloc"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("type", c_uint32),
        ("dev_id", c_uint32),
        ("hwpt_id", c_uint32),
        ("out_viommu_id", c_uint32),
        ("data_len", c_uint32),
        ("__reserved", c_uint32),
        ("data_uptr", c_uint64),
    ]


class VdeviceAlloc(Argument):
    """struct iommu_vdevice_alloc"""

    _fields_ = [
        ("size", c_uint32),
        ("viommu_id", c_uint32),
        ("dev_id", c_uint32),
        ("out_vdevice_id", c_uint32),
        ("virt_id", c_uint64),
    ]


class IoasChangeProcess(Argument):
    """struct iommu_ioas_change_process"""

    _fields_ = [("size", c_uint32), ("__reserved", c_uint32)]


class VeventHeader(ctypes.Structure):
    """struct iommufd_vevent_header"""

    _fields_ = [("flags", c_uint32), ("sequence", c_uint32)]


class VeventArmSmmuv3(ctypes.Structure):
    """struct iommu_vevent_arm_smmuv3"""

    _fields_ = [("evt", c_uint64 * 4)]


class VeventTegra241Cmdqv(ctypes.Structure):
    """struct iommu_vevent_tegra241_cmdqv"""

    _fields_ = [("lvcmdq_err_map", c_uint64 * 2)]


class VeventqAlloc(Argument):
    """struct iommu_veventq_alloc"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("viommu_id", c_uint32),
        ("type", c_uint32),
        ("veventq_depth", c_uint32),
        ("out_veventq_id", c_uint32),
        ("out_veventq_fd", c_uint32),
        ("__reserved", c_uint32),
    ]


class HwQueueAlloc(Argument):
    """struct iommu_hw_queue_alloc"""

    _fields_ = [
        ("size", c_uint32),
        ("flags", c_uint32),
        ("viommu_id", c_uint32),
        ("type", c_uint32),
        ("index", c_uint32),
        ("out_hw_queue_id", c_uint32),
        ("nesting_parent_iova", c_uint64),
        ("length", c_uint64),
    ]


ARGUMENT: dict[str, type[Argument]] = {
    "DESTROY": Destroy,
    "IOAS_ALLOC": IoasAlloc,
    "IOAS_ALLOW_IOVAS": IoasAllowIovas,
    "IOAS_COPY": IoasCopy,
    "IOAS_IOVA_RANGES": IoasIovaRanges,
    "IOAS_MAP": IoasMap,
    "IOAS_UNMAP": IoasUnmap,
    "OPTION": Option,
    "VFIO_IOAS": VfioIoas,
    "HWPT_ALLOC": HwptAlloc,
    "GET_HW_INFO": HwInfo,
    "HWPT_SET_DIRTY_TRACKING": HwptSetDirtyTracking,
    "HWPT_GET_DIRTY_BITMAP": HwptGetDirtyBitmap,
    "HWPT_INVALIDATE": HwptInvalidate,
    "FAULT_QUEUE_ALLOC": FaultAlloc,
    "IOAS_MAP_FILE": IoasMapFile,
    "VIOMMU_ALLOC": ViommuAlloc,
    "VDEVICE_ALLOC": VdeviceAlloc,
    "IOAS_CHANGE_PROCESS": IoasChangeProcess,
    "VEVENTQ_ALLOC": VeventqAlloc,
    "HW_QUEUE_ALLOC": HwQueueAlloc,
    "IOAS_NOIOMMU_GET_PA": IoasNoiommuGetPa,
}
