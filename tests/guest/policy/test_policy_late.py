# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Pages that were pinned before a policy was attached: charged by a walk, each once."""

import errno
import os
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import cgroup
import pytest
from bpfobject import Link, Object, loaded
from charge_recorder import CHARGE, Charges, charging
from child_process import Child
from errnos import errno_of, fails
from failnth import sweep
from iommufd import edu, mem, mock, uapi
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import NOBODY, unprivileged
from iommufd.trace import Stream
from iommufd.uffd import StuckMemory
from object_listing import listing
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="bpf")

PAGES = 16
IOVA = 0x1000000
COPY = 0x2000000
STEP = 1 << 20
REFUSED = errno.EDQUOT
USER = 0


@pytest.fixture
def device(context: Context, ioas: int) -> Iterator[edu.Edu]:
    """A device that makes the IOAS pin what is mapped in it."""
    with edu.Edu(context, ioas) as device:
        yield device


@pytest.fixture
def walker() -> Iterator[Object]:
    """The program that walks over all contexts."""
    with loaded("iommufd_late") as walker:
        yield walker


def walk(walker: Object, link: Link) -> int:
    """Walks for a policy; the errno, or 0."""
    return -walker.run("charge_pinned", struct.pack("I", link.id))


@contextmanager
def steps(link: Link) -> Iterator[Callable[[int], int]]:
    """A walk in single steps: one for 0, then one for each IOAS. Returns pages, or an error."""
    with listing() as listed:
        (number,) = listed.contexts()
    with loaded("late") as program:
        yield lambda ioas: program.run("charge_step", struct.pack("3I", link.id, number, ioas))


def late(charges: Charges, who: str = "first") -> Link:
    """Attaches a policy, which was charged for nothing then."""
    charges.attach(who)
    assert charges.calls() == []
    return charges.links[who]


