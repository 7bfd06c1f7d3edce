# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Memory of hugetlbfs, which is pinned by huge pages from the second batch on."""

import errno
import os

import pytest
from data_pattern import pattern
from errnos import fails
from failnth import sweep
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import pinned_pages
from iommufd.uapi import MAP_READABLE

pytestmark = pytest.mark.guest(hugepages=16)

COUNT = 6
# More runs than fit into a block of the store, in more than one batch.
RUNS = 600


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("skip", [0, 3 * PAGE, HUGE - PAGE])
def test_each_page(context: Context, ioas: int, skip: int, present: bool) -> None:
    """The device finds both ends of each huge page; only the requested pages are pinned."""
    before = pinned_pages()
    length = COUNT * HUGE - skip - 2 * PAGE
    with mem.hugetlb(COUNT * HUGE) as buffer, Edu(context, ioas) as device:
        if present:
            buffer.fill(0)
        iova = context.map(ioas, buffer.address + skip, length=length)
        assert pinned_pages() - before == length // PAGE
        borders = [0, length - PAGE]
        for border in range(HUGE, COUNT * HUGE, HUGE):
            borders += [border - skip - PAGE, border - skip]
        for at in {at for at in borders if 0 <= at < length}:
            data = pattern(f"huge {at}", PAGE)
            buffer.write(data, skip + at)
            device.dma_read(iova + at)
            buffer.write(bytes(PAGE), skip + at)
            device.dma_write(iova + at)
            assert buffer.read(skip + at, PAGE) == data
        assert context.unmap(ioas, iova, length) == length
    assert pinned_pages() == before


def test_not_writable(context: Context, ioas: int) -> None:
    """A later part that is not writable fails all of the map; for reading it is one mapping."""
    before = pinned_pages()
    with mem.hugetlb(COUNT * HUGE) as buffer, Edu(context, ioas) as device:
        buffer.write(pattern("tail", PAGE), COUNT * HUGE - PAGE)
        mem.protect(buffer, mem.PROT_READ, 4 * HUGE)
        with fails(errno.EFAULT):
            context.map(ioas, buffer)
        assert pinned_pages() == before
        iova = context.map(ioas, buffer, prot=MAP_READABLE)
        assert pinned_pages() - before == COUNT * HUGE // PAGE
        device.dma_read(iova + COUNT * HUGE - PAGE)
        context.unmap_all(ioas)
    assert pinned_pages() == before


def test_other_memory_behind(context: Context, ioas: int) -> None:
    """Huge pages followed by small ones, by one request."""
    before = pinned_pages()
    with mem.hugetlb(COUNT * HUGE) as buffer, Edu(context, ioas) as device:
        border = 4 * HUGE
        mem.make_small(buffer, border)
        iova = context.map(ioas, buffer)
        assert pinned_pages() - before == COUNT * HUGE // PAGE
        data = pattern("border", PAGE)
        buffer.write(data, border - PAGE)
        device.dma_read(iova + border - PAGE)
        device.dma_write(iova + border)
        device.dma_write(iova + COUNT * HUGE - PAGE)
        assert buffer.read(border, PAGE) == data
        assert buffer.read(COUNT * HUGE - PAGE) == data
        context.unmap_all(ioas)
    assert pinned_pages() == before


def test_memory_short(context: Context, ioas: int) -> None:
    """A page mapped repeatedly is a new run each time: without memory for them, all of it fails."""
    before = pinned_pages()
    fd = os.memfd_create("short", os.MFD_HUGETLB)
    os.ftruncate(fd, HUGE)

    def undone() -> None:
        assert pinned_pages() == before

    def done() -> None:
        context.unmap_all(ioas)
        undone()

    with mem.Repeated(fd, RUNS * HUGE) as memory, Edu(context, ioas):
        assert sweep(lambda: context.map(ioas, memory.address, length=memory.size), undone, done)
    os.close(fd)
