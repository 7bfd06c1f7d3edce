# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOAS_MAP_FILE: memory of a memfd that the process need not map."""

import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from data_pattern import pattern
from errnos import errno_of, fails
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import pinned_pages
from iommufd.uapi import MAP_READABLE

pytestmark = pytest.mark.guest(hugepages=16)
IOVA = 1 << 32
SIZE = 8 * PAGE
F_ADD_SEALS = 1033
F_SEAL_WRITE = 8
MFD_ALLOW_SEALING = 2
MFD_HUGETLB = 4


@dataclass
class World:
    context: Context
    ioas: int
    device: Edu

    def map(self, fd: int, start: int = 0, length: int = SIZE, **more: int) -> int:
        return self.context.map_file(self.ioas, fd, start, length, **more)


@pytest.fixture
def world() -> Iterator[World]:
    with Context() as context:
        ioas = context.ioas_alloc()
        with Edu(context, ioas) as device:
            yield World(context, ioas, device)


def memfd(size: int, flags: int = 0) -> int:
    fd = os.memfd_create("dma", flags)
    os.ftruncate(fd, size)
    return fd


@pytest.fixture
def file() -> Iterator[int]:
    fd = memfd(SIZE)
    os.pwrite(fd, pattern("file", SIZE), 0)
    yield fd
    os.close(fd)


def test_dma(world: World, file: int) -> None:
    """The device sees the content of the file, and the file what the device wrote."""
    iova = world.map(file)
    world.device.dma_read(iova + PAGE)
    world.device.dma_write(iova + 5 * PAGE)
    data = pattern("file", SIZE)
    assert os.pread(file, PAGE, 5 * PAGE) == data[PAGE : 2 * PAGE]
    assert os.pread(file, 5 * PAGE, 0) == data[: 5 * PAGE]


def test_offset(world: World, file: int) -> None:
    iova = world.map(file, 3 * PAGE, 2 * PAGE)
    world.device.dma_read(iova)
    world.device.dma_write(iova + PAGE)
    assert os.pread(file, PAGE, 4 * PAGE) == pattern("file", SIZE)[3 * PAGE : 4 * PAGE]


def test_hugetlb(world: World) -> None:
    """Parts of huge pages in several areas; each small page is pinned once."""
    fd = memfd(4 * HUGE, MFD_HUGETLB)
    before = pinned_pages()
    with mem.anonymous(PAGE) as page:
        page.write(pattern("hugetlb", PAGE))
        world.device.dma_read(world.context.map(world.ioas, page))
    world.map(fd, 0, 4 * HUGE, iova=IOVA)
    world.map(fd, HUGE - PAGE, 2 * PAGE, iova=IOVA + 8 * HUGE)
    world.device.dma_write(IOVA + 8 * HUGE + PAGE - 2048)
    with mem.file(fd, 4 * HUGE) as view:
        assert view.read(HUGE - 2048, PAGE) == pattern("hugetlb", PAGE)
        world.device.dma_read(IOVA + HUGE - 2048)
        world.device.dma_write(IOVA + 3 * HUGE)
        assert view.read(3 * HUGE, PAGE) == pattern("hugetlb", PAGE)
    world.context.unmap_all(world.ioas)
    assert pinned_pages() == before
    os.close(fd)


def test_pages_that_are_not_there_yet(world: World) -> None:
    fd = memfd(SIZE)
    assert os.fstat(fd).st_blocks == 0
    iova = world.map(fd)
    assert os.fstat(fd).st_blocks * 512 == SIZE
    world.context.unmap(world.ioas, iova, SIZE)
    os.close(fd)


def test_file_is_gone(world: World) -> None:
    """Neither closing the descriptor nor punching a hole in the file removes the pages."""
    fd = memfd(SIZE)
    os.pwrite(fd, pattern("gone", SIZE), 0)
    iova = world.map(fd)
    os.ftruncate(fd, 0)
    os.close(fd)
    world.device.dma_read(iova)
    world.device.dma_write(iova + PAGE)
    world.context.unmap(world.ioas, iova, SIZE)


def test_attach_later(file: int) -> None:
    with Context() as context:
        ioas = context.ioas_alloc()
        before = pinned_pages()
        context.map_file(ioas, file, 0, SIZE, iova=IOVA)
        assert pinned_pages() == before
        with Edu(context, ioas) as device:
            device.dma_read(IOVA)
            device.dma_write(IOVA + PAGE)
        assert os.pread(file, PAGE, PAGE) == pattern("file", SIZE)[:PAGE]


@pytest.mark.parametrize(
    ("start", "length", "error"),
    [
        (PAGE, SIZE, errno.EINVAL),
        (1 << 30, PAGE, errno.EINVAL),
        (1 << 62, PAGE, errno.EINVAL),
        (100, PAGE, errno.EINVAL),
        (0, 0, errno.EINVAL),
        (0, (1 << 64) - 1, errno.EOVERFLOW),
        ((1 << 64) - PAGE, 2 * PAGE, errno.EOVERFLOW),
    ],
)
def test_bad_range(world: World, file: int, start: int, length: int, error: int) -> None:
    before = pinned_pages()
    with fails(error):
        world.map(file, start, length, iova=IOVA)
    assert pinned_pages() == before
    assert world.context.unmap_all(world.ioas) == 0


def test_bad_file(world: World) -> None:
    for path, flags in (("/dev/zero", os.O_RDWR), ("/proc/version", os.O_RDONLY)):
        fd = os.open(path, flags)
        assert errno_of(world.map, fd, 0, PAGE, prot=MAP_READABLE) == errno.EINVAL
        os.close(fd)
    assert errno_of(world.map, -1) == errno.EBADF
    assert errno_of(world.map, 1000) == errno.EBADF
    assert errno_of(world.map, world.context.fd) == errno.EINVAL


@pytest.mark.guest(kernels="ours")
def test_right_to_write(world: World, file: int) -> None:
    """DMA cannot write what the descriptor could not be used to write."""
    reader = os.open(f"/proc/self/fd/{file}", os.O_RDONLY)
    assert errno_of(world.map, reader) == errno.EPERM
    assert errno_of(world.map, reader, prot=MAP_READABLE) == 0
    os.close(reader)
    sealed = memfd(SIZE, MFD_ALLOW_SEALING)
    fcntl.fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE)
    assert errno_of(world.map, sealed) == errno.EPERM
    assert errno_of(world.map, sealed, prot=MAP_READABLE) == 0
    os.close(sealed)