def test_charged_once(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """As if the policy had been there, except that it can't refuse; uncharged like all others."""
    with cgroup.cgroup() as group, charging() as charges:
        context.map(ioas, buffer, iova=IOVA)
        link = late(charges)
        charges.tell("first", -REFUSED)
        with Stream("iommufd", "iommufd_fail") as stream:
            # The owner's cgroup is the one in which it is now.
            with group.inside():
                assert walk(walker, link) == 0
            assert stream.read() == []
        (call,) = charges.calls()
        assert (call.hook, call.pages, call.forced, call.ioas) == (CHARGE, PAGES, 1, ioas)
        assert (call.tgid, call.uid, call.cgroup_id) == (os.getpid(), 0, group.id)
        assert walk(walker, link) == 0
        assert charges.calls() == []
        charges.tell("first")
        context.map(ioas, buffer.address, 2 * PAGE, iova=COPY)
        assert walk(walker, link) == 0
        assert charges.pages() == [2]
        context.unmap(ioas, IOVA, PAGES * PAGE)
        (call,) = charges.calls()
        assert (call.pages, call.cgroup_id) == (-PAGES, group.id)
        context.unmap_all(ioas)
        assert charges.pages() == [-2]


def test_told_policy_only(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """Others keep to what is pinned since they were attached; each of them is uncharged its own."""
    with charging("second") as charges:
        context.map(ioas, buffer, iova=IOVA)
        assert charges.pages() == [PAGES]
        link = late(charges)
        assert walk(walker, link) == 0
        assert [(c.who, c.pages) for c in charges.calls()] == [("first", PAGES)]
        charges.detach("second")
        context.map(ioas, buffer.address, PAGE, iova=COPY)
        assert charges.pages() == [1]
        charges.attach("second")
        context.unmap_all(ioas)
        calls = charges.calls()
        assert {c.who for c in calls} == {"first"}
        assert sum(c.pages for c in calls) == -PAGES - 1


def test_one_after_the_other(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """Two policies, each with a walk of its own."""
    context.map(ioas, buffer, iova=IOVA)
    with charging() as charges:
        for who in ("first", "second"):
            assert walk(walker, late(charges, who)) == 0
            assert [(c.who, c.pages) for c in charges.calls()] == [(who, PAGES)]
        context.unmap_all(ioas)
        calls = [(c.who, c.pages) for c in charges.calls()]
        assert calls == [("first", -PAGES), ("second", -PAGES)]


def test_shared_and_split(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """Pages of several mappings count once, of partly charged ones the rest."""
    other = context.ioas_alloc()
    context.map(other, buffer, iova=IOVA)
    with edu.Edu(context, other, 1), charging() as charges:
        context.copy(ioas, other, IOVA + 4 * PAGE, 4 * PAGE, iova=COPY)
        link = late(charges)
        assert walk(walker, link) == 0
        assert sum(charges.pages()) == PAGES
        context.unmap(other, IOVA, PAGES * PAGE)
        assert sum(charges.pages()) == 4 - PAGES
        context.unmap_all(ioas)
        assert charges.pages() == [-4]


def test_half_of_it_charged(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """Pages on both sides of some that the policy was charged for."""
    other = context.ioas_alloc()
    context.map(other, buffer, iova=IOVA)
    for at in (0, 12):
        context.copy(ioas, other, IOVA + at * PAGE, 4 * PAGE, iova=COPY + at * PAGE)
    with charging() as charges:
        link = late(charges)
        with edu.Edu(context, other, 1):
            assert charges.pages() == [8]
            assert walk(walker, link) == 0
            assert charges.pages() == [4, 4]
            context.unmap_all(ioas)
            assert charges.calls() == []
        assert sum(charges.pages()) == -PAGES
        context.unmap_all(other)


def elsewhere(group: cgroup.Cgroup, context: Context, ioas: int) -> int:
    """Three pages of a process in a cgroup; its id. It has ended then."""

    def body(_: Child) -> None:
        group.enter()
        file = os.memfd_create("dma")
        os.ftruncate(file, 3 * PAGE)
        context.map_file(ioas, file, 0, 3 * PAGE, iova=COPY)

    with Child(body) as child:
        pass
    return child.pid


def test_owners(context: Context, ioas: int, device: edu.Edu, walker: Object) -> None:
    """Users and processes, also those that have ended, and their cgroups."""
    with cgroup.cgroup() as group, mem.anonymous(PAGES * PAGE) as memory, charging() as charges:
        child = elsewhere(group, context, ioas)
        with unprivileged(PAGES * PAGE):
            context.map(ioas, memory, iova=IOVA)
        assert walk(walker, late(charges)) == 0
        calls = {(c.uid, c.tgid, c.cgroup_id): c.pages for c in charges.calls()}
        root = cgroup.id_of(cgroup.ROOT)
        assert calls == {(NOBODY, os.getpid(), root): PAGES, (0, child, group.id): 3}
        context.unmap_all(ioas)
        assert sum(charges.pages()) == -PAGES - 3


def test_cgroup_of_policy(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """Only owners in its scope."""
    with (
        cgroup.cgroup() as group,
        loaded(
            "charges",
            lambda unloaded: setattr(unloaded.map("first").members, "cgroup_id", group.id),
        ) as charges_object,
    ):
        context.map(ioas, buffer, iova=IOVA)
        elsewhere(group, context, ioas)
        charges = Charges(charges_object)
        assert walk(walker, late(charges)) == 0
        assert charges.pages() == [3]
        context.unmap_all(ioas)
        assert charges.pages() == [-3]
        charges.detach("first")


def test_several_contexts(walker: Object, buffer: mem.Buffer) -> None:
    """All contexts with all of their IOAS, whether a device pins something in them or not."""
    with ExitStack() as stack:
        for number in range(2):
            context = stack.enter_context(Context())
            context.map(context.ioas_alloc(), buffer, iova=IOVA)
            ioas = context.ioas_alloc()
            stack.enter_context(edu.Edu(context, ioas, number))
            context.map(ioas, buffer.address, (number + 1) * PAGE, iova=IOVA)
        charges = stack.enter_context(charging())
        assert walk(walker, late(charges)) == 0
        assert charges.pages() == [1, 2]


def test_detached(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """A policy's charges of a walk are forgotten as well; the next link begins again."""
    context.map(ioas, buffer, iova=IOVA)
    with charging() as charges:
        for _ in range(2):
            assert walk(walker, late(charges)) == 0
            assert charges.pages() == [PAGES]
            charges.detach("first")
        context.unmap_all(ioas)
        assert charges.calls() == []


def test_replaced(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """The policy that replaces another one under its link is not charged again."""
    context.map(ioas, buffer, iova=IOVA)
    with charging() as charges:
        link = late(charges)
        assert walk(walker, link) == 0
        link.update(charges.map("second"))
        assert walk(walker, link) == 0
        context.unmap_all(ioas)
        calls = [(call.who, call.pages) for call in charges.calls()]
    assert calls == [("first", PAGES), ("second", -PAGES)]


def test_change_process(context: Context, ioas: int, device: edu.Edu, walker: Object) -> None:
    """Pages that the walk has charged move to the new owner."""
    file = os.memfd_create("dma")
    os.ftruncate(file, PAGES * PAGE)
    context.map_file(ioas, file, 0, PAGES * PAGE, iova=IOVA)
    os.close(file)

    def body(_: Child) -> None:
        context.command("IOAS_CHANGE_PROCESS", uapi.IoasChangeProcess())

    with charging() as charges:
        link = late(charges)
        assert walk(walker, link) == 0
        with Child(body) as child:
            pass
        assert walk(walker, link) == 0
        calls = [(call.tgid, call.pages) for call in charges.calls()]
        mine, its = os.getpid(), child.pid
        assert calls == [(mine, PAGES), (mine, -PAGES), (its, PAGES)]
        context.unmap_all(ioas)
        assert [(call.tgid, call.pages) for call in charges.calls()] == [(its, -PAGES)]


@pytest.mark.guest(mock=True)
def test_drivers_in_the_kernel(
    context: Context, ioas: int, walker: Object, buffer: mem.Buffer
) -> None:
    context.map(ioas, buffer, iova=IOVA)
    with mock.Access(context, ioas) as access, charging() as charges:
        pin = access.pin(IOVA + PAGE, buffer.address + PAGE, 4 * PAGE)
        assert walk(walker, late(charges)) == 0
        assert charges.pages() == [4]
        access.unpin(pin)
        assert charges.pages() == [-4]
    context.unmap_all(ioas)


def test_not_a_policy(context: Context, ioas: int, walker: Object) -> None:
    """ENOENT for a link that does not exist, or is detached."""
    with charging("first") as charges:
        link = charges.links["first"]
        assert walk(walker, link) == 0
        number = link.id
        charges.detach("first")
        for bad in (number, 0, number + 1000, 0xFFFFFFFF):
            assert walker.run("charge_pinned", struct.pack("I", bad)) == -errno.ENOENT


def test_no_such_ioas(context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer) -> None:
    """Objects that are gone, or are no IOAS, have no pages."""
    context.map(ioas, buffer, iova=IOVA)
    with charging() as charges, steps(late(charges)) as step:
        for number in (0, device.id, 0x7FFFFFFF, 0xFFFFFFFF):
            assert step(number) == 0
        assert charges.calls() == []
        assert step(ioas) == PAGES
        assert charges.pages() == [PAGES]
    context.unmap_all(ioas)


def test_copied_behind_the_walk(
    context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer
) -> None:
    """Pages that leave an IOAS before the walk gets there, for one where it has been."""
    other = context.ioas_alloc()
    context.map(ioas, buffer, iova=IOVA)
    with (
        edu.Edu(context, other, 1),
        charging() as charges,
        steps(late(charges)) as step,
    ):
        assert (step(0), step(other)) == (0, 0)
        context.copy(other, ioas, IOVA + 2 * PAGE, 8 * PAGE, iova=COPY)
        assert charges.pages() == [8]
        context.unmap(ioas, IOVA, PAGES * PAGE)
        assert step(ioas) == 0
        assert charges.calls() == []
        context.unmap_all(other)
        assert charges.pages() == [-8]


@pytest.mark.guest(kernels="stock")
def test_pinned_behind_the_walk(
    context: Context, ioas: int, device: edu.Edu, walker: Object
) -> None:
    """A request that waits for a page while policy and walk come: neither waits for it."""
    with StuckMemory(PAGES * PAGE, 6 * PAGE) as memory, charging() as charges:
        thread = threading.Thread(
            target=context.map, args=(ioas, memory.buffer), kwargs={"iova": IOVA}
        )
        thread.start()
        memory.wait_for_fault()
        link = late(charges)
        assert walk(walker, link) == 0
        before = sum(charges.pages())
        memory.release()
        thread.join()
        assert before + sum(charges.pages()) == PAGES
        assert walk(walker, link) == 0
        assert charges.calls() == []
        context.unmap_all(ioas)
        assert sum(charges.pages()) == -PAGES


@pytest.mark.guest(mock=True)
def test_no_memory(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """A walk that fails goes on where it has failed."""
    other = context.ioas_alloc()
    context.map(other, buffer, iova=IOVA)
    with mock.Device(context, ioas), mock.Access(context, other) as access, charging() as charges:
        pin = access.pin(IOVA, buffer.address, 4 * PAGE)
        charges.attach("second")
        context.map(ioas, buffer.address, 3 * PAGE, iova=COPY)
        charges.calls()
        link = late(charges)
        with steps(link) as step:

            def both() -> None:
                for number in (0, ioas, other):
                    if (pages := step(number)) < 0:
                        raise OSError(-pages, os.strerror(-pages))

            assert sweep(both, lambda: None, lambda: None) > 0
        assert sum(charges.pages("first")) == 7
        access.unpin(pin)
    context.unmap_all(ioas)


@pytest.mark.limit(120)
def test_under_load(context: Context, ioas: int, device: edu.Edu, walker: Object) -> None:
    """Policies are attached while threads map, copy and unmap: at the end, nothing is left."""
    other = context.ioas_alloc()
    rounds = 40

    def work(number: int) -> Callable[[Callable[[], bool]], None]:
        def run(stop: Callable[[], bool]) -> None:
            place = number * STEP
            with mem.anonymous(8 * PAGE) as memory:
                while not stop():
                    context.map(ioas, memory, iova=IOVA + place)
                    context.copy(other, ioas, IOVA + place, 4 * PAGE, iova=COPY + place)
                    context.unmap(ioas, IOVA + place, 8 * PAGE)
                    context.copy(ioas, other, COPY + place, 4 * PAGE, iova=IOVA + place)
                    context.unmap(other, COPY + place, 4 * PAGE)
                    context.unmap(ioas, IOVA + place, 4 * PAGE)

        return run

    with edu.Edu(context, other, 1), charging() as charges, mem.anonymous(PAGES * PAGE) as stays:
        context.map(ioas, stays, iova=IOVA + 64 * STEP)
        for _ in range(rounds):
            with Workers(*[work(n) for n in range(4)]):
                charges.attach("first")
                assert walk(walker, charges.links["first"]) == 0
            # Whatever the threads did, what is pinned now is what the policy was charged for.
            assert sum(charges.pages()) == PAGES
            charges.detach("first")
        context.unmap_all(ioas)


def test_pinlimit(
    context: Context, ioas: int, device: edu.Edu, walker: Object, buffer: mem.Buffer
) -> None:
    """Memory that is pinned already counts, even beyond the limit; the rest is refused."""
    context.map(ioas, buffer, iova=IOVA)
    settings = struct.pack("=QI4x", 4 * PAGE, USER)
    with loaded("policy_pinlimit") as policy:
        policy.map("settings")[bytes(4)] = settings

        def usage() -> tuple[int, ...]:
            value = policy.map("owners").get(struct.pack("=QI", 0, USER)) or bytes(32)
            return struct.unpack("=4Q", value)[:3]

        with Link(policy.map("pinlimit")) as link:
            assert usage() == (0, 0, 0)
            assert walk(walker, link) == 0
            assert usage() == (PAGES * PAGE, PAGES * PAGE, 0)
            assert errno_of(context.map, ioas, buffer, iova=COPY) == REFUSED
            context.unmap(ioas, IOVA, PAGES * PAGE)
            assert usage() == (0, PAGES * PAGE, 1)
            context.map(ioas, buffer.address, 4 * PAGE, iova=COPY)
            with fails(REFUSED):
                context.map(ioas, buffer.address, PAGE, iova=IOVA)
    context.unmap_all(ioas)
