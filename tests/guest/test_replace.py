# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A device moved from one page table to another, and page tables asked for by name.

VFIO replaces when a device that is attached is attached again. What the device
then reaches is the new mapping, or while it moves the old one; never other memory.
"""

import errno
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from errnos import fails
from iommufd import mem, uapi
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from pattern import pattern

pytestmark = pytest.mark.guest(iommu=["intel", "intel-s1", "virtio"])

IOVA = 0x100000
# The window of interrupts on x86.
MSI = 0xFEE00000


@dataclass
class Side:
    """An IOAS with one page at IOVA."""

    ioas: int
    page: mem.Buffer

    def clear(self) -> None:
        self.page.write(bytes(PAGE))

    def has(self, data: bytes) -> bool:
        return self.page.read() == data


@dataclass
class World:
    context: Context
    device: Edu
    one: Side
    other: Side

    def load(self, data: bytes) -> None:
        """Brings data into the device, by way of the first side."""
        self.one.page.write(data)
        self.device.attach(self.one.ioas)
        self.device.dma_read(IOVA)
        self.one.clear()


@pytest.fixture
def world(context: Context) -> Iterator[World]:
    with mem.anonymous(PAGE) as a, mem.anonymous(PAGE) as b:
        sides = []
        for page in (a, b):
            ioas = context.ioas_alloc()
            context.map(ioas, page, iova=IOVA)
            sides.append(Side(ioas, page))
        with Edu(context, sides[0].ioas) as device:
            yield World(context, device, *sides)


def test_dma_follows(world: World) -> None:
    data = pattern("follows", PAGE)
    world.load(data)
    first = world.device.attach(world.one.ioas)
    second = world.device.attach(world.other.ioas)
    assert first != second
    world.device.dma_write(IOVA)
    assert world.other.has(data)
    assert world.one.has(bytes(PAGE))

    world.other.clear()
    world.device.attach(world.one.ioas)
    world.device.dma_write(IOVA)
    assert world.one.has(data)
    assert world.other.has(bytes(PAGE))


def test_same_again(world: World) -> None:
    """To replace a page table with itself changes nothing."""
    assert world.device.attach(world.one.ioas) == world.device.attach(world.one.ioas)
    world.load(pattern("same", PAGE))
    world.device.dma_write(IOVA)
    assert world.one.has(pattern("same", PAGE))


def test_old_one_is_free(world: World) -> None:
    """The automatic page table that the device has left is gone, and its IOAS free."""
    world.device.attach(world.other.ioas)
    world.context.destroy(world.one.ioas)
    with fails(errno.EBUSY):
        world.context.destroy(world.other.ioas)


def test_failure_changes_nothing(world: World) -> None:
    """A move to where the interrupt window is mapped is refused; DMA goes on as before."""
    data = pattern("refused", PAGE)
    world.load(data)
    bad = world.context.ioas_alloc()
    with mem.anonymous(PAGE) as page:
        world.context.map(bad, page, iova=MSI)
        with fails(errno.EADDRINUSE):
            world.device.attach(bad)
        with fails(errno.ENOENT):
            world.device.attach(0x7FFFFFFF)
        with fails(errno.EINVAL):
            world.device.attach(world.device.id)
    world.context.destroy(bad)
    world.device.dma_write(IOVA)
    assert world.one.has(data)
    assert world.other.has(bytes(PAGE))


def words(page: bytes) -> list[bytes]:
    """What a transfer consists of at the least: the emulator faults by the word."""
    return [page[i : i + 8] for i in range(0, len(page), 8)]


def test_under_dma(world: World) -> None:
    """What is written arrives on one side, or faults, however often the device is moved."""
    data = pattern("under DMA", PAGE)
    nothing = bytes(8)
    world.load(data)
    stop = threading.Event()
    moves = transfers = arrived = 0

    def move() -> None:
        nonlocal moves
        while not stop.is_set():
            world.device.attach(world.other.ioas)
            world.device.attach(world.one.ioas)
            moves += 2

    mover = threading.Thread(target=move)
    mover.start()
    try:
        # However slow the machine is, some of both have to be seen.
        while transfers < 10 or moves < 10 or not arrived:
            transfers += 1
            world.device.dma_write(IOVA)
            pages = world.one.page.read(), world.other.page.read()
            for word, *sides in zip(words(data), *map(words, pages), strict=True):
                assert sorted(sides) in ([nothing, nothing], sorted([nothing, word]))
            arrived += data in pages
            world.one.clear()
            world.other.clear()
    finally:
        stop.set()
        mover.join()


def test_by_name(world: World) -> None:
    """A page table that was allocated is attached to by its id and stays afterwards."""
    data = pattern("by name", PAGE)
    world.load(data)
    hwpt = world.context.hwpt_alloc(world.device.id, world.other.ioas)
    assert world.device.attach(hwpt) == hwpt
    world.device.dma_write(IOVA)
    assert world.other.has(data)
    with fails(errno.EBUSY):
        world.context.destroy(hwpt)
    with fails(errno.EBUSY):
        world.context.destroy(world.other.ioas)

    # What is mapped later is in it, too.
    with mem.anonymous(PAGE) as page:
        world.context.map(world.other.ioas, page, iova=IOVA + PAGE)
        world.device.dma_write(IOVA + PAGE)
        assert page.read() == data
        world.context.unmap(world.other.ioas, IOVA + PAGE, PAGE)

    # An attach to the IOAS does not choose what was asked for by name.
    assert world.device.attach(world.other.ioas) != hwpt
    world.context.destroy(hwpt)


@pytest.mark.parametrize("flags", [uapi.HWPT_ALLOC_NEST_PARENT, uapi.HWPT_ALLOC_DIRTY_TRACKING])
def test_what_the_hardware_lacks(world: World, flags: int) -> None:
    """None of the emulated IOMMUs can do any of these."""
    with fails(errno.EOPNOTSUPP):
        world.context.hwpt_alloc(world.device.id, world.one.ioas, flags)


@pytest.mark.guest(kernels="ours")
def test_unknown_target(world: World) -> None:
    """The peer answers EINVAL, as for an object of another type."""
    with fails(errno.ENOENT):
        world.context.hwpt_alloc(world.device.id, 0x7FFFFFFF)


def test_bad_arguments(world: World) -> None:
    context, device, ioas = world.context, world.device.id, world.one.ioas
    with fails(errno.ENOENT):
        context.hwpt_alloc(ioas, ioas)
    with fails(errno.ENOENT):
        context.hwpt_alloc(0x7FFFFFFF, ioas)
    with fails(errno.EINVAL):
        context.hwpt_alloc(device, device)
    with fails(errno.EOPNOTSUPP):
        context.hwpt_alloc(device, ioas, 1 << 31)
