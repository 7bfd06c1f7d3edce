# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The rarer sources of memory: pages of 1 GiB, and files."""

import errno
import mmap
import os
from pathlib import Path

import pytest
from data_pattern import pattern
from errnos import fails
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages
from iommufd.uapi import MAP_READABLE

GIB = 1 << 30
HUGE_1G = 30 << 26


# The peer chooses addresses that prevent the largest page size.
@pytest.mark.guest(kernels="main", memory="5G", append=["hugepagesz=1G hugepages=1"])
@pytest.mark.parametrize("by", ["address", "file"])
def test_gigantic_page(context: Context, ioas: int, by: str) -> None:
    """One run; the device reaches its end like its beginning."""
    before = pinned_pages()
    fd = os.memfd_create("gigantic", os.MFD_HUGETLB | HUGE_1G)
    os.ftruncate(fd, GIB)
    with mem.file(fd, GIB) as buffer, Edu(context, ioas) as device:
        by_file = by == "file"
        iova = context.map_file(ioas, fd, 0, GIB) if by_file else context.map(ioas, buffer)
        assert iova % GIB == 0, "the page table can't use its largest page"
        assert pinned_pages() - before == GIB // PAGE
        data = pattern("gigantic", PAGE)
        buffer.write(data)
        device.dma_read(iova)
        device.dma_write(iova + GIB - PAGE)
        assert buffer.read(GIB - PAGE) == data
        assert context.unmap(ioas, iova, GIB) == GIB
        assert pinned_pages() == before
    os.close(fd)


def test_file_of_the_host(context: Context, ioas: int) -> None:
    """A private mapping of a file: its pages belong to the file until they are written."""
    path = Path("/usr/bin/env")
    with path.open("rb") as source, Edu(context, ioas) as device:
        area = mmap.mmap(source.fileno(), PAGE, mmap.MAP_PRIVATE)
        with mem.Buffer(area) as buffer, mem.anonymous(PAGE) as copy:
            file_iova = context.map(ioas, buffer, prot=MAP_READABLE)
            copy_iova = context.map(ioas, copy)
            device.dma_read(file_iova)
            device.dma_write(copy_iova)
            assert copy.read() == path.read_bytes()[:PAGE]
            context.unmap_all(ioas)


def test_bar_by_address(context: Context, ioas: int) -> None:
    """Registers are not memory: they are mapped as a dma-buf, see test_bar.py."""
    before = pinned_pages()
    with Edu(context, ioas), Edu(context, index=1) as target:
        area = target.map_bar(0, PAGE)
        address = mem.Buffer(area).address
        with fails(errno.EFAULT):
            context.map(ioas, address, length=PAGE, prot=MAP_READABLE)
    assert pinned_pages() == before
