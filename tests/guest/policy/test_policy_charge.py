# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hooks of policies for pinned pages: what is charged is uncharged, once."""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import cgroup
import pytest
from bpfobject import NotLoaded, loaded
from charge_recorder import CHARGE, MEMFD, UNCHARGE, VA, Charges, charging
from child_process import Child
from errnos import fails
from iommufd import edu, mem, mock, uapi
from iommufd.container import TYPE1, Adopted
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import NOBODY, pinned_pages, status_bytes, unprivileged
from iommufd.trace import Stream
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="bpf")

PAGES = 16
IOVA = 0x1000000
COPY = 0x2000000
REFUSED = errno.EDQUOT
ENOUGH = 1 << 20


@pytest.fixture
def one() -> Iterator[Charges]:
    """One attached policy, which was charged for nothing in the end."""
    with charging("first") as charges:
        yield charges


@pytest.fixture
def device(context: Context, ioas: int) -> Iterator[edu.Edu]:
    """A device that makes the IOAS pin what is mapped in it."""
    with edu.Edu(context, ioas) as device:
        yield device


@contextmanager
def nothing_left() -> Iterator[None]:
    """The body pins no page that it does not unpin."""
    before = (pinned_pages(), status_bytes("self", "VmPin"))
    yield
    assert (pinned_pages(), status_bytes("self", "VmPin")) == before


def test_map(
    context: Context, ioas: int, device: edu.Edu, one: Charges, buffer: mem.Buffer
) -> None:
    """The owner, the IOAS, the source and the cgroups of each call."""
    file = os.memfd_create("dma")
    os.ftruncate(file, 3 * PAGE)
    with cgroup.cgroup() as outer, cgroup.cgroup(outer) as inner, inner.inside(), nothing_left():
        context.map(ioas, buffer, iova=IOVA)
        context.map_file(ioas, file, PAGE, 2 * PAGE, iova=COPY)
        cgroup.leave()
        # An owner stays in the cgroup in which it was charged.
        assert context.unmap_all(ioas) == (PAGES + 2) * PAGE
        calls = one.calls()
        path = (cgroup.id_of(cgroup.ROOT), outer.id, inner.id)
        assert {call.ancestors for call in calls} == {path + (0,) * 13}
        assert {(call.level, call.cgroup_id) for call in calls} == {(2, inner.id)}
    os.close(file)
    assert [(call.hook, call.source, call.npages) for call in calls] == [
        (CHARGE, VA, PAGES),
        (CHARGE, MEMFD, 2),
        (UNCHARGE, VA, PAGES),
        (UNCHARGE, MEMFD, 2),
    ]
    assert {(c.ioas, c.tgid, c.uid, c.forced) for c in calls} == {(ioas, os.getpid(), 0, 0)}
    assert {1 << call.page_shift for call in calls} == {PAGE}
    assert len({call.ctx for call in calls}) == 1


def test_attach_and_detach(context: Context, ioas: int, one: Charges, buffer: mem.Buffer) -> None:
    """Nothing is charged until a device needs the pages, and until the last one is gone."""
    context.map(ioas, buffer, iova=IOVA)
    assert one.pages() == []
    with edu.Edu(context, ioas), edu.Edu(context, ioas, 1):
        assert one.pages() == [PAGES]
    assert one.pages() == [-PAGES]
    context.unmap_all(ioas)
    assert one.pages() == []


def test_shared_pages(
    context: Context, ioas: int, device: edu.Edu, one: Charges, buffer: mem.Buffer
) -> None:
    """Pages of several mappings are charged once; parts of a mapping are uncharged."""
    other = context.ioas_alloc()
    context.map(ioas, buffer, iova=IOVA)
    with edu.Edu(context, other, 1):
        context.copy(other, ioas, IOVA + 4 * PAGE, 2 * PAGE, iova=COPY)
        assert one.pages() == [PAGES]
        context.unmap(ioas, IOVA, PAGES * PAGE)
        assert one.pages() == [-14]
        context.unmap(other, COPY, 2 * PAGE)
        (call,) = one.calls()
        assert (call.pages, call.ioas) == (-2, other)


