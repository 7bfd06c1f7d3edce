# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Page tables that enforce cache coherency of DMA, and those that do not, are never mixed up."""

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from errnos import errno_of, fails
from iommufd import mem, mock, mock_uapi, uapi
from iommufd.container import DMA_CC, Adopted
from iommufd.ctx import Context
from iommufd.knobs import knob
from iommufd.mem import PAGE
from iommufd.nest import IOVA, Nest

pytestmark = pytest.mark.guest(kernels="ours")

INVALID = errno.EINVAL
PASIDS = mock_uapi.MOCK_FLAGS_DEVICE_PASID


def claims(context: Context, ioas: int) -> bool:
    """The coherency that iommufd reports for an IOAS to VFIO and KVM."""
    argument = uapi.VfioIoas(op=uapi.VFIO_IOAS_SET, ioas_id=ioas)
    context.command("VFIO_IOAS", argument)
    with Adopted(context.fd) as container:
        return bool(container.extension(DMA_CC))


@dataclass
class World:
    """Page tables that were made while no device could enforce it; now all devices can."""

    nest: Nest
    empty_ioas: int
    empty: int
    filled: int
    for_pasids: int


@pytest.fixture
def world() -> Iterator[World]:
    with Nest(PASIDS) as nest:
        ioas = nest.keep(nest.context.ioas_alloc())
        world = World(
            nest,
            ioas,
            nest.paging(ioas=ioas),
            nest.paging(),
            nest.paging(uapi.HWPT_ALLOC_PASID),
        )
        with knob("can_enforce"):
            yield world
        nest.finish()


TARGETS: dict[str, Callable[[World], int]] = {
    "empty": lambda w: w.empty,
    "filled": lambda w: w.filled,
    "nested": lambda w: w.nest.nested(),
    "automatic": lambda w: w.nest.device.hwpt,
}


@pytest.mark.parametrize("target", TARGETS)
def test_attach(world: World, target: str) -> None:
    """To a page table that does not enforce it: refused, and without a later claim."""
    nest = world.nest
    hwpt = TARGETS[target](world)
    assert errno_of(mock.Device, nest.context, hwpt) == INVALID
    for ioas in (nest.ioas, world.empty_ioas):
        assert not claims(nest.context, ioas)


@pytest.mark.parametrize("target", TARGETS)
def test_replace(world: World, target: str) -> None:
    nest = world.nest
    hwpt = TARGETS[target](world)
    ioas = nest.keep(nest.context.ioas_alloc())
    with mock.Device(nest.context, ioas) as device:
        on = device.hwpt
        assert claims(nest.context, ioas)
        with fails(INVALID):
            device.replace(hwpt)
        assert device.hwpt == on


def test_pasid(world: World) -> None:
    """The device's own page table, too, has to enforce it."""
    nest = world.nest
    hwpt = nest.paging(uapi.HWPT_ALLOC_PASID)
    with mock.Device(nest.context, hwpt, PASIDS) as device:
        with fails(INVALID):
            device.pasid_attach(1, world.for_pasids)
        device.pasid_check(1, 0)
        device.pasid_attach(1, hwpt)
        with fails(INVALID):
            device.pasid_replace(1, world.for_pasids)
        device.pasid_check(1, hwpt)
        device.pasid_detach(1)


def test_attach_that_fails(world: World) -> None:
    """After any failure the page table is as before: other devices can attach."""
    nest = world.nest
    device = mock.Device(nest.context, nest.ioas, PASIDS)
    with fails(INVALID):
        device.pasid_attach(1 << mock_uapi.MOCK_PASID_WIDTH, world.for_pasids)
    device.close()
    with knob("can_enforce", False):
        with mock.Device(nest.context, world.for_pasids):
            assert not claims(nest.context, nest.ioas)


def test_ioas(world: World) -> None:
    """The device gets a new page table, which enforces it before it has any mapping."""
    nest = world.nest
    with mock.Device(nest.context, nest.ioas) as device:
        assert device.hwpt != nest.device.hwpt
        device.check(IOVA, nest.buffer, 2 * PAGE)
        # The other page tables do not.
        assert not claims(nest.context, nest.ioas)
        with mock.Device(nest.context, nest.ioas) as second:
            assert second.hwpt == device.hwpt


def test_claim(world: World) -> None:
    """An IOAS whose page tables all enforce it, mapped before or after."""
    context = world.nest.context
    ioas = world.nest.keep(context.ioas_alloc())
    with mem.anonymous(PAGE) as buffer:
        context.map(ioas, buffer, iova=IOVA)
        with mock.Device(context, ioas):
            assert claims(context, ioas)
            context.map(ioas, buffer, iova=IOVA + PAGE)
            assert claims(context, ioas)
            with knob("can_enforce", False):
                unheld = mock.Device(context, ioas)
            assert not claims(context, ioas)
            unheld.close()
            assert claims(context, ioas)
        context.unmap_all(ioas)


def test_device_that_cannot_be_held(world: World) -> None:
    """On a page table that is said to enforce it for every device."""
    nest = world.nest
    hwpt = nest.paging()
    nested = nest.nested(nest.paging(uapi.HWPT_ALLOC_NEST_PARENT))
    with knob("can_enforce", False):
        for target in (hwpt, nested):
            with fails(INVALID):
                nest.device.replace(target)
