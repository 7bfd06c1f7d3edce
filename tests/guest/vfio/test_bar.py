# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""DMA of one device to the registers of another: a dma-buf of vfio-pci's BAR.

The second edu device has a register that returns the complement of the value
written to it. The first one writes it by DMA and reads it back.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from errnos import fails
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.faults import expect_fault
from iommufd.mem import PAGE

pytestmark = pytest.mark.guest(
    iommu=["intel", "intel-s1"], devices=["edu", "edu"], beside="installed"
)

LIVENESS = 4
VALUE = 0x12345678
COMPLEMENT = (~VALUE & 0xFFFFFFFF).to_bytes(4, "little")


@dataclass
class World:
    """A device that does DMA, a device that is its target, and a page of memory."""

    context: Context
    ioas: int
    device: Edu
    target: Edu
    page: mem.Buffer
    iova: int

    def poke(self, bar: int) -> None:
        """Lets the device write the other's register."""
        self.page.write(VALUE.to_bytes(4, "little"))
        self.device.dma_read(self.iova, 4)
        self.device.dma_write(bar + LIVENESS, 4)

    def peek(self, bar: int) -> bytes:
        """Lets the device read the other's register."""
        self.page.write(bytes(8))
        self.device.dma_read(bar + LIVENESS, 4)
        self.device.dma_write(self.iova, 4)
        return self.page.read(0, 4)


@pytest.fixture
def world(context: Context, ioas: int) -> Iterator[World]:
    with (
        mem.anonymous(PAGE) as page,
        Edu(context, ioas) as device,
        Edu(context, index=1) as target,
    ):
        yield World(context, ioas, device, target, page, context.map(ioas, page))


@pytest.fixture
def dma_buf(world: World) -> Iterator[int]:
    fd = world.target.dma_buf(0, 0, PAGE)
    yield fd
    os.close(fd)


def test_registers(world: World, dma_buf: int) -> None:
    bar = world.context.map_file(world.ioas, dma_buf, 0, PAGE)
    world.poke(bar)
    assert world.peek(bar) == COMPLEMENT
    assert world.context.unmap(world.ioas, bar, PAGE) == PAGE
    expect_fault(world.device.dma_write, bar)


def test_part_and_copy(world: World) -> None:
    """A part of a larger dma-buf, and the same registers at a second address."""
    fd = world.target.dma_buf(0, 0, 4 * PAGE)
    with fails(errno.EINVAL):
        world.context.map_file(world.ioas, fd, PAGE, 4 * PAGE)
    other = world.context.map_file(world.ioas, fd, PAGE, PAGE)
    bar = world.context.map_file(world.ioas, fd, 0, PAGE)
    os.close(fd)
    copy = world.context.copy(world.ioas, world.ioas, bar, PAGE)
    world.context.unmap(world.ioas, bar, PAGE)
    world.poke(copy)
    assert world.peek(copy) == COMPLEMENT
    world.context.unmap(world.ioas, other, PAGE)


def test_taken_back(world: World, dma_buf: int) -> None:
    """Disabling memory space ends all access. The mapping stays dead when it is enabled again."""
    bar = world.context.map_file(world.ioas, dma_buf, 0, PAGE)
    world.poke(bar)
    world.target.disable()
    with fails(errno.ENODEV):
        world.context.map_file(world.ioas, dma_buf, 0, PAGE)
    expect_fault(world.device.dma_write, bar)

    # The same goes for a page table that is allocated now.
    world.device.attach(world.context.ioas_alloc())
    world.device.attach(world.ioas)
    world.target.enable()
    expect_fault(world.device.dma_write, bar)

    again = world.context.map_file(world.ioas, dma_buf, 0, PAGE)
    world.poke(again)
    assert world.peek(again) == COMPLEMENT
    assert world.context.unmap(world.ioas, bar, PAGE) == PAGE


def test_owner_goes(world: World, dma_buf: int) -> None:
    """The owner is closed while its registers are mapped."""
    bar = world.context.map_file(world.ioas, dma_buf, 0, PAGE)
    world.target.close()
    expect_fault(world.device.dma_write, bar)
    world.context.unmap(world.ioas, bar, PAGE)


def test_beyond_the_end(world: World, dma_buf: int) -> None:
    for start, length in ((0, PAGE + 1), (PAGE, 1), (1, PAGE), (1 << 40, PAGE)):
        with fails(errno.EINVAL):
            world.context.map_file(world.ioas, dma_buf, start, length)
