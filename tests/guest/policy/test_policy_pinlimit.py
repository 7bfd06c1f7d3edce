# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The policy pinlimit: pinned memory per user, cgroup and process."""

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import cgroup
import pytest
from bpfobject import Object, attached
from cgroup import Cgroup
from child_process import Child
from errnos import errno_of, fails
from iommufd import edu, mem, uapi
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import NOBODY, status_bytes, unprivileged
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="bpf")

USER, CGROUP, PROCESS = range(3)
PAGES = 16
IOVA = 0x1000000
STEP = 1 << 20
FULL = errno.EDQUOT
ENOUGH = 1 << 20
MAX_OWNERS = 16384

_OWNER = struct.Struct("=QI")
_USAGE = struct.Struct("=4Q")


def limit(pages: int, by: int = CGROUP) -> bytes:
    """Settings of the policy."""
    return struct.pack("=QI4x", pages * PAGE, by)


def of(policy: Object, by: int, owner: int) -> tuple[int, int, int]:
    """Pinned pages of an owner, the most so far, and the number of refusals."""
    value = policy.map("owners").get(_OWNER.pack(owner, by))
    pinned, peak, refused, _ = _USAGE.unpack(value or bytes(_USAGE.size))
    return pinned // PAGE, peak // PAGE, refused


def pinned(policy: Object, group: Cgroup) -> int:
    """The pages of a cgroup."""
    return of(policy, CGROUP, group.id)[0]


def set_limit(policy: Object, owner: int, pages: int) -> None:
    """The limit of a single owner."""
    policy.map("limits")[struct.pack("Q", owner)] = struct.pack("Q", pages * PAGE)


@pytest.fixture
def device(context: Context, ioas: int) -> Iterator[edu.Edu]:
    """A device that makes the IOAS pin what is mapped in it."""
    with edu.Edu(context, ioas) as device:
        yield device


class Space:
    """Maps parts of a buffer, one after the other."""

    def __init__(self, context: Context, ioas: int, buffer: mem.Buffer) -> None:
        self.context, self.ioas, self._buffer = context, ioas, buffer
        self._next = IOVA

    def map(self, pages: int) -> int:
        """Maps pages and returns their address."""
        iova = self._next
        self.context.map(self.ioas, self._buffer.address, pages * PAGE, iova=iova)
        self._next += STEP
        return iova

    def full(self, pages: int) -> None:
        """A map of these pages is refused, and pins nothing."""
        before = status_bytes("self", "VmPin")
        with fails(FULL):
            self.map(pages)
        assert status_bytes("self", "VmPin") == before

    def unmap(self, iova: int, pages: int) -> None:
        assert self.context.unmap(self.ioas, iova, pages * PAGE) == pages * PAGE

    def clear(self) -> None:
        self.context.unmap_all(self.ioas)


@pytest.fixture
def space(context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer) -> Space:
    """Memory that a device can reach."""
    return Space(context, ioas, buffer)


def test_without_settings(space: Space) -> None:
    """It counts, but refuses nothing."""
    with attached("pinlimit") as policy:
        first = space.map(3)
        space.map(4)
        space.unmap(first, 3)
        for by, owner in (
            (USER, 0),
            (PROCESS, os.getpid()),
            (CGROUP, cgroup.id_of(cgroup.ROOT)),
        ):
            assert of(policy, by, owner) == (4, 7, 0)
        space.clear()
        assert of(policy, USER, 0) == (0, 7, 0)


def test_two_cgroups(space: Space) -> None:
    """Each has its own limit; the root, which they are in, has none."""
    with (
        cgroup.cgroup() as first,
        cgroup.cgroup() as second,
        attached("pinlimit", limit(8)) as policy,
    ):
        for group in (first, second):
            with group.inside():
                space.map(5)
                space.full(4)
                space.map(3)
                space.full(1)
            assert of(policy, CGROUP, group.id) == (8, 8, 2)
        assert of(policy, CGROUP, cgroup.id_of(cgroup.ROOT)) == (16, 16, 0)
        # The test itself unmaps, from another cgroup.
        space.clear()
        assert of(policy, CGROUP, first.id) == (0, 8, 2)
        assert of(policy, CGROUP, cgroup.id_of(cgroup.ROOT)) == (0, 16, 0)


