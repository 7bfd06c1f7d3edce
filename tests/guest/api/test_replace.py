# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A device moved from one page table to another, and page tables allocated by name.

VFIO replaces if a device that is attached is attached again. Afterwards the device
reaches the new mapping; during the move it may reach the old one, and never other
memory.
"""

import errno
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from data_pattern import pattern
from errnos import fails
from iommufd import mem, uapi
from iommufd.ctx import RW, Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.platform import msi_window
from iommufd.uapi import MAP_READABLE

pytestmark = pytest.mark.guest(iommu=["intel", "intel-s1", "virtio"])

IOVA = 0x100000


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
        """Transfers data into the device by way of the first side."""
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
    """Replacing a page table with itself changes nothing."""
    assert world.device.attach(world.one.ioas) == world.device.attach(world.one.ioas)
    world.load(pattern("same", PAGE))
    world.device.dma_write(IOVA)
    assert world.one.has(pattern("same", PAGE))


def test_old_one_is_free(world: World) -> None:
    """The automatic page table that the device has left is freed, and its IOAS can be destroyed."""
    world.device.attach(world.other.ioas)
    world.context.destroy(world.one.ioas)
    with fails(errno.EBUSY):
        world.context.destroy(world.other.ioas)


def test_failure_changes_nothing(world: World, iommu: str) -> None:
    """A move to an IOAS with a mapping in the interrupt window is refused; DMA continues."""
    data = pattern("refused", PAGE)
    world.load(data)
    bad = world.context.ioas_alloc()
    with mem.anonymous(PAGE) as page:
        world.context.map(bad, page, iova=msi_window(iommu)[0])
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
    """The units of a transfer: the emulator checks each word for faults."""
    return [page[i : i + 8] for i in range(0, len(page), 8)]


class UnderDma:
    """A device that reads and writes a page while it is moved between two IOASes.

    This page is surrounded by memory that the device must not reach: its neighbours in
    each IOAS, and an unmapped huge page whose physical address equals the page's IOVA.
    If a transfer bypasses the IOMMU for a moment, it hits that huge page.
    """

    def __init__(self, context: Context, buffers: list[mem.Buffer], bystander: mem.Buffer) -> None:
        self._context = context
        self._buffers = buffers
        self._bystander = bystander
        self._around = [pattern(f"around {i}", buffer.size) for i, buffer in enumerate(buffers)]
        self._calm = pattern("bystander", bystander.size)
        for buffer, data in zip([*buffers, bystander], [*self._around, self._calm], strict=True):
            buffer.write(data)
        self._iova = mem.physical(bystander, bystander.size // 2)
        self.astray = bystander.address + bystander.size // 2 - PAGE
        self.targets = [self.ioas(buffer.address) for buffer in buffers]
        self._sources = [[pattern(f"{i} {j}", PAGE) for j in range(3)] for i in range(2)]
        allowed = [bytes(PAGE), *(page for some in self._sources for page in some)]
        self._allowed = list(zip(*map(words, allowed), strict=True))
        self._stop = threading.Event()
        self._moves = self._rounds = 0
        self._arrived = [0, 0]

    def ioas(self, address: int, prot: int = RW) -> int:
        """An IOAS with three pages; the middle one is at the device's address."""
        ioas = self._context.ioas_alloc()
        self._context.map(ioas, address, 3 * PAGE, iova=self._iova - PAGE, prot=prot)
        return ioas

    def run(self, device: Edu, targets: list[int], rounds: int = 10) -> None:
        """Transfers while the device is moved from one target to the next."""
        mover = threading.Thread(target=self._move, args=(device, targets))
        mover.start()
        try:
            # However slow the machine is, each result has to occur.
            while self._rounds < rounds or self._moves < 10 or not all(self._arrived):
                self._round(device)
                self._look_around()
        finally:
            self._stop.set()
            mover.join()

    def _move(self, device: Edu, targets: list[int]) -> None:
        while not self._stop.is_set():
            for target in targets:
                device.attach(target)
                self._moves += 1

    def _round(self, device: Edu) -> None:
        """From one of the pages to the device, and back to one of them."""
        sources = [some[self._rounds % len(some)] for some in self._sources]
        self._rounds += 1
        for buffer, source in zip(self._buffers, sources, strict=True):
            buffer.write(source, PAGE)
        device.dma_read(self._iova)
        for buffer in self._buffers:
            buffer.write(bytes(PAGE), PAGE)
        device.dma_write(self._iova)
        pages = [buffer.read(PAGE, PAGE) for buffer in self._buffers]
        # Words that the device could not read are zero, or those of an earlier read.
        for came, allowed in zip(zip(*map(words, pages), strict=True), self._allowed, strict=True):
            assert bytes(8) in came, "to both pages"
            assert set(came) <= set(allowed), "from other memory"
        for i, page in enumerate(pages):
            self._arrived[i] += page in sources

    def _look_around(self) -> None:
        assert self._bystander.read() == self._calm, "to other memory"
        for buffer, data in zip(self._buffers, self._around, strict=True):
            assert buffer.read(0, PAGE) == data[:PAGE], "to the page before"
            assert buffer.read(2 * PAGE) == data[2 * PAGE :], "to the page behind"


@pytest.fixture
def under_dma(context: Context) -> Iterator[UnderDma]:
    with mem.anonymous(3 * PAGE) as a, mem.anonymous(3 * PAGE) as b:
        with mem.hugetlb(mem.HUGE) as bystander:
            yield UnderDma(context, [a, b], bystander)


@pytest.mark.limit(240)
def test_under_dma(context: Context, under_dma: UnderDma) -> None:
    """Each access hits one page or the other, or faults, however often the device is moved."""
    with Edu(context, under_dma.targets[0]) as device:
        under_dma.run(device, under_dma.targets)


@pytest.mark.guest(iommu="intel")
@pytest.mark.parametrize("prot", [MAP_READABLE, RW], ids=["reads", "reads-and-writes"])
def test_under_dma_would_find(context: Context, under_dma: UnderDma, prot: int) -> None:
    """The same with other memory on every move: shows that the test above can fail."""
    one, two = under_dma.targets
    astray = under_dma.ioas(under_dma.astray, prot)
    with Edu(context, one) as device:
        with pytest.raises(AssertionError, match="other memory"):
            under_dma.run(device, [one, astray, two, astray], rounds=100)


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

    # It also receives later mappings.
    with mem.anonymous(PAGE) as page:
        world.context.map(world.other.ioas, page, iova=IOVA + PAGE)
        world.device.dma_write(IOVA + PAGE)
        assert page.read() == data
        world.context.unmap(world.other.ioas, IOVA + PAGE, PAGE)

    # An attach to the IOAS does not choose a page table that was allocated by name.
    assert world.device.attach(world.other.ioas) != hwpt
    world.context.destroy(hwpt)


@pytest.mark.x86("an SMMU has two stages; its dirty tracking is in test_smmu_nested.py")
@pytest.mark.parametrize("flags", [uapi.HWPT_ALLOC_NEST_PARENT, uapi.HWPT_ALLOC_DIRTY_TRACKING])
def test_what_the_hardware_lacks(world: World, flags: int) -> None:
    """None of the emulated IOMMUs supports any of these."""
    with fails(errno.EOPNOTSUPP):
        world.context.hwpt_alloc(world.device.id, world.one.ioas, flags)


@pytest.mark.guest(kernels="ours")
def test_unknown_target(world: World) -> None:
    """The peer returns EINVAL, as for an object of another type."""
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
