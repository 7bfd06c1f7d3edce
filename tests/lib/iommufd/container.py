# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""VFIO's older API: type1 containers, whichever driver provides them, and groups."""

import ctypes
import os
import struct
from ctypes import c_int, c_uint32, c_uint64
from dataclasses import dataclass, field

from .ioctl import io, ioctl
from .mem import Buffer
from .openfile import OpenFile, open_file
from .vfio import SYSFS, Sized

GET_API_VERSION = io(";", 100)
CHECK_EXTENSION = io(";", 101)
SET_IOMMU = io(";", 102)
GROUP_GET_STATUS = io(";", 103)
GROUP_SET_CONTAINER = io(";", 104)
GROUP_UNSET_CONTAINER = io(";", 105)
GROUP_GET_DEVICE_FD = io(";", 106)
IOMMU_GET_INFO = io(";", 112)
IOMMU_MAP_DMA = io(";", 113)
IOMMU_UNMAP_DMA = io(";", 114)
IOMMU_ENABLE = io(";", 115)
IOMMU_DISABLE = io(";", 116)
IOMMU_DIRTY_PAGES = io(";", 117)

# Extensions; TYPE1 and TYPE1V2 are also what SET_IOMMU takes.
TYPE1 = 1
TYPE1V2 = 3
DMA_CC = 4
NOIOMMU = 8
UNMAP_ALL = 9
UPDATE_VADDR = 10

MAP_READ = 1 << 0
MAP_WRITE = 1 << 1
MAP_VADDR = 1 << 2

UNMAP_GET_DIRTY_BITMAP = 1 << 0
UNMAP_FLAG_ALL = 1 << 1
UNMAP_VADDR = 1 << 2

INFO_PGSIZES = 1 << 0
INFO_CAPS = 1 << 1
CAP_IOVA_RANGE = 1
CAP_MIGRATION = 2
CAP_DMA_AVAIL = 3

GROUP_VIABLE = 1 << 0
GROUP_CONTAINER_SET = 1 << 1


class GroupStatus(Sized, ctypes.Structure):
    """struct vfio_group_status"""

    _fields_ = [("argsz", c_uint32), ("flags", c_uint32)]


class IommuInfo(Sized, ctypes.Structure):
    """struct vfio_iommu_type1_info"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("iova_pgsizes", c_uint64),
        ("cap_offset", c_uint32),
        ("pad", c_uint32),
    ]


class DmaMap(Sized, ctypes.Structure):
    """struct vfio_iommu_type1_dma_map"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("vaddr", c_uint64),
        ("iova", c_uint64),
        ("size", c_uint64),
    ]


class DmaUnmap(Sized, ctypes.Structure):
    """struct vfio_iommu_type1_dma_unmap"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("iova", c_uint64),
        ("size", c_uint64),
    ]


@dataclass
class Info:
    """The answer of VFIO_IOMMU_GET_INFO; capabilities as bytes without their header."""

    flags: int
    pgsizes: int
    caps: dict[int, bytes] = field(default_factory=dict)

    def ranges(self) -> list[tuple[int, int]]:
        """The usable addresses, (first, last) of each range."""
        data = self.caps[CAP_IOVA_RANGE]
        (count, _) = struct.unpack_from("<II", data)
        return [struct.unpack_from("<QQ", data, 8 + 16 * i) for i in range(count)]

    def dma_avail(self) -> int:
        """How many mappings can be made."""
        return struct.unpack_from("<I", self.caps[CAP_DMA_AVAIL])[0]


def parse_caps(data: bytes, offset: int) -> dict[int, bytes]:
    """The chain of capabilities in the answer of GET_INFO; each must begin inside the answer."""
    caps = {}
    while offset:
        cap, version, after = struct.unpack_from("<HHI", data, offset)
        assert version == 1
        assert not after or after > offset
        caps[cap] = data[offset + 8 : after or len(data)]
        offset = after
    return caps


class Container(OpenFile):
    """A file that speaks type1: /dev/vfio/vfio or /dev/iommu."""

    def __init__(self, path: str = "/dev/vfio/vfio") -> None:
        super().__init__(open_file(path))

    def api_version(self) -> int:
        """VFIO_GET_API_VERSION"""
        return ioctl(self.fd, GET_API_VERSION, None)

    def extension(self, number: int) -> int:
        """VFIO_CHECK_EXTENSION"""
        return ioctl(self.fd, CHECK_EXTENSION, number)

    def set_iommu(self, kind: int) -> None:
        """VFIO_SET_IOMMU"""
        ioctl(self.fd, SET_IOMMU, kind)

    def info(self) -> Info:
        """VFIO_IOMMU_GET_INFO, repeated with enough room."""
        ask = IommuInfo()
        ioctl(self.fd, IOMMU_GET_INFO, ask)
        data = (ctypes.c_char * ask.argsz)()
        answer = IommuInfo.from_buffer(data)
        answer.argsz = ask.argsz
        ioctl(self.fd, IOMMU_GET_INFO, data)
        caps = parse_caps(bytes(data), answer.cap_offset)
        return Info(answer.flags, answer.iova_pgsizes, caps)

    def map(
        self,
        buffer: Buffer | int,
        iova: int,
        size: int | None = None,
        flags: int = MAP_READ | MAP_WRITE,
    ) -> None:
        """VFIO_IOMMU_MAP_DMA of a buffer or an address."""
        address = buffer
        if isinstance(buffer, Buffer):
            address = buffer.address
            size = buffer.size if size is None else size
        argument = DmaMap(flags=flags, vaddr=address, iova=iova, size=size or 0)
        ioctl(self.fd, IOMMU_MAP_DMA, argument)

    def unmap(self, iova: int, size: int, flags: int = 0) -> int:
        """VFIO_IOMMU_UNMAP_DMA; the bytes unmapped."""
        argument = DmaUnmap(flags=flags, iova=iova, size=size)
        ioctl(self.fd, IOMMU_UNMAP_DMA, argument)
        return argument.size

    def unmap_all(self) -> int:
        """VFIO_IOMMU_UNMAP_DMA of all mappings; the bytes unmapped."""
        return self.unmap(0, 0, UNMAP_FLAG_ALL)


class Adopted(Container):
    """A container on a file that belongs to another object, such as a Context."""

    def __init__(self, fd: int) -> None:
        OpenFile.__init__(self, fd)

    def close(self) -> None:
        self.fd = -1


class Group(OpenFile):
    """An open file of a VFIO group."""

    def __init__(self, address: str, noiommu: bool = False) -> None:
        self.address = address
        number = os.path.basename(os.readlink(SYSFS / address / "iommu_group"))
        path = f"/dev/vfio/{'noiommu-' if noiommu else ''}{number}"
        super().__init__(open_file(path))

    def status(self) -> int:
        """VFIO_GROUP_GET_STATUS"""
        argument = GroupStatus()
        ioctl(self.fd, GROUP_GET_STATUS, argument)
        return argument.flags

    def set_container(self, fd: int) -> None:
        """VFIO_GROUP_SET_CONTAINER"""
        ioctl(self.fd, GROUP_SET_CONTAINER, (c_int * 1)(fd))

    def unset_container(self) -> None:
        """VFIO_GROUP_UNSET_CONTAINER"""
        ioctl(self.fd, GROUP_UNSET_CONTAINER, None)

    def device_fd(self) -> int:
        """VFIO_GROUP_GET_DEVICE_FD of its device."""
        name = ctypes.create_string_buffer(self.address.encode())
        return ioctl(self.fd, GROUP_GET_DEVICE_FD, name)
