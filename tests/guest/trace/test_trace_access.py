# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Events of kernel drivers: what they pin, access and unpin."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from errnos import fails
from event_log import EventLog
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.mock import Access
from iommufd.uapi import MAP_READABLE

pytestmark = pytest.mark.guest(kernels="ours")

IOVA = mock.START
WRITE, SLOW = 1, 4


@dataclass
class World:
    """An access of an IOAS in which four pages are mapped, the last of them read-only."""

    access: Access
    buffer: mem.Buffer
    about: dict[str, int]


@pytest.fixture
def world(seen: EventLog, context: Context, ioas: int, buffer: mem.Buffer) -> Iterator[World]:
    context.map(ioas, buffer, 3 * PAGE, iova=IOVA)
    context.map(ioas, buffer, PAGE, iova=IOVA + 3 * PAGE, prot=MAP_READABLE)
    with Access(context, ioas) as access:
        (made,) = (e for e in seen.all("object_create") if e["type"] == "access")
        about = {"ctx": seen.context(), "access": made.number("id"), "ioas": ioas}
        seen.forget()
        yield World(access, buffer, about)


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_pin_and_unpin(seen: EventLog, world: World, write: bool) -> None:
    part = {"iova": IOVA + PAGE, "length": 2 * PAGE, "pages": 2, "ret": 0}
    pinned = world.access.pin(IOVA + PAGE, world.buffer.address + PAGE, 2 * PAGE, write=write)
    flags = WRITE if write else 0
    seen.is_one("access_pin", flags=flags, **part, **world.about)
    seen.forget()
    world.access.unpin(pinned)
    seen.is_one("access_unpin", flags=0, **part, **world.about)


def test_unmap_unpins(seen: EventLog, world: World, context: Context, ioas: int) -> None:
    """The driver unpins when it is called for the unmap."""
    world.access.pin(IOVA, world.buffer, PAGE)
    seen.forget()
    context.unmap(ioas, IOVA, 3 * PAGE)
    part = {"iova": IOVA, "length": PAGE, "pages": 1, "ret": 0}
    seen.is_one("access_unpin", flags=0, **part, **world.about)


@pytest.mark.parametrize("slow", [False, True], ids=["fast", "slow"])
def test_rw(seen: EventLog, world: World, slow: bool) -> None:
    """Pages that are touched only in part count."""
    flags = SLOW if slow else 0
    part = {"iova": IOVA + PAGE - 1, "length": 2, "pages": 2, "ret": 0}
    world.access.read(IOVA + PAGE - 1, 2, slow=slow)
    seen.is_one("access_rw", flags=flags, **part, **world.about)
    seen.forget()
    world.access.write(IOVA + PAGE - 1, b"ab", slow=slow)
    seen.is_one("access_rw", flags=WRITE | flags, **part, **world.about)


def test_that_fail(seen: EventLog, world: World) -> None:
    part = {"iova": IOVA + 3 * PAGE, "length": PAGE, "pages": 1}
    with fails(errno.EPERM):
        world.access.pin(IOVA + 3 * PAGE, world.buffer, PAGE, write=True)
    seen.is_one("access_pin", flags=WRITE, ret=-errno.EPERM, **part, **world.about)
    with fails(errno.EPERM):
        world.access.write(IOVA + 3 * PAGE, bytes(PAGE))
    seen.is_one("access_rw", flags=WRITE, ret=-errno.EPERM, **part, **world.about)
    seen.forget()
    part = {"iova": IOVA + 4 * PAGE, "length": PAGE, "pages": 1}
    with fails(errno.ENOENT):
        world.access.pin(IOVA + 4 * PAGE, world.buffer, PAGE)
    seen.is_one("access_pin", flags=0, ret=-errno.ENOENT, **part, **world.about)
