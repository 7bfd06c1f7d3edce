# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A PCI device through vfio-pci's character device."""

import ctypes
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_int32, c_uint32, c_uint64
from pathlib import Path

from .ctx import Context
from .ioctl import io, ioctl
from .openfile import OpenFile, open_file

SYSFS = Path("/sys/bus/pci/devices")

DEVICE_GET_INFO = io(";", 100 + 7)
DEVICE_GET_REGION_INFO = io(";", 100 + 8)
DEVICE_SET_IRQS = io(";", 100 + 10)
DEVICE_RESET = io(";", 100 + 11)
DEVICE_FEATURE = io(";", 100 + 17)
DEVICE_BIND_IOMMUFD = io(";", 100 + 18)
BIND_FLAG_TOKEN = 1 << 0
DEVICE_ATTACH_IOMMUFD_PT = io(";", 100 + 19)
DEVICE_DETACH_IOMMUFD_PT = io(";", 100 + 20)

CONFIG_REGION = 7
PCI_COMMAND = 4
PCI_COMMAND_MEMORY = 1 << 1
PCI_COMMAND_MASTER = 1 << 2


class Sized:
    """A structure that begins with its own size."""

    def __init__(self, **fields: int) -> None:
        super().__init__(**fields)
        if "argsz" not in fields:
            self.argsz = ctypes.sizeof(self)


class RegionInfo(Sized, ctypes.Structure):
    """struct vfio_region_info"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("index", c_uint32),
        ("cap_offset", c_uint32),
        ("size", c_uint64),
        ("offset", c_uint64),
    ]


class BindIommufd(Sized, ctypes.Structure):
    """struct vfio_device_bind_iommufd"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("iommufd", c_int32),
        ("out_devid", c_uint32),
        ("token_uuid_ptr", c_uint64),
    ]


class AttachPt(Sized, ctypes.Structure):
    """struct vfio_device_attach_iommufd_pt"""

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("pt_id", c_uint32),
        ("pasid", c_uint32),
    ]


class IrqSet(Sized, ctypes.Structure):
    """struct vfio_irq_set with at most one eventfd"""

    DATA_NONE = 1 << 0
    DATA_EVENTFD = 1 << 2
    ACTION_TRIGGER = 1 << 5
    MSI, MSIX = 1, 2

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("index", c_uint32),
        ("start", c_uint32),
        ("count", c_uint32),
        ("eventfd", c_int32),
    ]


class DmaBufFeature(Sized, ctypes.Structure):
    """struct vfio_device_feature with VFIO_DEVICE_FEATURE_DMA_BUF of one range"""

    GET = 11 | 1 << 16

    _fields_ = [
        ("argsz", c_uint32),
        ("flags", c_uint32),
        ("region_index", c_uint32),
        ("open_flags", c_uint32),
        ("dma_buf_flags", c_uint32),
        ("nr_ranges", c_uint32),
        ("offset", c_uint64),
        ("length", c_uint64),
    ]


class DetachPt(Sized, ctypes.Structure):
    """struct vfio_device_detach_iommufd_pt"""

    _fields_ = [("argsz", c_uint32), ("flags", c_uint32), ("pasid", c_uint32)]


def find(vendor: int, device: int) -> list[str]:
    """PCI addresses of the devices of a kind that are bound to vfio-pci, in order."""
    found = []
    for folder in sorted(SYSFS.iterdir()):
        ids = tuple(int((folder / x).read_text(), 16) for x in ("vendor", "device"))
        if ids == (vendor, device) and (folder / "vfio-dev").is_dir():
            found.append(folder.name)
    return found


def group_of(address: str) -> int:
    """The number of the IOMMU group of a PCI device."""
    return int((SYSFS / address / "iommu_group").resolve().name)


@contextmanager
def kernel_driver(address: str, name: str) -> Iterator[None]:
    """Gives the device to a kernel driver during the body, then back to vfio-pci."""
    device = SYSFS / address

    def give(driver: str) -> None:
        (device / "driver" / "unbind").write_text(address)
        (device / "driver_override").write_text(driver)
        (SYSFS.parent / "drivers_probe").write_text(address)
        assert (device / "driver").resolve().name == driver

    give(name)
    try:
        yield
    finally:
        give("vfio-pci")


