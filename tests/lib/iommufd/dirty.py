# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Dirty tracking: the pages that devices have written to, according to a page table."""

from collections.abc import Iterable

from . import mem, mock, uapi
from .ctx import Context
from .openfile import Closing

GUARD = 0xA5


def track(context: Context, hwpt: int, enable: bool = True) -> None:
    """IOMMU_HWPT_SET_DIRTY_TRACKING"""
    flags = uapi.HWPT_DIRTY_TRACKING_ENABLE if enable else 0
    argument = uapi.HwptSetDirtyTracking(flags=flags, hwpt_id=hwpt)
    context.command("HWPT_SET_DIRTY_TRACKING", argument)


class Bitmap(Closing):
    """Memory for `count` bits, `shift` bytes after the start of a page."""

    def __init__(self, count: int, shift: int = 0) -> None:
        self._start = mem.PAGE + shift
        self._size = (count + 7) // 8
        pages = -(-(self._start + self._size) // mem.PAGE) + 1
        self._memory = mem.anonymous(pages * mem.PAGE)
        self._memory.fill(GUARD)
        self.clear()

    def close(self) -> None:
        """Frees it."""
        self._memory.close()

    @property
    def address(self) -> int:
        """The address of bit 0."""
        return self._memory.address + self._start

    def clear(self) -> None:
        """Clears all bits."""
        self._memory.write(bytes(self._size), self._start)

    def set(self, bits: Iterable[int]) -> None:
        """Sets some bits."""
        data = bytearray(self._memory.read(self._start, self._size))
        for bit in bits:
            data[bit // 8] |= 1 << bit % 8
        self._memory.write(bytes(data), self._start)

    def bits(self) -> list[int]:
        """The bits that are set. Nothing around the bitmap may have changed."""
        memory = self._memory.read()
        end = self._start + self._size
        for around in (memory[: self._start], memory[end:]):
            assert around == bytes([GUARD]) * len(around), "written outside of the bitmap"
        data = memory[self._start : end]
        return [8 * i + k for i, byte in enumerate(data) if byte for k in range(8) if byte >> k & 1]


def mark(context: Context, hwpt: int, iova: int, pages: Iterable[int]) -> None:
    """Pretends that a device wrote to these of the mock's smallest pages, counted from `iova`."""
    pages = sorted(pages)
    with Bitmap(pages[-1] + 1) as bitmap:
        bitmap.set(pages)
        part = {
            "iova": iova,
            "length": (pages[-1] + 1) * mock.PAGE,
            "page_size": mock.PAGE,
            "uptr": bitmap.address,
        }
        _, out = mock.command(context, "DIRTY", hwpt, dirty=part)
        assert out.out_nr_dirty == len(pages)


def read_into(
    context: Context,
    hwpt: int,
    iova: int,
    length: int,
    address: int,
    page_size: int = mock.PAGE,
    clear: bool = True,
) -> None:
    """IOMMU_HWPT_GET_DIRTY_BITMAP into the memory at an address."""
    argument = uapi.HwptGetDirtyBitmap(
        hwpt_id=hwpt,
        flags=0 if clear else uapi.HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
        iova=iova,
        length=length,
        page_size=page_size,
        data=address,
    )
    context.command("HWPT_GET_DIRTY_BITMAP", argument)


def read(
    context: Context,
    hwpt: int,
    iova: int,
    length: int,
    page_size: int = mock.PAGE,
    clear: bool = True,
    shift: int = 0,
) -> list[int]:
    """IOMMU_HWPT_GET_DIRTY_BITMAP; the bits that it sets in an empty bitmap."""
    with Bitmap(length // page_size, shift) as bitmap:
        read_into(context, hwpt, iova, length, bitmap.address, page_size, clear)
        return bitmap.bits()
