# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Memory of known kinds for DMA."""

import ctypes
import mmap
import os

from .openfile import Closing

PAGE = mmap.PAGESIZE
HUGE = 2 << 20

PROT_NONE, PROT_READ, PROT_WRITE = 0, 1, 2
MAP_FIXED = 0x10
MAP_NORESERVE = 0x4000
MAP_HUGETLB = 0x40000
MADV_HUGEPAGE = 14
MADV_NOHUGEPAGE = 15


class Buffer(Closing):
    """A mapping that knows its address; freed by close() or at the end of a with."""

    def __init__(self, area: mmap.mmap, offset: int = 0, size: int | None = None) -> None:
        self._area = area
        self._offset = offset
        self.size = len(area) - offset if size is None else size
        # Exported only to learn the address: a lasting export would forbid close().
        anchor = ctypes.c_char.from_buffer(area)
        self.address = ctypes.addressof(anchor) + offset
        del anchor

    def close(self) -> None:
        """Unmaps it."""
        self._area.close()

    def __len__(self) -> int:
        return self.size

    def read(self, offset: int = 0, size: int | None = None) -> bytes:
        """Reads bytes at an offset."""
        start = self._offset + offset
        return self._area[start : start + (self.size - offset if size is None else size)]

    def write(self, data: bytes, offset: int = 0) -> None:
        """Writes bytes at an offset."""
        start = self._offset + offset
        self._area[start : start + len(data)] = data

    def fill(self, byte: int) -> None:
        """Fills it with one byte; makes all pages present."""
        self.write(bytes([byte]) * self.size)


def anonymous(size: int) -> Buffer:
    """Private 4 KiB pages, exempt from transparent huge pages."""
    area = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    area.madvise(MADV_NOHUGEPAGE)
    return Buffer(area)


def shared(size: int) -> Buffer:
    """Shared anonymous memory, which the kernel backs with shmem."""
    return Buffer(mmap.mmap(-1, size, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))


def memfd(size: int) -> Buffer:
    """A shared mapping of a memfd."""
    fd = os.memfd_create("dma")
    try:
        os.ftruncate(fd, size)
        return Buffer(mmap.mmap(fd, size, mmap.MAP_SHARED))
    finally:
        os.close(fd)


def file(fd: int, size: int) -> Buffer:
    """A shared mapping of a file, such as a memfd of huge pages."""
    return Buffer(mmap.mmap(fd, size, mmap.MAP_SHARED))


def transparent_huge(size: int) -> Buffer:
    """Private memory in transparent huge pages, aligned and present."""
    area = mmap.mmap(-1, size + HUGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    start = Buffer(area).address
    buffer = Buffer(area, -start % HUGE, size)
    area.madvise(MADV_HUGEPAGE)
    buffer.fill(0)
    return buffer


def hugetlb(size: int, flags: int = 0) -> Buffer:
    """Private pages from the hugetlb pool."""
    flags |= mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB
    return Buffer(mmap.mmap(-1, size, flags))


_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
MAP_FAILED = 2**64 - 1


def protect(buffer: Buffer, prot: int, offset: int = 0) -> None:
    """mprotect() of a buffer from an offset to its end."""
    result = _libc.mprotect(
        ctypes.c_void_p(buffer.address + offset),
        ctypes.c_size_t(buffer.size - offset),
        ctypes.c_int(prot),
    )
    if result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _mmap(address: int | None, size: int, prot: int, flags: int, fd: int = -1) -> int:
    """mmap() that returns the address and takes one; Python's own does neither."""
    got = _libc.mmap(address, size, prot, flags, fd, 0)
    if got == MAP_FAILED:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return got


def make_small(buffer: Buffer, offset: int) -> None:
    """Maps anonymous small pages over the end of a buffer, with the alignment of the buffer."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_FIXED
    _mmap(buffer.address + offset, buffer.size - offset, PROT_READ | PROT_WRITE, flags)


class Repeated(Closing):
    """A file, mapped repeatedly until it fills an area; aligned for huge pages."""

    def __init__(self, fd: int, size: int) -> None:
        length = os.fstat(fd).st_size
        self.size = size
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
        self._reserved = _mmap(None, size + HUGE, PROT_NONE, flags)
        self.address = -(-self._reserved // HUGE) * HUGE
        for address in range(self.address, self.address + size, length):
            _mmap(address, length, PROT_READ | PROT_WRITE, mmap.MAP_SHARED | MAP_FIXED, fd)

    def close(self) -> None:
        """Unmaps it."""
        _libc.munmap(self._reserved, self.size + HUGE)


def physical(buffer: Buffer, offset: int = 0) -> int:
    """The physical address of a byte. It may change unless the page is pinned."""
    address = buffer.address + offset
    with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        entry = int.from_bytes(os.pread(pagemap.fileno(), 8, address // PAGE * 8), "little")
    return (entry & (1 << 55) - 1) * PAGE + address % PAGE


def smaps_kib(buffer: Buffer, field: str) -> int:
    """A field of the buffer's entry in smaps, such as AnonHugePages; 0 if it is missing."""
    found = False
    with open("/proc/self/smaps", encoding="ascii") as smaps:
        for line in smaps:
            head = line.split()[0]
            if "-" in head and not head.endswith(":"):
                first, last = (int(x, 16) for x in head.split("-"))
                found = first <= buffer.address < last
            elif found and head == field + ":":
                return int(line.split()[1])
    return 0