class Device(OpenFile):
    """One open file of the character device, or the file from a group."""

    def __init__(self, address: str, fd: int | None = None) -> None:
        self.address = address
        if fd is None:
            name = next((SYSFS / address / "vfio-dev").iterdir()).name
            fd = open_file(f"/dev/vfio/devices/{name}")
        super().__init__(fd)
        self.id = 0
        self._maps: list[mmap.mmap] = []

    def close(self) -> None:
        """Closes the file and its mappings, which unbinds the device."""
        while self._maps:
            self._maps.pop().close()
        super().close()

    def bind(self, context: Context, token: bytes = b"") -> int:
        """VFIO_DEVICE_BIND_IOMMUFD, optionally with a UUID; the device's object id."""
        argument = BindIommufd(iommufd=context.fd)
        if token:
            uuid = ctypes.create_string_buffer(token, len(token))
            argument.flags = BIND_FLAG_TOKEN
            argument.token_uuid_ptr = ctypes.addressof(uuid)
        ioctl(self.fd, DEVICE_BIND_IOMMUFD, argument)
        self.id = argument.out_devid
        return self.id

    def attach(self, pt_id: int) -> int:
        """VFIO_DEVICE_ATTACH_IOMMUFD_PT; the id of the page table now in use."""
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
        """A BAR, mapped into this process until close()."""
        info = self.region(index)
        area = mmap.mmap(self.fd, size or info.size, mmap.MAP_SHARED, offset=info.offset)
        self._maps.append(area)
        return area

    def dma_buf(self, index: int, offset: int, length: int) -> int:
        """A dma-buf of a part of a BAR; its file descriptor."""
        argument = DmaBufFeature(
            flags=DmaBufFeature.GET,
            region_index=index,
            open_flags=os.O_RDWR | os.O_CLOEXEC,
            nr_ranges=1,
            offset=offset,
            length=length,
        )
        return ioctl(self.fd, DEVICE_FEATURE, argument)

    def enable_msi(self, eventfd: int, index: int = IrqSet.MSI) -> None:
        """VFIO_DEVICE_SET_IRQS: enables MSI, or MSI-X; the first vector signals an eventfd."""
        flags = IrqSet.DATA_EVENTFD | IrqSet.ACTION_TRIGGER
        argument = IrqSet(flags=flags, index=index, count=1, eventfd=eventfd)
        ioctl(self.fd, DEVICE_SET_IRQS, argument)

    def disable_msi(self, index: int = IrqSet.MSI) -> None:
        """VFIO_DEVICE_SET_IRQS: disables MSI, or MSI-X."""
        flags = IrqSet.DATA_NONE | IrqSet.ACTION_TRIGGER
        ioctl(self.fd, DEVICE_SET_IRQS, IrqSet(flags=flags, index=index))

    def _command(self, on: int, off: int) -> None:
        """Bits of the command register."""
        offset = self.region(CONFIG_REGION).offset + PCI_COMMAND
        (command,) = struct.unpack("<H", os.pread(self.fd, 2, offset))
        os.pwrite(self.fd, struct.pack("<H", command & ~off | on), offset)

    def enable(self, master: bool = True) -> None:
        """Enables memory space and, if requested, bus mastering."""
        if master:
            self._command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0)
        else:
            self._command(PCI_COMMAND_MEMORY, PCI_COMMAND_MASTER)

    def disable(self) -> None:
        """Disables memory space."""
        self._command(0, PCI_COMMAND_MEMORY)


class Registers:
    """Registers in a mapped BAR. Each is read and written by one access of its width."""

    def __init__(self, area: mmap.mmap) -> None:
        self._view = memoryview(area)
        self._by32 = self._view.cast("I")
        self._by64 = self._view.cast("Q")

    def read32(self, offset: int) -> int:
        """Reads four bytes."""
        return self._by32[offset // 4]

    def write32(self, offset: int, value: int) -> None:
        """Writes four bytes."""
        self._by32[offset // 4] = value

    def read64(self, offset: int) -> int:
        """Reads eight bytes."""
        return self._by64[offset // 8]

    def write64(self, offset: int, value: int) -> None:
        """Writes eight bytes."""
        self._by64[offset // 8] = value

    def release(self) -> None:
        """Releases the area, so that it can be unmapped."""
        self._by32.release()
        self._by64.release()
        self._view.release()
