# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Several page tables on one IOAS: each has all mappings, and pages are pinned once."""

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from errnos import errno_of
from failnth import sweep
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.mock import Device
from iommufd.pins import pinned_pages, unprivileged
from iommufd.uapi import U64_MAX

IOVA = mock.START


@dataclass
class Table:
    """A page table that can be inspected, or one (hwpt 0) that cannot."""

    context: Context
    hwpt: int
    close: Callable[[], None]

    def check(self, iova: int, memory: mem.Buffer | int, length: int) -> None:
        if self.hwpt:
            mock.check_map(self.context, self.hwpt, iova, memory, length)


def _two_iommus(context: Context, ioas: int, stack: ExitStack) -> list[Table]:
    """One of the mock and a real one."""
    device = stack.enter_context(Device(context, ioas))
    edu = stack.enter_context(Edu(context, ioas))
    return [Table(context, device.hwpt, device.close), Table(context, 0, edu.close)]


def _allocated(context: Context, ioas: int, stack: ExitStack) -> list[Table]:
    """Of one IOMMU: the automatic one of a device, and three that were allocated by name."""
    device = stack.enter_context(Device(context, ioas))
    tables = [Table(context, device.hwpt, device.close)]
    for _ in range(3):
        hwpt = context.hwpt_alloc(device.device, ioas)
        tables.append(Table(context, hwpt, lambda hwpt=hwpt: context.destroy(hwpt)))
    return tables


@pytest.fixture(params=[_two_iommus, _allocated], ids=["two IOMMUs", "allocated"])
def tables(request: pytest.FixtureRequest, context: Context, ioas: int) -> Iterator[list[Table]]:
    with ExitStack() as stack:
        yield request.param(context, ioas, stack)


def check_all(tables: list[Table], iova: int, memory: mem.Buffer | int, length: int) -> None:
    for table in tables:
        table.check(iova, memory, length)


def check_none(tables: list[Table], iova: int, memory: mem.Buffer, length: int) -> None:
    """No page of it is in any of the page tables."""
    for table in tables:
        for page in range(0, length if table.hwpt else 0, PAGE):
            got = errno_of(table.check, iova + page, memory.address + page, PAGE)
            assert got == errno.EINVAL, f"{page:#x} is mapped"


def test_mapped_later(context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer) -> None:
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    assert pinned_pages() - before == 16
    mock.check_refs(context, buffer, buffer.size, 1)
    check_all(tables, IOVA, buffer, buffer.size)
    assert context.unmap(ioas, IOVA, buffer.size) == buffer.size
    check_none(tables, IOVA, buffer, buffer.size)
    mock.check_refs(context, buffer, buffer.size, 0)
    assert pinned_pages() == before