def test_ways_of_accounting(buffer: mem.Buffer) -> None:
    """Policies are charged whether RLIMIT_MEMLOCK is per user or per process."""
    for by_process in (0, 1):
        with Context() as mine, charging("first") as charges:
            mine.set_option(uapi.OPTION_RLIMIT_MODE, by_process)
            space = mine.ioas_alloc()
            with edu.Edu(mine, space), unprivileged(ENOUGH):
                mine.map(space, buffer, iova=IOVA)
                mine.unmap_all(space)
            calls = charges.calls()
            assert [call.pages for call in calls] == [PAGES, -PAGES]
            assert {call.uid for call in calls} == {NOBODY}


def test_memlock_comes_first(
    context: Context, ioas: int, device: edu.Edu, one: Charges, buffer: mem.Buffer
) -> None:
    """A policy is not called for what RLIMIT_MEMLOCK does not allow."""
    with nothing_left(), unprivileged(PAGE), fails(errno.ENOMEM):
        context.map(ioas, buffer, iova=IOVA)
    assert one.pages() == []


def test_refused(
    context: Context, ioas: int, device: edu.Edu, one: Charges, buffer: mem.Buffer
) -> None:
    """With the policy's errno and number; nothing changes."""
    one.tell("first", -REFUSED, detail=77)
    with Stream("iommufd", "iommufd_fail") as stream, nothing_left():
        with fails(REFUSED):
            context.map(ioas, buffer, iova=IOVA)
        (event,) = stream.read()
    assert (event["policy"], event["reason"]) == ("first", "pinning_denied")
    assert (event.number("first"), event.number("second")) == (PAGES, 77)
    assert one.pages() == [PAGES]
    with fails(errno.ENOENT):
        context.unmap(ioas, IOVA, PAGES * PAGE)
    for odd in (1, -512, -4095):
        one.tell("first", odd)
        with fails(errno.EPERM):
            context.map(ioas, buffer, iova=IOVA)
    one.tell("first")
    context.map(ioas, buffer, iova=IOVA)
    device.dma_read(IOVA)
    context.unmap_all(ioas)


def test_refused_attach(context: Context, ioas: int, one: Charges, buffer: mem.Buffer) -> None:
    """The device is not attached, and what was charged before the refusal is uncharged."""
    with mem.anonymous(PAGE) as small:
        context.map(ioas, small, iova=COPY)
        context.map(ioas, buffer, iova=IOVA)
        one.tell("first", -REFUSED)
        with nothing_left(), fails(REFUSED):
            edu.Edu(context, ioas)
        one.tell("first")
        assert one.pages() == [PAGES]
        with edu.Edu(context, ioas) as device:
            device.dma_read(IOVA)
        assert sum(one.pages()) == 0
        context.unmap_all(ioas)


def test_several_policies(context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer) -> None:
    """If one refuses, those before it are uncharged, and those after it are not called."""
    with charging("first", "second") as charges:
        charges.tell("second", -REFUSED)
        with fails(REFUSED):
            context.map(ioas, buffer, iova=IOVA)
        calls = [(call.who, call.pages) for call in charges.calls()]
        assert calls == [("first", PAGES), ("second", PAGES), ("first", -PAGES)]
        charges.tell("first", -REFUSED)
        with fails(REFUSED):
            context.map(ioas, buffer, iova=IOVA)
        assert [(call.who, call.pages) for call in charges.calls()] == [("first", PAGES)]


def test_memory_that_is_missing(
    context: Context, ioas: int, device: edu.Edu, one: Charges, buffer: mem.Buffer
) -> None:
    """Whatever can't be pinned after all is uncharged."""
    mem.protect(buffer, mem.PROT_NONE, 10 * PAGE)
    with nothing_left(), fails(errno.EFAULT):
        context.map(ioas, buffer, iova=IOVA)
    charged, *uncharged = one.pages()
    assert (charged, sum(uncharged)) == (PAGES, -PAGES)


def test_attached_late(context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer) -> None:
    """Only what was charged to a policy is uncharged to it, even if they are parts of a mapping."""
    other = context.ioas_alloc()
    with mem.anonymous(8 * PAGE) as shared, mem.anonymous(2 * PAGE) as late:
        context.map(ioas, buffer, iova=IOVA)
        context.map(other, shared, iova=IOVA)
        # Pins a half of it.
        context.copy(ioas, other, IOVA + 2 * PAGE, 4 * PAGE, iova=COPY)
        with charging("first") as charges:
            context.map(ioas, late, iova=COPY + (1 << 20))
            assert charges.pages() == [2]
            charges.attach("second")
            with edu.Edu(context, other, 1):
                assert charges.pages() == [4, 4]
                context.unmap(ioas, COPY, 4 * PAGE)
                assert charges.pages() == []
            # The pages between these were pinned before.
            calls = [(call.who, call.pages) for call in charges.calls()]
            assert calls == [("first", -2), ("second", -2)] * 2
            context.unmap_all(ioas)
            assert [(call.who, call.pages) for call in charges.calls()] == [("first", -2)]


