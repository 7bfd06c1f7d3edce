# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A context: one open file of /dev/iommu."""

import ctypes
import errno

from . import uapi
from .ioctl import ioctl
from .mem import Buffer
from .openfile import OpenFile, open_file

# An id that names no object in these tests: ids are allocated from 1 upwards.
NO_ID = 0x7FFFFFF0

RW = uapi.MAP_READABLE | uapi.MAP_WRITEABLE


class Context(OpenFile):
    """A context. Closing it destroys its objects; usable in a with statement."""

    def __init__(self) -> None:
        super().__init__(open_file("/dev/iommu"))

    def command(self, name: str, argument: ctypes.Structure) -> None:
        """Any command by its name in uapi.NUMBER."""
        ioctl(self.fd, uapi.NUMBER[name], argument)

    def destroy(self, object_id: int) -> None:
        """IOMMU_DESTROY"""
        self.command("DESTROY", uapi.Destroy(id=object_id))

    def ioas_alloc(self) -> int:
        """IOMMU_IOAS_ALLOC; the id of a new IOAS."""
        argument = uapi.IoasAlloc()
        self.command("IOAS_ALLOC", argument)
        return argument.out_ioas_id

    def iova_ranges(self, ioas: int) -> list[tuple[int, int]]:
        """IOMMU_IOAS_IOVA_RANGES, repeated with enough room; (first, last) of each."""
        argument = uapi.IoasIovaRanges(ioas_id=ioas)
        try:
            self.command("IOAS_IOVA_RANGES", argument)
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
        array = (uapi.IovaRange * argument.num_iovas)()
        argument.allowed_iovas = ctypes.addressof(array)
        self.command("IOAS_IOVA_RANGES", argument)
        return [(r.start, r.last) for r in array[: argument.num_iovas]]

    def iova_alignment(self, ioas: int) -> int:
        """out_iova_alignment of IOMMU_IOAS_IOVA_RANGES."""
        array = (uapi.IovaRange * 64)()
        argument = uapi.IoasIovaRanges(
            ioas_id=ioas, num_iovas=64, allowed_iovas=ctypes.addressof(array)
        )
        self.command("IOAS_IOVA_RANGES", argument)
        return argument.out_iova_alignment

    def map(
        self,
        ioas: int,
        buffer: Buffer | int,
        length: int | None = None,
        iova: int | None = None,
        prot: int = RW,
    ) -> int:
        """IOMMU_IOAS_MAP of a buffer or an address, at `iova` or where the kernel chooses."""
        # `buffer` is not rebound: the caller may hold no other reference to it.
        address = buffer
        if isinstance(buffer, Buffer):
            address = buffer.address
            length = buffer.size if length is None else length
        argument = uapi.IoasMap(flags=prot, ioas_id=ioas, user_va=address, length=length or 0)
        if iova is not None:
            argument.flags |= uapi.MAP_FIXED_IOVA
            argument.iova = iova
        self.command("IOAS_MAP", argument)
        return argument.iova

    def unmap(self, ioas: int, iova: int, length: int) -> int:
        """IOMMU_IOAS_UNMAP; the bytes unmapped."""
        argument = uapi.IoasUnmap(ioas_id=ioas, iova=iova, length=length)
        self.command("IOAS_UNMAP", argument)
        return argument.length

    def unmap_all(self, ioas: int) -> int:
        """IOMMU_IOAS_UNMAP of all mappings; the bytes unmapped."""
        return self.unmap(ioas, 0, uapi.U64_MAX)

    def map_file(
        self,
        ioas: int,
        fd: int,
        start: int,
        length: int,
        iova: int | None = None,
        prot: int = RW,
    ) -> int:
        """IOMMU_IOAS_MAP_FILE, at `iova` or where the kernel chooses."""
        argument = uapi.IoasMapFile(flags=prot, ioas_id=ioas, fd=fd, start=start, length=length)
        if iova is not None:
            argument.flags |= uapi.MAP_FIXED_IOVA
            argument.iova = iova
        self.command("IOAS_MAP_FILE", argument)
        return argument.iova

    def copy(
        self,
        ioas: int,
        source_ioas: int,
        source: int,
        length: int,
        iova: int | None = None,
        prot: int = RW,
    ) -> int:
        """IOMMU_IOAS_COPY, at `iova` or where the kernel chooses."""
        argument = uapi.IoasCopy(
            flags=prot,
            dst_ioas_id=ioas,
            src_ioas_id=source_ioas,
            length=length,
            src_iova=source,
        )
        if iova is not None:
            argument.flags |= uapi.MAP_FIXED_IOVA
            argument.dst_iova = iova
        self.command("IOAS_COPY", argument)
        return argument.dst_iova

    def allow_iovas(self, ioas: int, ranges: list[tuple[int, int]]) -> None:
        """IOMMU_IOAS_ALLOW_IOVAS of (first, last) ranges."""
        array = (uapi.IovaRange * len(ranges))(*[uapi.IovaRange(*r) for r in ranges])
        argument = uapi.IoasAllowIovas(
            ioas_id=ioas, num_iovas=len(ranges), allowed_iovas=ctypes.addressof(array)
        )
        self.command("IOAS_ALLOW_IOVAS", argument)

    def hwpt_alloc(self, device: int, pt_id: int, flags: int = 0) -> int:
        """IOMMU_HWPT_ALLOC without driver data; the id of a new page table."""
        argument = uapi.HwptAlloc(dev_id=device, pt_id=pt_id, flags=flags)
        self.command("HWPT_ALLOC", argument)
        return argument.out_hwpt_id

    def get_option(self, option: int, object_id: int = 0) -> int:
        """IOMMU_OPTION_OP_GET"""
        argument = uapi.Option(option_id=option, op=1, object_id=object_id)
        self.command("OPTION", argument)
        return argument.val64

    def set_option(self, option: int, value: int, object_id: int = 0) -> None:
        """IOMMU_OPTION_OP_SET"""
        argument = uapi.Option(option_id=option, op=0, object_id=object_id, val64=value)
        self.command("OPTION", argument)