def own(policy: Object, by: int, owner: int) -> int:
    """Whether the general limit is the owner's."""
    return _USAGE.unpack(policy.map("owners").get(_OWNER.pack(owner, by)) or b"")[3]


def test_own_limit(space: Space) -> None:
    """The general limit is that of cgroups with processes that pin, or were refused."""
    with (
        cgroup.cgroup() as outer,
        cgroup.cgroup(outer) as inner,
        cgroup.cgroup(outer) as other,
        attached("pinlimit", limit(2)) as policy,
    ):
        with inner.inside():
            space.map(2)
        with other.inside():
            space.full(3)
        assert (own(policy, CGROUP, inner.id), own(policy, CGROUP, outer.id)) == (1, 0)
        assert own(policy, CGROUP, other.id) == 1
        assert own(policy, USER, 0) == own(policy, PROCESS, os.getpid()) == 1
        with outer.inside():
            space.full(1)
        assert own(policy, CGROUP, outer.id) == 1
        space.clear()


def test_nested_limits(space: Space) -> None:
    """A cgroup's limit covers its descendants; what an ancestor refuses counts nowhere."""
    with (
        cgroup.cgroup() as outer,
        cgroup.cgroup(outer) as left,
        cgroup.cgroup(outer) as right,
        attached("pinlimit", limit(0)) as policy,
    ):
        set_limit(policy, outer.id, 10)
        set_limit(policy, left.id, 6)
        with left.inside():
            mapped = space.map(6)
            space.full(1)
        with right.inside():
            space.full(5)
            space.map(4)
            space.full(1)
        assert [pinned(policy, group) for group in (outer, left, right)] == [10, 6, 4]
        assert of(policy, CGROUP, outer.id)[2] == 2
        space.unmap(mapped, 6)
        with right.inside():
            space.map(6)
            space.full(1)
        assert [pinned(policy, group) for group in (outer, left, right)] == [10, 0, 10]
        space.clear()
        assert [pinned(policy, group) for group in (outer, left, right)] == [0, 0, 0]


def test_deep_cgroup(space: Space) -> None:
    """Deeper than the ancestors that the kernel names."""
    with attached("pinlimit", limit(2)) as policy:
        groups: list[Cgroup] = []
        for _ in range(20):
            path = (groups[-1].path if groups else cgroup.ROOT) / "deep"
            groups.append(Cgroup(path))
        with groups[-1].inside():
            space.map(2)
            space.full(1)
        # The root has level 0, the first of these level 1.
        assert [pinned(policy, group) for group in groups] == [2] * 15 + [0] * 4 + [2]
        set_limit(policy, groups[3].id, 1)
        space.clear()
        with groups[-1].inside():
            space.full(2)
            space.map(1)
        space.clear()
        assert {pinned(policy, group) for group in groups} == {0}
        for group in reversed(groups):
            group.remove()


def test_removed_cgroup(space: Space) -> None:
    """Of a cgroup that is removed while it has pinned memory, everything is uncharged."""
    with cgroup.cgroup() as outer, attached("pinlimit", limit(8)) as policy:
        with cgroup.cgroup(outer) as group:
            gone = group.id
            with group.inside():
                space.map(8)
        assert of(policy, CGROUP, gone)[0] == 8
        # A new one of the same name is another one.
        set_limit(policy, outer.id, 10)
        with cgroup.cgroup(outer) as group, group.inside():
            space.full(3)
            space.map(2)
        assert pinned(policy, outer) == 10
        space.clear()
        assert (of(policy, CGROUP, gone)[0], pinned(policy, outer)) == (0, 0)