def test_each_policy_its_own(context: Context, ioas: int, device: edu.Edu) -> None:
    """Three generations of pages, and two policies that come and go."""
    with ExitStack() as stack:
        buffers = [stack.enter_context(mem.anonymous(n * PAGE)) for n in (1, 2, 3, 4)]
        charges = stack.enter_context(charging())
        where = [IOVA + (n << 20) for n in range(4)]

        def put(n: int) -> None:
            context.map(ioas, buffers[n], iova=where[n])

        put(0)
        charges.attach("first")
        put(1)
        charges.attach("second")
        put(2)
        assert charges.pages() == [2, 3, 3]
        charges.detach("first")
        put(3)
        assert charges.pages() == [4]
        charges.attach("first")
        assert context.unmap_all(ioas) == 10 * PAGE
        # It is another link: what it was charged for under the old one is forgotten.
        calls = charges.calls()
        assert {call.who for call in calls} == {"second"}
        assert sum(call.pages for call in calls) == -7


def test_detached_while_charged(
    context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer
) -> None:
    with charging("first") as charges, nothing_left():
        context.map(ioas, buffer, iova=IOVA)
        charges.detach("first")
        context.unmap_all(ioas)
        assert charges.pages() == [PAGES]


def test_context_ends(one: Charges, buffer: mem.Buffer) -> None:
    """The end of a context, and of its process, uncharges everything."""
    with nothing_left():
        with Context() as mine:
            space = mine.ioas_alloc()
            mine.map(space, buffer, iova=IOVA)
            with edu.Edu(mine, space):
                assert one.pages() == [PAGES]

        def body(_: Child) -> None:
            mine = Context()
            space = mine.ioas_alloc()
            edu.Edu(mine, space)
            mine.map(space, buffer, iova=IOVA)

        with Child(body) as child:
            pass
        calls = one.calls()
    assert sum(call.pages for call in calls) == -PAGES
    assert {call.tgid for call in calls} == {os.getpid(), child.pid}


def test_split(
    context: Context, ioas: int, device: edu.Edu, one: Charges, buffer: mem.Buffer
) -> None:
    """Parts of a mapping that VFIO's first version of type1 unmaps."""
    container = Adopted(context.fd)
    context.command("VFIO_IOAS", uapi.VfioIoas(op=uapi.VFIO_IOAS_SET, ioas_id=ioas))
    container.set_iommu(TYPE1)
    with edu.Edu(context, ioas, 1):
        pass
    container.map(buffer, IOVA)
    assert one.pages() == [PAGES]
    container.unmap(IOVA + 3 * PAGE, 2 * PAGE)
    assert one.pages() == [-2]
    container.unmap(IOVA, PAGE)
    assert one.pages() == [-1]
    assert container.unmap_all() == (PAGES - 3) * PAGE
    assert sum(one.pages()) == 3 - PAGES


def change_process(context: Context) -> None:
    context.command("IOAS_CHANGE_PROCESS", uapi.IoasChangeProcess())


def test_change_process(context: Context, ioas: int, device: edu.Edu, one: Charges) -> None:
    """The old owner is uncharged and the new one charged, which has its own cgroup."""
    file = os.memfd_create("dma")
    os.ftruncate(file, PAGES * PAGE)
    with cgroup.cgroup() as group, nothing_left():
        context.map_file(ioas, file, 0, PAGES * PAGE, iova=IOVA)

        def body(child: Child) -> None:
            group.enter()
            change_process(context)
            child.pause()
            cgroup.leave()

        with Child(body) as child:
            child.met()
            calls = [(call.tgid, call.cgroup_id, call.pages) for call in one.calls()]
            root = cgroup.id_of(cgroup.ROOT)
            assert calls == [
                (os.getpid(), root, PAGES),
                (os.getpid(), root, -PAGES),
                (child.pid, group.id, PAGES),
            ]
            one.tell("first", -REFUSED)
            with fails(REFUSED):
                change_process(context)
            # It stays with the owner, which can't be refused.
            calls = [(call.tgid, call.forced, call.pages) for call in one.calls()]
            assert calls == [
                (child.pid, 0, -PAGES),
                (os.getpid(), 0, PAGES),
                (child.pid, 1, PAGES),
            ]
        context.unmap_all(ioas)
        (call,) = one.calls()
        assert (call.tgid, call.cgroup_id, call.pages) == (child.pid, group.id, -PAGES)
    os.close(file)


