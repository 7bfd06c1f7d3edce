# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A PCI device through vfio-pci's character device."""

import ctypes
import mmap
import os
import struct
from ctypes import c_int32, c_uint32, c_uint64
from pathlib import Path

from .ctx import Context
from .ioctl import io, ioctl

SYSFS = Path("/sys/bus/pci/devices")

DEVICE_GET_INFO = io(";", 100 + 7)
DEVICE_GET_REGION_INFO = io(";", 100 + 8)
DEVICE_RESET = io(";", 100 + 11)
DEVICE_BIND_IOMMUFD = io(";", 100 + 18)
DEVICE_ATTACH_IOMMUFD_PT = io(";", 100 + 19)
DEVICE_DETACH_IOMMUFD_PT = io(";", 100 + 20)

CONFIG_REGION = 7
PCI_COMMAND = 4
PCI_COMMAND_MEMORY = 1 << 1
PCI_COMMAND_MASTER = 1 << 2


class _Sized(ctypes.Structure):
    def __init__(self, **fields: int) -> None:
        super().__init__(**fields)
        if "argsz" not in fields:
            self.argsz = ctypes.sizeof(self)


class RegionInfo(_Sized):
    """struct vfio_region_info"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("index", c_uint32),
        ("cap_offset", c_uint32),
        ("size", c_uint64),
        ("offset", c_uint64),
    ]


class BindIommufd(_Sized):
    """struct vfio_device_bind_iommufd"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("iommufd", c_int32),
        ("out_devid", c_uint32),
        ("token_uuid_ptr", c_uint64),
    ]


class AttachPt(_Sized):
    """struct vfio_device_attach_iommufd_pt"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("pt_id", c_uint32),
        ("pasid", c_uint32),
    ]


class DetachPt(_Sized):
    """struct vfio_device_detach_iommufd_pt"""

    _fields_ = [("argsz", c_uint32), ("flags", c_uint32), ("pasid", c_uint32)]


def find(vendor: int, device: int) -> list[str]:
    """PCI addresses of the devices of a kind that vfio-pci has, in order."""
    found = []
    for folder in sorted(SYSFS.iterdir()):
        ids = tuple(int((folder / x).read_text(), 16) for x in ("vendor", "device"))
        if ids == (vendor, device) and (folder / "vfio-dev").is_dir():
            found.append(folder.name)
    return found


class Device:
    """One open file of the character device."""

    def __init__(self, address: str) -> None:
        self.address = address
        name = next((SYSFS / address / "vfio-dev").iterdir()).name
        self.fd = os.open(f"/dev/vfio/devices/{name}", os.O_RDWR | os.O_CLOEXEC)
        self.id = 0
        self._maps: list[mmap.mmap] = []

    def __enter__(self) -> "Device":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file and what is mapped of it: the device is unbound then."""
        while self._maps:
            self._maps.pop().close()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def bind(self, context: Context) -> int:
        """VFIO_DEVICE_BIND_IOMMUFD; the device's object id."""
        argument = BindIommufd(iommufd=context.fd)
        ioctl(self.fd, DEVICE_BIND_IOMMUFD, argument)
        self.id = argument.out_devid
        return self.id

    def attach(self, pt_id: int) -> int:
        """VFIO_DEVICE_ATTACH_IOMMUFD_PT; the id of the page table it is on now."""
        argument = AttachPt(pt_id=pt_id)
        ioctl(self.fd, DEVICE_ATTACH_IOMMUFD_PT, argument)
        return argument.pt_id

    def detach(self) -> None:
        """VFIO_DEVICE_DETACH_IOMMUFD_PT"""
        ioctl(self.fd, DEVICE_DETACH_IOMMUFD_PT, DetachPt())

    def reset(self) -> None:
        """VFIO_DEVICE_RESET"""
        ioctl(self.fd, DEVICE_RESET, None)

    def region(self, index: int) -> RegionInfo:
        """VFIO_DEVICE_GET_REGION_INFO"""
        info = RegionInfo(index=index)
        ioctl(self.fd, DEVICE_GET_REGION_INFO, info)
        return info

    def map_bar(self, index: int, size: int | None = None) -> mmap.mmap:
        """A BAR in our address space, until close()."""
        info = self.region(index)
        area = mmap.mmap(self.fd, size or info.size, mmap.MAP_SHARED, offset=info.offset)
        self._maps.append(area)
        return area

    def enable(self, master: bool = True) -> None:
        """Memory space and, as asked, bus mastering on."""
        offset = self.region(CONFIG_REGION).offset + PCI_COMMAND
        (command,) = struct.unpack("<H", os.pread(self.fd, 2, offset))
        command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER
        if not master:
            command &= ~PCI_COMMAND_MASTER
        os.pwrite(self.fd, struct.pack("<H", command), offset)


class Registers:
    """Registers in a mapped BAR, each read and written by one access of its width."""

    def __init__(self, area: mmap.mmap) -> None:
        self._view = memoryview(area)
        self._by32 = self._view.cast("I")
        self._by64 = self._view.cast("Q")

    def read32(self, offset: int) -> int:
        """Four bytes."""
        return self._by32[offset // 4]

    def write32(self, offset: int, value: int) -> None:
        """Four bytes."""
        self._by32[offset // 4] = value

    def read64(self, offset: int) -> int:
        """Eight bytes."""
        return self._by64[offset // 8]

    def write64(self, offset: int, value: int) -> None:
        """Eight bytes."""
        self._by64[offset // 8] = value

    def release(self) -> None:
        """Lets go of the area, so that it can be unmapped."""
        self._by32.release()
        self._by64.release()
        self._view.release()
