# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""RLIMIT_MEMLOCK: how much an ordinary user may pin, over all of the user's contexts."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from errnos import fails
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages, unprivileged

LIMIT = 64


@dataclass
class World:
    """A device on an IOAS, and memory."""

    context: Context
    ioas: int
    device: Edu
    buffer: mem.Buffer

    def map(self, pages: int) -> int:
        return self.context.map(self.ioas, self.buffer, length=pages * PAGE)


@pytest.fixture
def world() -> Iterator[World]:
    with Context() as context, mem.anonymous(1024 * PAGE) as buffer:
        buffer.fill(1)
        ioas = context.ioas_alloc()
        with Edu(context, ioas) as device:
            yield World(context, ioas, device, buffer)


def test_exactly_the_limit(world: World) -> None:
    with unprivileged(LIMIT * PAGE):
        iova = world.map(LIMIT)
        with fails(errno.ENOMEM):
            world.map(1)
        world.context.unmap(world.ioas, iova, LIMIT * PAGE)
        world.map(LIMIT)


@pytest.mark.parametrize("pages", [LIMIT + 1, 1024])
def test_one_map_over_the_limit(world: World, pages: int) -> None:
    """None of it is pinned or charged."""
    with unprivileged(LIMIT * PAGE):
        with fails(errno.ENOMEM):
            world.map(pages)
    assert pinned_pages() == 0
    with unprivileged(LIMIT * PAGE):
        world.map(LIMIT)
    assert pinned_pages() == LIMIT


def test_huge_pages_count_by_their_size(world: World) -> None:
    with mem.hugetlb(mem.HUGE) as buffer, unprivileged(LIMIT * PAGE):
        with fails(errno.ENOMEM):
            world.context.map(world.ioas, buffer)
        world.context.map(world.ioas, buffer, length=LIMIT * PAGE)


def test_all_contexts_of_a_user_count(world: World) -> None:
    with Context() as other:
        ioas = other.ioas_alloc()
        with Edu(other, ioas, 1):
            with unprivileged(LIMIT * PAGE):
                world.map(LIMIT - 1)
                other.map(ioas, world.buffer, length=PAGE)
                with fails(errno.ENOMEM):
                    other.map(ioas, world.buffer, length=PAGE)
                world.context.unmap_all(world.ioas)
                other.map(ioas, world.buffer, length=PAGE)


def test_attach_over_the_limit(world: World) -> None:
    """Memory mapped without a device is charged when a device is attached."""
    world.device.detach()
    with unprivileged(LIMIT * PAGE):
        world.map(LIMIT + 1)
        with fails(errno.ENOMEM):
            world.device.attach(world.ioas)
    assert pinned_pages() == 0
    with unprivileged(LIMIT * PAGE):
        world.context.unmap_all(world.ioas)
        world.map(LIMIT)
        world.device.attach(world.ioas)
    assert pinned_pages() == LIMIT


def test_given_back_by_detach(world: World) -> None:
    with unprivileged(LIMIT * PAGE):
        world.map(LIMIT)
        world.device.detach()
        other = world.context.ioas_alloc()
        world.device.attach(other)
        world.context.map(other, world.buffer, length=LIMIT * PAGE)


def test_given_back_by_close(world: World) -> None:
    with Context() as other:
        ioas = other.ioas_alloc()
        with Edu(other, ioas, 1):
            with unprivileged(LIMIT * PAGE):
                other.map(ioas, world.buffer, length=LIMIT * PAGE)
                with fails(errno.ENOMEM):
                    world.map(1)
    with unprivileged(LIMIT * PAGE):
        world.map(LIMIT)


def test_charged_to_the_user_who_mapped(world: World) -> None:
    """The user is uncharged even if another one unmaps it."""
    with unprivileged(LIMIT * PAGE):
        iova = world.map(LIMIT)
    world.context.unmap(world.ioas, iova, LIMIT * PAGE)
    with unprivileged(LIMIT * PAGE):
        world.map(LIMIT)


def test_failed_map_is_not_charged(world: World) -> None:
    with unprivileged(LIMIT * PAGE):
        for _ in range(2 * LIMIT):
            with fails(errno.EFAULT):
                world.context.map(world.ioas, 0x1000, PAGE)
        world.map(LIMIT)


def test_privilege(world: World) -> None:
    """A privileged process is not subject to the limit."""
    world.map(1024)
    assert pinned_pages() == 1024
