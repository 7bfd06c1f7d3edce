# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Dirty tracking on the mock, exact to the bit."""

import ctypes
import errno
import mmap
import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from errnos import errno_of, fails
from iommufd import dirty, mem, mock, mock_uapi, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.mem import PAGE

IOVA = mock.START
OURS = pytest.mark.guest(kernels="ours")
# The mock's smallest pages in one CPU page, which is the unit of mapping here.
EACH = PAGE // mock.PAGE
PAGES = 64
LENGTH = PAGES * PAGE


@dataclass
class Table:
    """A page table with dirty tracking."""

    context: Context
    ioas: int
    device: mock.Device
    id: int
    buffer: mem.Buffer

    def map(self, page: int, count: int) -> None:
        """Maps pages of the buffer at their place."""
        at = page * PAGE
        self.context.map(self.ioas, self.buffer.address + at, count * PAGE, iova=IOVA + at)

    def write(self, *pages: int) -> None:
        """Marks some part of each of these pages, as a device would."""
        dirty.mark(self.context, self.id, IOVA, [page * EACH + page % EACH for page in pages])

    def read(self, page: int = 0, count: int = PAGES, size: int = PAGE, **how) -> list[int]:
        """The bits of a range of pages."""
        return dirty.read(self.context, self.id, IOVA + page * PAGE, count * PAGE, size, **how)


def alloc(context: Context, device: mock.Device, ioas: int, huge: bool = False) -> int:
    """A page table that can track. The huge kind has pages of 2 KiB and 1 MiB only."""
    data = mock_uapi.HwptSelftest(
        pagetable_type=mock_uapi.MOCK_IOMMUPT_HUGE if huge else mock_uapi.MOCK_IOMMUPT_DEFAULT
    )
    argument = uapi.HwptAlloc(
        flags=uapi.HWPT_ALLOC_DIRTY_TRACKING,
        dev_id=device.device,
        pt_id=ioas,
        data_type=mock_uapi.IOMMU_HWPT_DATA_SELFTEST,
        data_len=ctypes.sizeof(data),
        data_uptr=ctypes.addressof(data),
    )
    context.command("HWPT_ALLOC", argument)
    return argument.out_hwpt_id


@pytest.fixture
def table(context: Context, ioas: int) -> Iterator[Table]:
    """Nothing is mapped yet; each page will be an area of its own."""
    context.set_option(uapi.OPTION_HUGE_PAGES, 0, ioas)
    with mock.Device(context, ioas) as device, mem.anonymous(LENGTH) as buffer:
        table = Table(context, ioas, device, alloc(context, device, ioas), buffer)
        dirty.track(context, table.id)
        yield table
        context.destroy(table.id)


@pytest.fixture
def full(table: Table) -> Table:
    """All pages are mapped, as one area."""
    table.map(0, PAGES)
    return table


def test_what_is_written(full: Table) -> None:
    """Is reported once."""
    assert full.read() == []
    full.write(0, 5, 31, 32, PAGES - 1)
    assert full.read() == [0, 5, 31, 32, PAGES - 1]
    assert full.read() == []
    full.write(5)
    assert full.read() == [5]


def test_no_clear(full: Table) -> None:
    """A query with NO_CLEAR leaves the marks."""
    full.write(1, 2, 63)
    for _ in range(2):
        assert full.read(clear=False) == [1, 2, 63]
    full.write(7)
    assert full.read(page=2, count=8) == [0, 5]
    assert full.read(clear=False) == [1, 63]
    assert full.read() == [1, 63]


