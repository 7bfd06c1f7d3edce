# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOAS_MAP_FILE of dma-bufs: memory of another device, which that device may revoke.

The mock exports one. A device with a real IOMMU shows whether it is reachable.
"""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from data_pattern import pattern
from errnos import errno_of
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.faults import expect_fault
from iommufd.mem import PAGE
from iommufd.mock import Access, Device
from iommufd.openfile import OpenFile
from iommufd.pins import pinned_pages, unprivileged
from iommufd.trace import Stream
from iommufd.uapi import MAP_READABLE

IOVA = mock.START
SIZE = 4 * PAGE
# The address of an ordinary page, for transfers of the device.
OWN = mock.START + (64 << 20)
DATA = b"of the device"


@pytest.fixture
def dma_buf(context: Context) -> Iterator[int]:
    fd = mock.dma_buf(context, SIZE)
    yield fd
    os.close(fd)


@dataclass
class Mover:
    """A device on an IOAS, and memory to inspect its transfers."""

    device: Edu
    page: mem.Buffer

    def write(self, iova: int, data: bytes) -> None:
        """Writes data at an address."""
        self.page.write(data)
        self.device.dma_read(OWN, len(data))
        self.device.dma_write(iova, len(data))

    def read(self, iova: int, length: int) -> bytes:
        """Reads the data at an address."""
        self.device.dma_read(iova, length)
        self.device.dma_write(OWN, length)
        return self.page.read(0, length)

    def lost(self, iova: int, data: bytes) -> bool:
        """Whether the device can no longer reach an address."""
        return self.read(iova, len(data)) != data


@pytest.fixture
def mover(context: Context, ioas: int) -> Iterator[Mover]:
    with Edu(context, ioas) as device, mem.anonymous(PAGE) as page:
        context.map(ioas, page, iova=OWN)
        yield Mover(device, page)


def test_dma(context: Context, ioas: int, mover: Mover, dma_buf: int) -> None:
    """Any part of it, in several places; none of it counts as pinned."""
    before = pinned_pages()
    with unprivileged(0):
        context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
        context.map_file(ioas, dma_buf, PAGE, 2 * PAGE, iova=IOVA + SIZE)
    assert pinned_pages() == before
    data = pattern("dma-buf", 128)
    mover.write(IOVA + SIZE - PAGE - 64, data)
    assert mover.read(IOVA + SIZE + 2 * PAGE - 64, 64) == data[:64]
    context.unmap(ioas, IOVA, SIZE)
    assert mover.lost(IOVA + SIZE - PAGE - 64, data)
    assert mover.read(IOVA + SIZE + 2 * PAGE - 64, 64) == data[:64]


@pytest.mark.guest(kernels="ours")
def test_events(context: Context, ioas: int, dma_buf: int) -> None:
    """One run, and no page that is pinned or unpinned."""
    with Device(context, ioas), Stream("iommufd") as stream:
        context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
        context.unmap(ioas, IOVA, SIZE)
        events = [e for e in stream.read() if not e.name.endswith("_brief")]
    mapped, unmapped = events
    assert (mapped["source"], mapped.number("runs"), mapped.number("pinned")) == ("dmabuf", 1, 0)
    assert (unmapped.number("areas"), unmapped.number("unpinned")) == (1, 0)


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 0), (SIZE, SIZE), (0, SIZE + PAGE), (PAGE, SIZE), (1 << 40, PAGE)],
)
def test_bad_range(context: Context, ioas: int, dma_buf: int, start: int, length: int) -> None:
    assert errno_of(context.map_file, ioas, dma_buf, start, length) == errno.EINVAL
    assert context.unmap_all(ioas) == 0


def test_revoke(context: Context, ioas: int, mover: Mover, dma_buf: int) -> None:
    """The device loses it at once and permanently; it can be mapped again."""
    with Device(context, ioas):
        context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
        mover.write(IOVA, DATA)
        mock.revoke(context, dma_buf)
        expect_fault(mover.device.dma_read, IOVA)
        expect_fault(mover.device.dma_write, IOVA)
        assert errno_of(context.map_file, ioas, dma_buf, 0, SIZE) == errno.ENODEV
        mock.revoke(context, dma_buf, False)
        assert mover.lost(IOVA, DATA)
        context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA + SIZE)
        assert mover.read(IOVA + SIZE, len(DATA)) == DATA
        assert context.unmap(ioas, IOVA, SIZE) == SIZE
        context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
        assert mover.read(IOVA, len(DATA)) == DATA


def test_revoked_twice(context: Context, ioas: int, mover: Mover, dma_buf: int) -> None:
    """A second revocation changes nothing."""
    for i in range(3):
        context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA + i * SIZE)
        mover.write(IOVA + i * SIZE, DATA)
        for revoked in (True, True, False, False):
            mock.revoke(context, dma_buf, revoked)
        assert mover.lost(IOVA + i * SIZE, DATA)


@pytest.mark.parametrize("revoked", [False, True])
def test_unmap(context: Context, ioas: int, mover: Mover, dma_buf: int, revoked: bool) -> None:
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
    mover.write(IOVA, DATA)
    if revoked:
        mock.revoke(context, dma_buf)
    assert context.unmap(ioas, IOVA, SIZE) == SIZE
    assert mover.lost(IOVA, DATA)
    mock.revoke(context, dma_buf, not revoked)
    assert mover.lost(IOVA, DATA)


def test_attach_later(context: Context, ioas: int, dma_buf: int) -> None:
    """A new page table has all mappings, except what was revoked in the meantime."""
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
    mock.revoke(context, dma_buf)
    mock.revoke(context, dma_buf, False)
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA + SIZE)
    with Edu(context, ioas) as device, mem.anonymous(PAGE) as page:
        context.map(ioas, page, iova=OWN)
        mover = Mover(device, page)
        mover.write(IOVA + SIZE, DATA)
        assert mover.read(IOVA + SIZE, len(DATA)) == DATA
        assert mover.lost(IOVA, DATA)


def test_attach_while_revoked(context: Context, ioas: int, dma_buf: int) -> None:
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
    mock.revoke(context, dma_buf)
    with Edu(context, ioas) as device:
        expect_fault(device.dma_write, IOVA)


def test_copy(context: Context, ioas: int, mover: Mover, dma_buf: int) -> None:
    """A copy outlives its source, and disappears with it on a revocation."""
    other = context.ioas_alloc()
    context.map_file(other, dma_buf, 0, SIZE, iova=IOVA)
    context.copy(ioas, other, IOVA + PAGE, PAGE, iova=IOVA)
    context.copy(ioas, other, IOVA, SIZE, iova=IOVA + SIZE)
    mover.write(IOVA, DATA)
    assert mover.read(IOVA + SIZE + PAGE, len(DATA)) == DATA
    context.unmap_all(other)
    assert mover.read(IOVA, len(DATA)) == DATA
    mock.revoke(context, dma_buf)
    assert mover.lost(IOVA, DATA)
    assert mover.lost(IOVA + SIZE + PAGE, DATA)


def test_copy_for_writing(context: Context, ioas: int, dma_buf: int) -> None:
    """A copy has no rights that its source lacks."""
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA, prot=MAP_READABLE)
    assert errno_of(context.copy, ioas, ioas, IOVA, SIZE) == errno.EPERM
    context.copy(ioas, ioas, IOVA, SIZE, prot=MAP_READABLE)


@pytest.mark.guest(kernels="ours")
@pytest.mark.parametrize("attached", [False, True])
@pytest.mark.parametrize("back", [False, True])
def test_copy_of_what_is_revoked(
    context: Context, dma_buf: int, attached: bool, back: bool
) -> None:
    """Refused like a map of it, with and without page tables, even after it is restored."""
    source, target = context.ioas_alloc(), context.ioas_alloc()
    with ExitStack() as stack:
        if attached:
            stack.enter_context(Device(context, source))
            stack.enter_context(Device(context, target))
        page = stack.enter_context(mem.anonymous(PAGE))
        context.map(source, page, iova=IOVA)
        context.map_file(source, dma_buf, 0, SIZE, iova=IOVA + PAGE)
        mock.revoke(context, dma_buf)
        if back:
            mock.revoke(context, dma_buf, False)
        assert errno_of(context.copy, target, source, IOVA + PAGE, SIZE) == errno.ENODEV
        # None of it can be copied.
        assert errno_of(context.copy, target, source, IOVA, SIZE) == errno.ENODEV
        assert context.unmap_all(target) == 0
        assert context.unmap(source, IOVA + PAGE, SIZE) == SIZE


@pytest.mark.guest(kernels="main", icount=True)
def test_many_copies() -> None:
    """The number of instructions to unmap one does not grow with their number."""

    def seconds(copies: int) -> float:
        with Context() as context:
            source, target = context.ioas_alloc(), context.ioas_alloc()
            with OpenFile(mock.dma_buf(context, PAGE)) as file, Device(context, target):
                context.map_file(source, file.fd, 0, PAGE, iova=IOVA)
                for i in range(copies):
                    context.copy(target, source, IOVA, PAGE, iova=IOVA + i * PAGE)
                start = time.monotonic()
                assert context.unmap_all(target) == copies * PAGE
                return time.monotonic() - start

    few = min(seconds(1000) for _ in range(3))
    # It took 64 times as long when each unmap searched all of them.
    assert seconds(8000) < 24 * few


def test_file_closed(context: Context, ioas: int, mover: Mover) -> None:
    """The mapping keeps the dma-buf."""
    fd = mock.dma_buf(context, SIZE)
    context.map_file(ioas, fd, 0, SIZE, iova=IOVA)
    os.close(fd)
    mover.write(IOVA, DATA)
    assert mover.read(IOVA, len(DATA)) == DATA


def test_read_only(context: Context, ioas: int, mover: Mover, dma_buf: int) -> None:
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
    mover.write(IOVA, DATA)
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA + SIZE, prot=MAP_READABLE)
    expect_fault(mover.device.dma_write, IOVA + SIZE)
    assert mover.read(IOVA + SIZE, len(DATA)) == DATA


def test_no_access_by_the_cpu(context: Context, ioas: int, dma_buf: int) -> None:
    """It is another device's memory, without pages."""
    context.map_file(ioas, dma_buf, 0, SIZE, iova=IOVA)
    with Access(context, ioas) as access:
        assert errno_of(access.read, IOVA, 16) == errno.EINVAL
        assert errno_of(access.write, IOVA, b"x") == errno.EINVAL
        assert errno_of(access.pin, IOVA, 0, PAGE) == errno.EINVAL