def test_change_process_of_old_pages(context: Context, ioas: int, device: edu.Edu) -> None:
    """Pages that were pinned before the attach are charged when they get another owner."""
    file = os.memfd_create("dma")
    os.ftruncate(file, PAGES * PAGE)
    context.map_file(ioas, file, 0, PAGES * PAGE, iova=IOVA)
    with charging("first") as charges:
        with Child(lambda _: change_process(context)) as child:
            pass
        assert [(c.tgid, c.pages) for c in charges.calls()] == [(child.pid, PAGES)]
        charges.tell("first", -REFUSED)
        with fails(REFUSED):
            change_process(context)
        charges.calls()
        context.unmap_all(ioas)
        assert charges.pages() == [-PAGES]
    os.close(file)


def test_cgroup_of_policy(context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer) -> None:
    """A policy for a cgroup is charged for owners in it, whoever uncharges them."""
    with (
        cgroup.cgroup() as group,
        loaded(
            "charges",
            lambda unloaded: setattr(unloaded.map("first").members, "cgroup_id", group.id),
        ) as charges_object,
    ):
        charges = Charges(charges_object)
        charges.attach("first")
        try:
            context.map(ioas, buffer, iova=IOVA)
            assert charges.pages() == []
            context.unmap_all(ioas)
            with group.inside():
                context.map(ioas, buffer, iova=IOVA)
            context.unmap_all(ioas)
            assert charges.pages() == [PAGES, -PAGES]
        finally:
            charges.detach("first")


def test_replaced(context: Context, ioas: int, device: edu.Edu, buffer: mem.Buffer) -> None:
    """The policy that replaces another one is uncharged in its place."""
    with charging("first") as charges:
        context.map(ioas, buffer, iova=IOVA)
        charges.links["first"].update(charges.map("second"))
        context.unmap_all(ioas)
        calls = [(call.who, call.pages) for call in charges.calls()]
    assert calls == [("first", PAGES), ("second", -PAGES)]


@pytest.mark.parametrize("name", ["charges", "uncharges"])
def test_sleepable(name: str) -> None:
    """Programs that may sleep are rejected."""
    with (
        pytest.raises(NotLoaded) as caught,
        loaded("sleepers", lambda unloaded: unloaded.only(name)),
    ):
        pass
    assert caught.value.errno == errno.EINVAL


def test_threads(context: Context, ioas: int, device: edu.Edu, one: Charges) -> None:
    """Several threads of a process are charged at once; calls never overlap, counts are exact."""
    rounds = 100

    def work(number: int) -> None:
        with mem.anonymous(4 * PAGE) as memory:
            for _ in range(rounds):
                iova = IOVA + (number << 20)
                context.map(ioas, memory, iova=iova)
                context.unmap(ioas, iova, memory.size)

    with Workers(*[lambda _, n=n: work(n) for n in range(4)]) as workers:
        workers.join()
    pages = one.pages()
    assert (len(pages), sum(pages)) == (8 * rounds, 0)


@pytest.mark.guest(mock=True)
def test_access(context: Context, ioas: int, one: Charges, buffer: mem.Buffer) -> None:
    """Drivers in the kernel that pin pages, or pin them to copy them."""
    context.map(ioas, buffer, iova=IOVA)
    with mock.Access(context, ioas) as access:
        pin = access.pin(IOVA, buffer, 4 * PAGE)
        assert one.pages() == [4]
        access.read(IOVA + 3 * PAGE, 2 * PAGE, slow=True)
        assert one.pages() == [1, -1]
        one.tell("first", -REFUSED)
        with fails(REFUSED):
            access.pin(IOVA + 2 * PAGE, buffer.address + 2 * PAGE, 4 * PAGE)
        with fails(REFUSED):
            access.read(IOVA, 8 * PAGE, slow=True)
        one.tell("first")
        assert one.pages() == [2, 4]
        access.unpin(pin)
        assert one.pages() == [-4]
    context.unmap_all(ioas)