@pytest.mark.parametrize("size", [512, 2048, PAGE, 2 * PAGE, 16 * PAGE, LENGTH])
def test_page_sizes(full: Table, size: int) -> None:
    """A bit is set if any part of its page is dirty."""
    pages = [0, 3, 17, 30, 31, 60]
    full.write(*pages)
    want = set()
    for page in pages:
        want.update(range(page * PAGE // size, ((page + 1) * PAGE - 1) // size + 1))
    assert full.read(size=size) == sorted(want)


@pytest.mark.parametrize("shift", [0, 1, 7, 8, 2048, PAGE - 8, PAGE - 3, PAGE - 1])
def test_bitmap_anywhere(full: Table, shift: int) -> None:
    """The bitmap can begin at any byte, and nothing after its last byte is touched."""
    full.write(*range(0, PAGES, 3))
    want = [b for page in range(0, PAGES, 3) for b in range(page * EACH, (page + 1) * EACH)]
    assert full.read(size=mock.PAGE, shift=shift) == want


def test_bits_are_added(full: Table) -> None:
    """Bits that were set in the bitmap stay set."""
    full.write(4)
    with dirty.Bitmap(PAGES) as bitmap:
        bitmap.set([1, 5, 63])
        dirty.read_into(full.context, full.id, IOVA, LENGTH, bitmap.address, PAGE)
        assert bitmap.bits() == [1, 4, 5, 63]


def test_random(full: Table) -> None:
    """Reads of parts, in any order, find each write exactly once."""
    rng = random.Random(1)
    marked: set[int] = set()
    for _ in range(100):
        pages = rng.sample(range(PAGES), rng.randrange(1, 9))
        full.write(*pages)
        marked.update(pages)
        first = rng.randrange(PAGES)
        count = rng.randrange(1, PAGES - first + 1)
        clear = rng.random() < 0.7
        part = {page for page in marked if first <= page < first + count}
        found = full.read(first, count, clear=clear, shift=rng.randrange(PAGE))
        assert found == sorted(page - first for page in part)
        if clear:
            marked -= part
    assert full.read() == sorted(marked)


def test_areas(table: Table) -> None:
    """Adjacent areas are one range."""
    for first, count in ((0, 3), (3, 1), (4, 6), (10, PAGES - 10)):
        table.map(first, count)
    pages = [0, 2, 3, 4, 9, 10, 63]
    table.write(*pages)
    assert table.read(clear=False) == pages
    assert table.read(9, 2) == [0, 1]
    assert table.read(0, 4) == [0, 2, 3]
    assert table.read() == [4, 63]


@OURS
def test_holes(table: Table) -> None:
    """Unmapped ranges are not dirty. The peer stops at the first hole, without an error."""
    for first, count in ((1, 3), (4, 1), (5, 6), (20, 1), (22, 20), (63, 1)):
        table.map(first, count)
    pages = [1, 3, 4, 5, 10, 20, 22, 30, 41, 63]
    table.write(*pages)
    assert table.read(clear=False) == pages
    assert table.read(11, 9) == []
    assert table.read(10, 11) == [0, 10]
    assert table.read(0, 5) == [1, 3, 4]
    assert table.read() == [5, 22, 30, 41, 63]


def test_nothing_mapped(table: Table) -> None:
    """Also beyond the end of the page table."""
    assert table.read() == []
    for iova, length in ((0, PAGE), (IOVA - PAGE, 2 * PAGE), (1 << 40, LENGTH), (1 << 63, PAGE)):
        assert dirty.read(table.context, table.id, iova, length) == []
    assert dirty.read(table.context, table.id, uapi.U64_MAX + 1 - PAGE, PAGE) == []
    # Only the part of the bitmap for mapped memory is present.
    table.map(0, 1)
    table.write(0)
    with dirty.Bitmap(1) as bitmap:
        length = 1 << 60
        dirty.read_into(table.context, table.id, IOVA, length, bitmap.address, PAGE)
        assert bitmap.bits() == [0]


def test_unmapped_meanwhile(full: Table) -> None:
    """Unmapping discards the marks."""
    full.write(3)
    full.context.unmap(full.ioas, IOVA, LENGTH)
    full.map(0, PAGES)
    assert full.read() == []


def test_page_table_by_itself(full: Table) -> None:
    """Each page table has its own marks."""
    other = alloc(full.context, full.device, full.ioas)
    dirty.track(full.context, other)
    full.write(9)
    assert dirty.read(full.context, other, IOVA, LENGTH, PAGE) == []
    dirty.mark(full.context, other, IOVA, [11 * EACH])
    assert full.read() == [9]
    assert dirty.read(full.context, other, IOVA, LENGTH, PAGE) == [11]
    full.context.destroy(other)


def test_tracking_on_and_off(full: Table) -> None:
    """Starting clears the marks; stopping keeps them until they are read."""
    context = full.context
    full.write(1)
    dirty.track(context, full.id)
    assert full.read() == []
    full.write(2)
    dirty.track(context, full.id, enable=False)
    dirty.track(context, full.id, enable=False)
    with fails(errno.EINVAL):
        full.write(3)
    assert full.read(clear=False) == [2]
    dirty.track(context, full.id)
    assert full.read() == []
    full.write(4)
    assert full.read() == [4]


@pytest.mark.parametrize("huge", [False, True], ids=["2M", "1M"])
def test_large_pages(context: Context, ioas: int, huge: bool) -> None:
    """One write dirties a whole IOMMU page, wherever that is in the bitmap."""
    size = 1 << 20 if huge else 2 << 20
    with mock.Device(context, ioas) as device, mem.hugetlb(3 * mem.HUGE) as buffer:
        table = alloc(context, device, ioas, huge)
        dirty.track(context, table)
        context.map(ioas, buffer, iova=IOVA)
        dirty.mark(context, table, IOVA, [1, (2 * size + size - 1) // mock.PAGE])
        for page_size in (mock.PAGE, 64, size):
            bits = size // page_size
            want = [*range(bits), *range(2 * bits, 3 * bits)]
            found = dirty.read(context, table, IOVA, buffer.size, page_size, clear=False)
            assert found == want, page_size
        assert dirty.read(context, table, IOVA, buffer.size, size) == [0, 2]
        assert dirty.read(context, table, IOVA, buffer.size, size) == []
        context.destroy(table)


def test_long_bitmap(context: Context, ioas: int) -> None:
    """A bit for each byte: one IOMMU page has more bits than the kernel processes at a time."""
    with mock.Device(context, ioas) as device, mem.hugetlb(mem.HUGE) as buffer:
        table = alloc(context, device, ioas)
        dirty.track(context, table)
        context.map(ioas, buffer, iova=IOVA)
        dirty.mark(context, table, IOVA, [1000])
        with mem.anonymous(buffer.size // 8) as bitmap:
            dirty.read_into(context, table, IOVA, buffer.size, bitmap.address, 1)
            assert bitmap.read() == b"\xff" * bitmap.size
            bitmap.fill(0)
            dirty.read_into(context, table, IOVA, buffer.size, bitmap.address, 1)
            assert not any(bitmap.read())
        context.destroy(table)


@OURS
def test_part_of_a_large_page(context: Context, ioas: int) -> None:
    """A range that begins or ends within an IOMMU page; the peer loses the first case."""
    huge, part = 2 << 20, 64 << 10
    with mock.Device(context, ioas) as device, mem.hugetlb(mem.HUGE) as buffer:
        table = alloc(context, device, ioas)
        dirty.track(context, table)
        context.map(ioas, buffer, iova=IOVA)
        for iova, length in (
            (IOVA + part, part),
            (IOVA, part),
            (IOVA - part, 2 * part),
            (IOVA + huge - part, 2 * part),
        ):
            dirty.mark(context, table, IOVA, [100])
            first = max(iova, IOVA) - iova
            last = min(iova + length, IOVA + huge) - iova
            want = list(range(first // PAGE, last // PAGE))
            assert dirty.read(context, table, iova, length, PAGE) == want
        context.destroy(table)


def test_device_memory(table: Table) -> None:
    """A dma-buf is tracked too, until its owner revokes it."""
    context = table.context
    fd = mock.dma_buf(context, LENGTH)
    context.map_file(table.ioas, fd, 0, LENGTH, iova=IOVA)
    table.write(3)
    assert 3 in table.read()
    table.write(3)
    mock.revoke(context, fd)
    assert table.read() == []
    dirty.track(context, table.id)
    os.close(fd)


GET = {"iova": IOVA, "length": LENGTH, "page_size": PAGE}
LAST_PAGE = uapi.U64_MAX + 1 - PAGE
BAD = {
    "flags": ({"flags": 2}, errno.EOPNOTSUPP),
    "reserved": ({"__reserved": 1}, errno.EOPNOTSUPP),
    "flags-of-nothing": ({"flags": 2, "hwpt_id": NO_ID}, errno.EOPNOTSUPP),
    "unknown": ({"hwpt_id": NO_ID}, errno.ENOENT),
    "none": ({"hwpt_id": 0}, errno.ENOENT),
    "size": ({"size": 47}, errno.EINVAL),
    "no-length": ({"length": 0}, errno.EINVAL),
    "no-page-size": ({"page_size": 0}, errno.EINVAL),
    "page-size-too-large": ({"page_size": 2 * LENGTH}, errno.EINVAL),
    "page-size-max": ({"page_size": uapi.U64_MAX}, errno.EINVAL),
    "iova-not-aligned": ({"iova": IOVA + mock.PAGE}, errno.EINVAL),
    "length-not-aligned": ({"length": LENGTH - mock.PAGE}, errno.EINVAL),
    "iova-not-of-a-page": ({"iova": IOVA + 512, "page_size": 512}, errno.EINVAL),
    "length-not-of-a-page": ({"length": 512, "page_size": 512}, errno.EINVAL),
    "wraps": ({"iova": LAST_PAGE, "length": 2 * PAGE}, errno.EOVERFLOW),
    "wraps-and-no-page-size": (
        {"iova": LAST_PAGE, "length": 2 * PAGE, "page_size": 0},
        errno.EOVERFLOW,
    ),
    "length-max": ({"length": LAST_PAGE}, errno.EOVERFLOW),
    "page-size-no-power-of-two": ({"page_size": 3 * PAGE, "length": 3 * PAGE}, errno.EINVAL),
}


@pytest.mark.parametrize(
    ("fields", "error"), [pytest.param(*case, id=name) for name, case in BAD.items()]
)
def test_bad_read(full: Table, fields: dict, error: int) -> None:
    """An errno, no bit set, and no mark lost."""
    full.write(1, 8)
    with dirty.Bitmap(PAGES) as bitmap:
        values = {"hwpt_id": full.id, "data": bitmap.address, **GET, **fields}
        with fails(error):
            full.context.command("HWPT_GET_DIRTY_BITMAP", uapi.HwptGetDirtyBitmap(**values))
        assert bitmap.bits() == []
    assert full.read() == [1, 8]


@OURS
@pytest.mark.parametrize("address", [0, 8, 0xFFFF888000000000, 1 << 50, uapi.U64_MAX], ids=hex)
def test_no_bitmap(full: Table, address: int) -> None:
    """The peer reports success, and the marks are lost."""
    full.write(1, 8)
    with fails(errno.EFAULT):
        dirty.read_into(full.context, full.id, IOVA, LENGTH, address, PAGE)
    assert full.read() == [1, 8]


@OURS
def test_bitmap_read_only(full: Table) -> None:
    """If only its second page is read-only, the same happens as without a bitmap."""
    full.write(1, 60)
    with mem.anonymous(2 * PAGE) as memory:
        memory.fill(0)
        mem.protect(memory, mmap.PROT_READ, PAGE)
        address = memory.address + PAGE - 1
        with fails(errno.EFAULT):
            dirty.read_into(full.context, full.id, IOVA, LENGTH, address, PAGE)
        assert not any(memory.read())
    assert full.read() == [1, 60]


def test_wrong_objects(full: Table) -> None:
    """Objects other than page tables that can track."""
    context = full.context
    automatic, plain = full.device.hwpt, context.hwpt_alloc(full.device.device, full.ioas)
    for hwpt, error in (
        (full.ioas, errno.ENOENT),
        (full.device.device, errno.ENOENT),
        (automatic, errno.EOPNOTSUPP),
        (plain, errno.EOPNOTSUPP),
    ):
        assert errno_of(dirty.track, context, hwpt) == error
        assert errno_of(dirty.read, context, hwpt, IOVA, LENGTH) == error
    context.destroy(plain)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"flags": 2}, errno.EOPNOTSUPP),
        ({"flags": 3}, errno.EOPNOTSUPP),
        ({"flags": 2, "hwpt_id": NO_ID}, errno.EOPNOTSUPP),
        ({"hwpt_id": NO_ID}, errno.ENOENT),
        ({"size": 15}, errno.EINVAL),
    ],
    ids=str,
)
def test_bad_set(full: Table, fields: dict, error: int) -> None:
    """Nothing is switched or cleared."""
    check_bad_set(full, fields, error)


@OURS
def test_bad_set_reserved(full: Table) -> None:
    """The peer ignores the field."""
    check_bad_set(full, {"__reserved": 1}, errno.EOPNOTSUPP)


def check_bad_set(full: Table, fields: dict, error: int) -> None:
    full.write(6)
    argument = uapi.HwptSetDirtyTracking(**{"hwpt_id": full.id, **fields})
    with fails(error):
        full.context.command("HWPT_SET_DIRTY_TRACKING", argument)
    full.write(7)
    assert full.read() == [6, 7]


@OURS
@pytest.mark.guest(parallel=True)
@pytest.mark.limit(120)
def test_while_others_map_and_unmap(table: Table) -> None:
    """Areas that stay mapped keep exact marks while others are mapped and unmapped.

    The peer finds nothing after a hole.
    """
    table.map(0, 16)
    table.map(32, 16)
    stop = threading.Event()
    errors: list[BaseException] = []

    def churn(first: int) -> None:
        try:
            while not stop.is_set():
                table.map(first, 16)
                table.context.unmap(table.ioas, IOVA + first * PAGE, 16 * PAGE)
        except BaseException as error:
            errors.append(error)

    def toggle() -> None:
        try:
            other = alloc(table.context, table.device, table.ioas)
            while not stop.is_set():
                dirty.track(table.context, other)
                dirty.track(table.context, other, enable=False)
            table.context.destroy(other)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=churn, args=(first,)) for first in (16, 48)]
    threads.append(threading.Thread(target=toggle))
    for thread in threads:
        thread.start()
    try:
        for i in range(100):
            pages = [i % 16, 32 + i % 13]
            table.write(*pages)
            assert table.read(clear=False) == pages
            assert table.read(32, 16) == [i % 13]
            assert table.read() == [i % 16]
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not errors
