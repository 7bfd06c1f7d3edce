# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid attach, replace and detach of PASIDs: they stay where they were."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from errnos import errno_of, fails
from iommufd import mock, mock_uapi, uapi
from iommufd.ctx import NO_ID
from iommufd.nest import Nest
from iommufd.state import unchanged

OURS = pytest.mark.guest(kernels="ours")
INVALID, NOENT, BUSY = errno.EINVAL, errno.ENOENT, errno.EBUSY
PASID = uapi.HWPT_ALLOC_PASID
# A PASID that the mock refuses to move.
STUCK = mock_uapi.IOMMU_TEST_PASID_RESERVED
WIDTH = mock_uapi.MOCK_PASID_WIDTH
# All PASIDs that are attached in these tests.
PASIDS = (1, 7, STUCK, (1 << WIDTH) - 1)


@dataclass
class World:
    """A device with PASIDs, page tables that allow PASIDs, and one that does not."""

    nest: Nest
    device: mock.Device
    own: int
    first: int
    second: int
    plain: int


@pytest.fixture
def world(nest: Nest) -> Iterator[World]:
    flags = mock_uapi.MOCK_FLAGS_DEVICE_PASID
    own, first, second = (nest.paging(PASID) for _ in range(3))
    with mock.Device(nest.context, own, flags) as device:
        yield World(nest, device, own, first, second, nest.paging())
        # The peer's mock does not detach them when the device goes.
        for pasid in PASIDS:
            if device.id:
                device.pasid_detach(pasid)


def targets(world: World) -> dict[str, tuple[int, int]]:
    """Targets to which no PASID can be attached, and why."""
    nest = world.nest
    return {
        "none": (0, NOENT),
        "unknown": (NO_ID, NOENT),
        "max": (0xFFFFFFFF, NOENT),
        "device": (world.device.device, INVALID),
        "slot": (world.device.id, INVALID),
        "not-for-pasids": (world.plain, INVALID),
        "parent": (nest.parent, INVALID),
        "nested-not-for-pasids": (nest.nested(), INVALID),
        "viommu": (nest.viommu(), INVALID),
    }


@pytest.mark.parametrize("pasid", [1, (1 << WIDTH) - 1])
def test_attach(world: World, pasid: int) -> None:
    context = world.nest.context
    for name, (target, error) in targets(world).items():
        with unchanged(context, world.nest.ioas):
            assert errno_of(world.device.pasid_attach, pasid, target) == error, name
        world.device.pasid_check(pasid, 0)
    assert world.device.pasid_attach(pasid, world.first) == world.first
    world.device.pasid_check(pasid, world.first)


def test_replace(world: World) -> None:
    context = world.nest.context
    world.device.pasid_attach(1, world.first)
    for name, (target, error) in targets(world).items():
        with unchanged(context, world.nest.ioas):
            assert errno_of(world.device.pasid_replace, 1, target) == error, name
        world.device.pasid_check(1, world.first)
    assert world.device.pasid_replace(1, world.second) == world.second
    world.device.pasid_check(1, world.second)
    world.nest.destroy(world.first)


@pytest.mark.parametrize("pasid", [1 << WIDTH, 0xFFFFFFFF])
def test_no_pasid(world: World, pasid: int) -> None:
    """A PASID with more bits than the device supports."""
    with unchanged(world.nest.context, world.nest.ioas):
        for call in (world.device.pasid_attach, world.device.pasid_replace):
            assert errno_of(call, pasid, world.first) == INVALID
        world.device.pasid_detach(pasid)


@pytest.mark.parametrize("same", [True, False])
def test_attached_twice(world: World, same: bool) -> None:
    world.device.pasid_attach(1, world.first)
    target = world.first if same else world.second
    with unchanged(world.nest.context, world.nest.ioas), fails(BUSY):
        world.device.pasid_attach(1, target)
    world.device.pasid_check(1, world.first)
    world.device.pasid_check(2, 0)


def test_not_attached(world: World) -> None:
    """Cannot be moved; detaching it again is no error."""
    world.device.pasid_attach(1, world.first)
    with unchanged(world.nest.context, world.nest.ioas):
        with fails(INVALID):
            world.device.pasid_replace(2, world.second)
        world.device.pasid_detach(2)
        world.device.pasid_detach(2)
    world.device.pasid_check(1, world.first)
    world.device.pasid_detach(1)
    world.device.pasid_detach(1)
    with fails(INVALID):
        world.device.pasid_replace(1, world.second)
    world.device.pasid_check(1, 0)
    world.nest.destroy(world.first)


def test_refused_by_the_iommu(world: World) -> None:
    """If the driver refuses a move, the PASID and its users are as before."""
    nest = world.nest
    world.device.pasid_attach(STUCK, world.first)
    with unchanged(nest.context, nest.ioas), fails(errno.ENOMEM):
        world.device.pasid_replace(STUCK, world.second)
    world.device.pasid_check(STUCK, world.first)
    assert errno_of(nest.context.destroy, world.first) == BUSY
    nest.destroy(world.second)
    world.device.pasid_detach(STUCK)
    world.device.pasid_check(STUCK, 0)
    nest.destroy(world.first)


def test_device_itself(world: World) -> None:
    """While a PASID is attached, the device cannot move to a target without PASIDs."""
    nest = world.nest
    world.device.pasid_attach(1, world.first)
    with unchanged(nest.context, nest.ioas), fails(INVALID):
        world.device.replace(world.plain)
    world.device.pasid_check(1, world.first)
    world.device.pasid_detach(1)
    world.device.replace(world.plain)
    with unchanged(nest.context, nest.ioas), fails(INVALID):
        world.device.pasid_attach(1, world.first)
    world.device.pasid_check(1, 0)


def test_ioas(world: World) -> None:
    """The automatic page table of an IOAS does not allow PASIDs, and is freed at once."""
    nest = world.nest
    ioas = nest.keep(nest.context.ioas_alloc())
    for target in (nest.ioas, ioas):
        with unchanged(nest.context, target), fails(INVALID):
            world.device.pasid_attach(1, target)
        world.device.pasid_check(1, 0)


def test_unknown_device(world: World) -> None:
    """Tests the mock's own commands, on which the other tests rely."""
    context = world.nest.context
    for other in (0, NO_ID, world.first, world.device.device):
        for op in ("PASID_ATTACH", "PASID_REPLACE", "PASID_DETACH"):
            part = {op.lower(): {"pasid": 1}}
            assert errno_of(mock.command, context, op, other, **part) == NOENT


@OURS
def test_goes_with_the_device(world: World) -> None:
    """All its PASIDs; the peer's mock leaves them attached to nothing."""
    for pasid in PASIDS:
        world.device.pasid_attach(pasid, world.first)
    world.device.close()
    world.nest.destroy(world.first)