def test_pins_after_removal(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Memory that is mapped before and pinned after its owner's cgroup is gone."""
    with cgroup.cgroup() as outer, attached("pinlimit", limit(PAGES)) as policy:
        with cgroup.cgroup(outer) as group:

            def body(_: Child) -> None:
                group.enter()
                file = os.memfd_create("dma")
                os.ftruncate(file, PAGES * PAGE)
                context.map_file(ioas, file, 0, PAGES * PAGE, iova=IOVA)

            with Child(body):
                pass
        with edu.Edu(context, ioas):
            assert pinned(policy, outer) == PAGES
            assert of(policy, CGROUP, cgroup.id_of(cgroup.ROOT))[0] == PAGES
        assert pinned(policy, outer) == 0
        assert of(policy, CGROUP, cgroup.id_of(cgroup.ROOT))[0] == 0
        context.unmap_all(ioas)


def test_users(space: Space) -> None:
    with attached("pinlimit", limit(4, USER)) as policy:
        space.map(4)
        space.full(1)
        with unprivileged(ENOUGH):
            space.map(4)
            space.full(1)
        assert (of(policy, USER, 0)[0], of(policy, USER, NOBODY)[0]) == (4, 4)
        set_limit(policy, NOBODY, 6)
        with unprivileged(ENOUGH):
            space.map(2)
            space.full(1)
        # No limit at all.
        set_limit(policy, 0, 0)
        space.map(PAGES)
        space.clear()
        assert (of(policy, USER, 0)[0], of(policy, USER, NOBODY)[0]) == (0, 0)


def test_processes(space: Space) -> None:
    with attached("pinlimit", limit(4, PROCESS)) as policy:
        space.map(4)
        space.full(1)

        def body(_: Child) -> None:
            space.map(4)
            space.full(1)

        with Child(body) as child:
            pass
        # Its memory stays pinned, and counted, in the context.
        assert of(policy, PROCESS, child.pid)[0] == 4
        space.clear()
        assert of(policy, PROCESS, child.pid)[0] == 0


def test_kind_is_changed(space: Space) -> None:
    """All kinds are counted, so the limits of another kind are right at once."""
    with attached("pinlimit", limit(4, USER)) as policy:
        space.map(4)
        policy.map("settings")[bytes(4)] = limit(6, PROCESS)
        space.map(2)
        space.full(1)
        policy.map("settings")[bytes(4)] = limit(7, CGROUP)
        space.map(1)
        space.full(1)
        space.clear()
        for by, owner in ((USER, 0), (PROCESS, os.getpid())):
            assert of(policy, by, owner)[0] == 0


def test_attached_late(space: Space, buffer: mem.Buffer) -> None:
    """Memory that was pinned before does not count, and is not subtracted either."""
    early = space.map(PAGES)
    with attached("pinlimit", limit(4, USER)) as policy:
        space.map(4)
        space.unmap(early, PAGES)
        assert of(policy, USER, 0)[0] == 4
        space.full(1)
    # After the policy, nothing is refused.
    space.map(PAGES)
    space.clear()


def test_change_process(space: Space) -> None:
    """The memory moves to the new owner's cgroup, if there is room; within one, it always is."""
    context, ioas = space.context, space.ioas
    file = os.memfd_create("dma")
    os.ftruncate(file, PAGES * PAGE)

    def take() -> int:
        return errno_of(context.command, "IOAS_CHANGE_PROCESS", uapi.IoasChangeProcess())

    with (
        cgroup.cgroup() as large,
        cgroup.cgroup() as small,
        attached("pinlimit", limit(PAGES)) as policy,
    ):
        set_limit(policy, small.id, PAGES - 1)
        with large.inside():
            context.map_file(ioas, file, 0, PAGES * PAGE, iova=IOVA)

        def inside(group: Cgroup, error: int) -> None:
            def body(_: Child) -> None:
                group.enter()
                assert take() == error

            with Child(body):
                pass

        inside(small, FULL)
        assert (pinned(policy, large), pinned(policy, small)) == (PAGES, 0)
        inside(large, 0)
        assert of(policy, CGROUP, large.id) == (PAGES, PAGES, 0)
        set_limit(policy, small.id, PAGES)
        inside(small, 0)
        assert (pinned(policy, large), pinned(policy, small)) == (0, PAGES)
        context.unmap_all(ioas)
        assert (pinned(policy, large), pinned(policy, small)) == (0, 0)
    os.close(file)


def test_several_arrays_move(context: Context, ioas: int, device: edu.Edu) -> None:
    """If the second file does not fit, the first one returns to its owner."""
    file = os.memfd_create("dma")
    os.ftruncate(file, PAGES * PAGE)
    with cgroup.cgroup() as group, attached("pinlimit", limit(10)) as policy:
        set_limit(policy, cgroup.id_of(cgroup.ROOT), 16)
        for number in range(2):
            context.map_file(ioas, file, 0, 8 * PAGE, iova=IOVA + number * STEP)
        mine = of(policy, PROCESS, os.getpid())[0]

        def body(_: Child) -> None:
            group.enter()
            with fails(FULL):
                context.command("IOAS_CHANGE_PROCESS", uapi.IoasChangeProcess())

        with Child(body) as child:
            pass
        assert of(policy, PROCESS, os.getpid())[0] == mine == 16
        assert of(policy, PROCESS, child.pid)[0] == 0
        assert pinned(policy, group) == 0
        context.unmap_all(ioas)
        assert of(policy, PROCESS, os.getpid())[0] == 0
    os.close(file)


def test_threads(context: Context, ioas: int, device: edu.Edu) -> None:
    """Exactly as much as is allowed, with threads that are charged at once."""
    most, threads, rounds = 8, 6, 60
    level, peak, refused = 0, 0, 0

    def work(number: int) -> None:
        nonlocal level, peak, refused
        with mem.anonymous(2 * PAGE) as memory:
            iova = IOVA + number * STEP
            for _ in range(rounds):
                if errno_of(context.map, ioas, memory, iova=iova) == FULL:
                    refused += 1
                    continue
                level += 2
                peak = max(peak, level)
                level -= 2
                context.unmap(ioas, iova, memory.size)

    with attached("pinlimit", limit(most, PROCESS)) as policy:
        with Workers(*[lambda _, n=n: work(n) for n in range(threads)]) as workers:
            workers.join()
        now, top, count = of(policy, PROCESS, os.getpid())
    assert (now, count) == (0, refused)
    assert 0 < top <= most


@contextmanager
def crowd(policy: Object, usage: int) -> Iterator[None]:
    """As many owners as there is room for."""
    owners = policy.map("owners")
    have = len(list(owners))
    for number in range(MAX_OWNERS - have):
        owners[_OWNER.pack(1 << 40 | number, USER)] = _USAGE.pack(usage, usage, 0, 1)
    assert len(list(owners)) == MAX_OWNERS
    yield


@pytest.mark.limit(240)
def test_many_owners(space: Space) -> None:
    """If there is no room for another owner, it is refused; idle ones make room."""
    with cgroup.cgroup() as group, attached("pinlimit", limit(PAGES)) as policy:
        known = space.map(1)
        with crowd(policy, PAGE):
            # Those that are known go on.
            space.map(1)
            with group.inside():
                space.full(1)
            assert policy.map("owners").get(_OWNER.pack(group.id, CGROUP)) is None
        space.unmap(known, 1)
        space.clear()
        # One of them has nothing pinned now.
        policy.map("owners")[_OWNER.pack(1 << 40, USER)] = _USAGE.pack(0, PAGE, 0, 1)
        with group.inside():
            space.map(1)
        assert pinned(policy, group) == 1
        space.clear()
        assert pinned(policy, group) == 0


@pytest.mark.limit(240)
def test_idle_owners(space: Space) -> None:
    """Sixteen thousand owners that have nothing pinned are forgotten at once."""
    with cgroup.cgroup() as group, attached("pinlimit", limit(PAGES)) as policy:
        with crowd(policy, 0), group.inside():
            space.map(2)
        assert len(list(policy.map("owners"))) < 10
        assert pinned(policy, group) == 2
        space.clear()