def test_mapped_before(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """A new page table gets all mappings, the old one keeps them."""
    before = pinned_pages()
    half = buffer.size // 2
    context.map(ioas, buffer.address, half, iova=IOVA)
    context.map(ioas, buffer.address + half, half, iova=IOVA + HUGE)
    with Device(context, ioas) as device:
        assert pinned_pages() - before == 16
        with Edu(context, ioas) as edu:
            device.check(IOVA, buffer, half)
            device.check(IOVA + HUGE, buffer.address + half, half)
            assert pinned_pages() - before == 16
            device.close()
            assert pinned_pages() - before == 16
            edu.dma_read(IOVA)
            edu.dma_write(IOVA + HUGE)
            assert buffer.read(half, PAGE) == buffer.read(0, PAGE)
    assert pinned_pages() == before


@pytest.mark.parametrize("leaves", [0, 1, -1])
def test_one_leaves(
    context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer, leaves: int
) -> None:
    """The first, a middle one, the last: the others stay complete and get later changes."""
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    tables.pop(leaves).close()
    check_all(tables, IOVA, buffer, buffer.size)
    assert pinned_pages() - before == 16
    context.map(ioas, buffer, iova=IOVA + HUGE)
    check_all(tables, IOVA + HUGE, buffer, buffer.size)
    context.unmap(ioas, IOVA, buffer.size)
    check_none(tables, IOVA, buffer, buffer.size)
    check_all(tables, IOVA + HUGE, buffer, buffer.size)


def test_leave_one_after_the_other(
    context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer
) -> None:
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    while tables:
        check_all(tables, IOVA, buffer, buffer.size)
        assert pinned_pages() - before == 16
        tables.pop(0).close()
    assert pinned_pages() == before
    assert context.unmap_all(ioas) == buffer.size


def test_copy(context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer) -> None:
    """Within the IOAS, and from one without page tables: pinned only once."""
    before = pinned_pages()
    other = context.ioas_alloc()
    source = context.map(other, buffer)
    assert pinned_pages() == before
    context.copy(ioas, other, source, buffer.size, iova=IOVA)
    context.copy(ioas, ioas, IOVA, buffer.size, iova=IOVA + HUGE)
    check_all(tables, IOVA, buffer, buffer.size)
    check_all(tables, IOVA + HUGE, buffer, buffer.size)
    assert pinned_pages() - before == 16
    context.unmap(ioas, IOVA, buffer.size)
    context.unmap_all(other)
    check_all(tables, IOVA + HUGE, buffer, buffer.size)
    assert pinned_pages() - before == 16
    context.unmap_all(ioas)
    assert pinned_pages() == before


@pytest.mark.parametrize("hole", [0, 7, 15])
def test_map_with_a_hole(context: Context, ioas: int, tables: list[Table], hole: int) -> None:
    """Memory ends half way: none of it is mapped or pinned, older mappings stay."""
    with mem.anonymous(17 * PAGE) as buffer:
        context.map(ioas, buffer.address + 16 * PAGE, PAGE, iova=IOVA + HUGE)
        before = pinned_pages()
        mem.protect(buffer, mem.PROT_NONE, hole * PAGE)
        assert errno_of(context.map, ioas, buffer, 16 * PAGE, iova=IOVA) == errno.EFAULT
        assert pinned_pages() == before
        mem.protect(buffer, mem.PROT_READ | mem.PROT_WRITE)
        check_none(tables, IOVA, buffer, 16 * PAGE)
        check_all(tables, IOVA + HUGE, buffer.address + 16 * PAGE, PAGE)
        assert context.map(ioas, buffer, 16 * PAGE, iova=IOVA) == IOVA
        check_all(tables, IOVA, buffer, 16 * PAGE)


def test_map_over_the_limit(
    context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer
) -> None:
    before = pinned_pages()
    with unprivileged(8 * PAGE):
        assert errno_of(context.map, ioas, buffer, iova=IOVA) == errno.ENOMEM
    assert pinned_pages() == before
    check_none(tables, IOVA, buffer, buffer.size)
    with unprivileged(8 * PAGE):
        context.map(ioas, buffer, 8 * PAGE, iova=IOVA)
    check_all(tables, IOVA, buffer, 8 * PAGE)


def test_join_with_bad_memory(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The first page table meets memory that is gone: it is not created, nothing is pinned."""
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    with mem.anonymous(PAGE) as gone:
        context.map(ioas, gone, iova=IOVA + HUGE)
    for _ in range(2):
        assert errno_of(Device, context, ioas) == errno.EFAULT
        assert pinned_pages() == before
        assert context.iova_ranges(ioas) == [(0, U64_MAX)]
    context.unmap(ioas, IOVA + HUGE, PAGE)
    with Device(context, ioas) as device:
        device.check(IOVA, buffer)


def test_join_outside_the_aperture(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    before = pinned_pages()
    context.map(ioas, buffer, iova=IOVA)
    for iova in (0, mock.APERTURE[0] - PAGE, mock.APERTURE[1] + 1):
        context.map(ioas, buffer, PAGE, iova=iova)
        assert errno_of(Device, context, ioas) == errno.EADDRINUSE
        assert pinned_pages() == before
        context.unmap(ioas, iova, PAGE)
    with Device(context, ioas) as device:
        device.check(IOVA, buffer)
        assert context.iova_ranges(ioas) == [mock.APERTURE]
        assert context.iova_alignment(ioas) == mock.PAGE


@pytest.mark.parametrize("limit", [16, 64, 4096])
def test_small_batches(context: Context, ioas: int, tables: list[Table], limit: int) -> None:
    """The same in steps of a few pages."""
    before = pinned_pages()
    with mem.anonymous(100 * PAGE) as buffer, mock.memory_limit(context, limit):
        buffer.fill(1)
        context.map(ioas, buffer, iova=IOVA)
        check_all(tables, IOVA, buffer, buffer.size)
        with Device(context, ioas) as device:
            device.check(IOVA, buffer)
        mem.protect(buffer, mem.PROT_NONE, 90 * PAGE)
        assert errno_of(context.map, ioas, buffer, iova=IOVA + HUGE) == errno.EFAULT
        assert pinned_pages() - before == 100
        assert context.unmap_all(ioas) == buffer.size
        assert pinned_pages() == before


def test_huge_pages(context: Context, ioas: int, tables: list[Table]) -> None:
    """Parts of huge pages, with all kinds of boundaries."""
    before = pinned_pages()
    with mem.hugetlb(2 * HUGE) as buffer:
        buffer.fill(1)
        for start, length in ((0, 2 * HUGE), (PAGE, HUGE), (HUGE - PAGE, 2 * PAGE)):
            context.map(ioas, buffer.address + start, length, iova=IOVA + start)
            check_all(tables, IOVA + start, buffer.address + start, length)
            assert pinned_pages() - before == length // PAGE
            context.unmap(ioas, IOVA + start, length)
            assert pinned_pages() == before


def test_replace(context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer) -> None:
    """A device moves to another IOAS and back; the page tables of the others stay."""
    other = context.ioas_alloc()
    context.map(ioas, buffer, iova=IOVA)
    context.map(other, buffer.address + PAGE, PAGE, iova=IOVA)
    before = pinned_pages()
    with Device(context, ioas) as device:
        old = device.hwpt
        device.replace(other)
        assert device.hwpt != old
        device.check(IOVA, buffer.address + PAGE, PAGE)
        check_all(tables, IOVA, buffer, buffer.size)
        assert pinned_pages() - before == 1
        device.replace(ioas)
        device.check(IOVA, buffer)
        assert pinned_pages() == before
    check_all(tables, IOVA, buffer, buffer.size)
    context.destroy(other)


def test_map_without_memory(
    context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer
) -> None:
    """Each allocation on the way fails once: everything is undone, or done regardless."""
    before = pinned_pages()

    def undone() -> None:
        assert pinned_pages() == before
        check_none(tables, IOVA, buffer, buffer.size)

    def done() -> None:
        check_all(tables, IOVA, buffer, buffer.size)
        assert context.unmap(ioas, IOVA, buffer.size) == buffer.size
        assert pinned_pages() == before

    failed = sweep(lambda: context.map(ioas, buffer, iova=IOVA), undone, done)
    assert failed > 0


def test_join_without_memory(
    context: Context, ioas: int, tables: list[Table], buffer: mem.Buffer
) -> None:
    """The same for a new page table on an IOAS with mappings."""
    context.map(ioas, buffer, iova=IOVA)
    before = pinned_pages()
    made: list[Device] = []

    def undone() -> None:
        assert pinned_pages() == before
        check_all(tables, IOVA, buffer, buffer.size)

    def done() -> None:
        made[-1].check(IOVA, buffer)
        made.pop().close()
        undone()

    failed = sweep(lambda: made.append(Device(context, ioas)), undone, done)
    assert failed > 0
