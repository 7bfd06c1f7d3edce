# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Hooks of policies: their arguments, their order, and an end for each start."""

import ctypes
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import permutations

import cgroup
import pytest
from child_process import Child
from errnos import errno_of, fails
from iommufd import dirty, invalidate, mem, mock, mock_uapi, uapi
from iommufd.ctx import Context
from iommufd.nest import IOTLB, Nest
from iommufd.pins import NOBODY, unprivileged
from iommufd.trace import Stream
from policy_recorder import (
    ALLOC,
    ALLOC_DONE,
    FREE,
    FUNCTIONS,
    INVALIDATE,
    INVALIDATE_DONE,
    NAMES,
    Recorder,
    recording,
)
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="bpf", mock=True)

# enum iommufd_object_type
PAGING, NESTED, VIOMMU = 2, 3, 7
DIRTY, PARENT = uapi.HWPT_ALLOC_DIRTY_TRACKING, uapi.HWPT_ALLOC_NEST_PARENT
REFUSED, QUOTA = errno.EACCES, errno.EDQUOT
VIRT_ID = 0x99
MEMLOCK = 64 << 10
MS = 1_000_000


@pytest.fixture
def one() -> Iterator[Recorder]:
    """One attached policy."""
    with recording("first") as recorder:
        yield recorder


@pytest.fixture
def three() -> Iterator[Recorder]:
    """Three, in the order of their names."""
    with recording(*NAMES) as recorder:
        yield recorder


def context_number(recorder: Recorder, nest: Nest) -> int:
    """The number of a context in events and policies."""
    recorder.calls()
    nest.destroy(nest.paging())
    return recorder.calls()[0].ctx


def test_none_attached(nest: Nest) -> None:
    """Programs that are only loaded, or no longer attached, are not called."""
    with recording() as recorder:
        for _ in range(2):
            nested = nest.nested()
            assert invalidate.page_table(nest.context, nested) == (0, 1)
            nest.destroy(nested)
            assert recorder.seen() == []
            recorder.attach("first")
            recorder.detach("first")
        assert not any(recorder.count(who, hook) for who in NAMES for hook in FUNCTIONS)


@pytest.mark.parametrize("flags", [0, DIRTY, PARENT])
def test_page_table_by_name(one: Recorder, nest: Nest, flags: int) -> None:
    one.calls()
    hwpt = nest.paging(flags)
    nest.destroy(hwpt)
    start, done, free = one.calls()
    assert [c.hook for c in (start, done, free)] == [ALLOC, ALLOC_DONE, FREE]
    who = {"tgid": os.getpid(), "uid": 0, "cgroup_id": cgroup.id_of(cgroup.ROOT)}
    common = {**who, "kind": PAGING, "automatic": 0, "ret": 0}
    asked = {"parent": nest.ioas, "device": nest.device.device, "flags": flags, "data": 0}
    start.has(**common, **asked, object=0, add_flags=0, ns=0, length=0, data_type=0)
    done.has(**common, **asked, object=hwpt, add_flags=0)
    free.has(**common, object=hwpt)
    assert done.ns > 0
    assert len({c.ctx for c in (start, done, free)}) == 1


@pytest.mark.parametrize("through", ["parent", "viommu"])
def test_page_table_of_guest(one: Recorder, nest: Nest, through: str) -> None:
    """With the user's data for the driver, which a policy can read."""
    on = nest.viommu() if through == "viommu" else nest.parent
    data = mock_uapi.HwptSelftest(iotlb=IOTLB)
    one.calls()
    argument = uapi.HwptAlloc(**nest.hwpt_fields(data, pt_id=on))
    nest.context.command("HWPT_ALLOC", argument)
    nest.destroy(nest.keep(argument.out_hwpt_id))
    start, done, free = one.calls()
    told = {
        "parent": on,
        "device": nest.device.device,
        "kind": NESTED,
        "automatic": 0,
        "data_type": mock_uapi.IOMMU_HWPT_DATA_SELFTEST,
        "length": ctypes.sizeof(data),
        "data": ctypes.addressof(data),
    }
    start.has(**told, hook=ALLOC, object=0, word=IOTLB)
    done.has(**told, hook=ALLOC_DONE, object=argument.out_hwpt_id, ret=0)
    free.has(hook=FREE, object=argument.out_hwpt_id, kind=NESTED, automatic=0)


def test_automatic_page_table(one: Recorder, context: Context, ioas: int) -> None:
    """At its creation, not when another device uses it; and at its end."""
    with mock.Device(context, ioas) as device:
        start, done = one.calls()
        told = {"parent": ioas, "device": device.device, "kind": PAGING, "automatic": 1}
        start.has(**told, hook=ALLOC, object=0)
        done.has(**told, hook=ALLOC_DONE, object=device.hwpt, ret=0)
        with mock.Device(context, ioas) as second:
            assert second.hwpt == device.hwpt
        assert one.calls() == []
        hwpt = device.hwpt
    (free,) = one.calls()
    free.has(hook=FREE, object=hwpt, kind=PAGING, automatic=1)


def test_automatic_page_table_replaced(one: Recorder, context: Context, ioas: int) -> None:
    """A device that moves to another IOAS gets a page table there and leaves its own."""
    other = context.ioas_alloc()
    with mock.Device(context, ioas) as device:
        old = device.hwpt
        one.calls()
        device.replace(other)
        start, done, free = one.calls()
        start.has(hook=ALLOC, parent=other, automatic=1)
        done.has(hook=ALLOC_DONE, object=device.hwpt, ret=0)
        free.has(hook=FREE, object=old)


def test_automatic_page_table_refused(one: Recorder, context: Context, ioas: int) -> None:
    """Then the device is not attached, or stays where it is."""
    other = context.ioas_alloc()
    with mock.Device(context, ioas) as device:
        old = device.hwpt
        one.tell("first", alloc=-REFUSED)
        one.calls()
        with fails(REFUSED):
            mock.Device(context, other)
        with fails(REFUSED):
            device.replace(other)
        assert one.seen() == [("first", hook) for hook in 2 * (ALLOC, ALLOC_DONE)]
        assert errno_of(context.destroy, old) == errno.EBUSY
    context.destroy(other)


def test_automatic_page_table_made_meanwhile(one: Recorder, context: Context, ioas: int) -> None:
    """Two concurrent attaches need one: for the second, the hook reports that it exists already."""
    one.tell("first", stay=True)
    devices: list[mock.Device] = []

    def attach(_: object) -> None:
        devices.append(mock.Device(context, ioas))

    with Workers(attach, attach) as workers:
        for _ in range(2):
            one.wait_for(ALLOC)
        one.tell("first")
        workers.join()
    assert devices[0].hwpt == devices[1].hwpt
    dones = one.calls()
    assert {c.hook for c in dones} == {ALLOC_DONE}
    assert sorted((c.ret, c.object) for c in dones) == [
        (-errno.EALREADY, 0),
        (0, devices[0].hwpt),
    ]
    for device in devices:
        device.close()
    assert one.seen() == [("first", FREE)]


def test_context_closed(one: Recorder) -> None:
    """All page tables in it are reported as freed."""
    with Nest() as nest:
        made = [nest.device.hwpt, nest.parent, nest.nested(), nest.paging()]
        one.calls()
    frees = one.calls()
    assert {c.hook for c in frees} == {FREE}
    assert sorted(c.object for c in frees) == sorted(made)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_invalidation_of_page_table(one: Recorder, nest: Nest, count: int) -> None:
    nested = nest.nested()
    one.calls()
    assert invalidate.page_table(nest.context, nested, count) == (0, count)
    start, done = one.calls()
    told = {
        "object": nested,
        "kind": NESTED,
        "data_type": mock_uapi.IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
        "length": ctypes.sizeof(mock_uapi.HwptInvalidateSelftest) if count else 0,
        "asked": count,
        "limit": count,
        "delay_ns": 0,
        "tgid": os.getpid(),
    }
    start.has(**told, hook=INVALIDATE, handled=0, ret=0, ns=0)
    done.has(**told, hook=INVALIDATE_DONE, handled=count, ret=0)
    assert done.ns > 0


def test_invalidation_of_viommu(one: Recorder, nest: Nest) -> None:
    viommu = nest.viommu()
    nest.vdevice(viommu, VIRT_ID)
    one.calls()
    assert invalidate.viommu(nest.context, viommu, VIRT_ID, 2) == (0, 2)
    start, done = one.calls()
    data_type = mock_uapi.IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST
    told = {"object": viommu, "kind": VIOMMU, "asked": 2, "data_type": data_type}
    start.has(**told, hook=INVALIDATE, length=ctypes.sizeof(mock_uapi.ViommuInvalidateSelftest))
    done.has(**told, hook=INVALIDATE_DONE, handled=2, ret=0)
    assert start.data == done.data != 0


def test_invalidation_that_fails(one: Recorder, nest: Nest) -> None:
    """The end reports how many entries were handled."""
    viommu = nest.viommu()
    nest.vdevice(viommu, VIRT_ID)
    one.calls()
    got = invalidate.viommu(nest.context, viommu, VIRT_ID + 1, 2)
    assert got == (errno.EINVAL, 0)
    start, done = one.calls()
    start.has(hook=INVALIDATE, asked=2)
    done.has(hook=INVALIDATE_DONE, handled=0, ret=-errno.EINVAL)


@pytest.mark.parametrize("target", ["ioas", "parent", "device", "unknown"])
def test_not_to_be_invalidated(one: Recorder, nest: Nest, target: str) -> None:
    """Without an object to invalidate, the request is refused before any policy is called."""
    targets = {"ioas": nest.ioas, "parent": nest.parent, "device": nest.device.device}
    one.calls()
    error, handled = invalidate.page_table(nest.context, targets.get(target, 0x7FFFFFF0))
    assert (error, handled) == (errno.ENOENT if target == "unknown" else errno.EINVAL, 0)
    assert one.calls() == []


def test_caller(one: Recorder, nest: Nest) -> None:
    """The task that makes the request, which may differ from the one that opened the context."""
    one.calls()

    def body(_: Child) -> None:
        with unprivileged(MEMLOCK):
            nest.context.destroy(nest.context.hwpt_alloc(nest.device.device, nest.ioas))

    with Child(body) as child:
        pass
    calls = one.calls()
    assert [c.hook for c in calls] == [ALLOC, ALLOC_DONE, FREE]
    for call in calls:
        call.has(tgid=child.pid, uid=NOBODY)


def test_contexts_differ(one: Recorder, nest: Nest) -> None:
    with Nest() as other:
        numbers = {context_number(one, each) for each in (nest, other)}
    assert len(numbers) == 2


@pytest.mark.parametrize("refuser", NAMES)
def test_refusal(three: Recorder, nest: Nest, refuser: str) -> None:
    """Later policies are not called; earlier ones and the refusing one see the end."""
    nested = nest.nested()
    three.tell(refuser, alloc=-REFUSED, invalidate=-QUOTA)
    three.calls()
    asked = NAMES[: NAMES.index(refuser) + 1]
    with Stream("iommufd", "iommufd_fail") as stream:
        with fails(REFUSED):
            nest.paging()
        assert invalidate.page_table(nest.context, nested, 2) == (QUOTA, 0)
        events = stream.read()
    calls = three.calls()
    assert [(c.who, c.hook) for c in calls] == [
        (who, hook) for hook in (ALLOC, ALLOC_DONE, INVALIDATE, INVALIDATE_DONE) for who in asked
    ]
    for call in calls:
        if call.hook == ALLOC_DONE:
            call.has(object=0, ret=-REFUSED)
        if call.hook == INVALIDATE_DONE:
            call.has(handled=0, ret=-QUOTA)
    assert [(e["policy"], e["reason"], e.number("ret")) for e in events] == [
        (refuser, "denied_by_policy", -REFUSED),
        (refuser, "denied_by_policy", -QUOTA),
    ]
    assert mock.iotlb(nest.context, nested, 0, IOTLB), "invalidated in spite of it"


def test_driver_refuses(three: Recorder, nest: Nest) -> None:
    """All policies are called, and all see the driver's errno; there is nothing to free."""
    three.calls()
    with fails(errno.EOPNOTSUPP):
        nest.nested(data_type=0xFFFFFFFF)
    calls = three.calls()
    assert [(c.who, c.hook) for c in calls] == [(w, h) for h in (ALLOC, ALLOC_DONE) for w in NAMES]
    for call in calls[3:]:
        call.has(object=0, ret=-errno.EOPNOTSUPP)


@pytest.mark.parametrize("order", permutations((-5, 0, 7)), ids=str)
def test_priority(nest: Nest, order: tuple[int, ...]) -> None:
    """The highest first, whatever the order of attaching, in every hook."""
    members = {name: {"priority": p} for name, p in zip(NAMES, order, strict=True)}
    expected = sorted(NAMES, key=lambda name: -members[name]["priority"])
    with recording(*NAMES, **members) as recorder:
        nested = nest.nested()
        invalidate.page_table(nest.context, nested)
        nest.destroy(nested)
        hooks = (ALLOC, ALLOC_DONE, INVALIDATE, INVALIDATE_DONE, FREE)
        assert recorder.seen() == [(who, hook) for hook in hooks for who in expected]


@pytest.mark.parametrize("order", permutations(NAMES), ids="-".join)
def test_equal_priority(nest: Nest, order: tuple[str, ...]) -> None:
    """In the order in which they were attached."""
    with recording(*order) as recorder:
        nest.paging()
        assert [who for who, hook in recorder.seen() if hook == ALLOC] == list(order)


@pytest.mark.parametrize("missing", FUNCTIONS)
def test_member_left_out(nest: Nest, missing: str) -> None:
    """The other hooks are called as usual, those of other policies too."""
    with recording("first", "second", first={missing: 0}) as recorder:
        nested = nest.nested()
        invalidate.page_table(nest.context, nested)
        nest.destroy(nested)
        hooks = (ALLOC, ALLOC_DONE, INVALIDATE, INVALIDATE_DONE, FREE)
        expected = [(who, hook) for hook in hooks for who in ("first", "second")]
        expected.remove(("first", missing))
        assert recorder.seen() == expected


@contextmanager
def automatic(nest: Nest) -> Iterator[int]:
    """The page table that is created for a device on an IOAS of its own."""
    ioas = nest.context.ioas_alloc()
    with mock.Device(nest.context, ioas) as device:
        yield device.hwpt
    nest.context.destroy(ioas)


def test_flags_added(three: Recorder, nest: Nest) -> None:
    """Only dirty tracking, whatever else is requested; the end reports all flags."""
    three.tell("second", add_flags=0xFFFFFFFF)
    three.calls()
    with automatic(nest) as hwpt:
        dirty.track(nest.context, hwpt)
    three.calls()[3].has(who="first", hook=ALLOC_DONE, flags=DIRTY, add_flags=DIRTY)
    three.tell("second", add_flags=PARENT | uapi.HWPT_FAULT_ID_VALID)
    with automatic(nest) as hwpt:
        assert errno_of(dirty.track, nest.context, hwpt) == errno.EOPNOTSUPP
    three.calls()[3].has(hook=ALLOC_DONE, flags=0, add_flags=0)


@pytest.mark.parametrize("flags", [0, PARENT, DIRTY])
def test_flags_by_name(one: Recorder, nest: Nest, flags: int) -> None:
    """The flags of a page table allocated by name stay: other devices may have to share it."""
    one.tell("first", add_flags=DIRTY)
    one.calls()
    error = errno_of(dirty.track, nest.context, nest.paging(flags))
    assert error == (0 if flags & DIRTY else errno.EOPNOTSUPP)
    one.calls()[1].has(hook=ALLOC_DONE, flags=flags, add_flags=0)


def test_flags_asked_for_stay(one: Recorder, nest: Nest) -> None:
    """A policy that adds nothing removes nothing."""
    dirty.track(nest.context, nest.paging(DIRTY))
    one.tell("first", add_flags=DIRTY)
    one.calls()
    nest.nested(pt_id=nest.paging(PARENT))
    nested_done = one.calls()[3]
    nested_done.has(hook=ALLOC_DONE, kind=NESTED, flags=0, add_flags=0, ret=0)


def test_limit(three: Recorder, nest: Nest) -> None:
    """The lowest limit counts; limits above the requested number have no effect."""
    nested = nest.nested()
    three.calls()
    three.tell("first", limit=3)
    three.tell("second", limit=2)
    three.tell("third", limit=1000)
    with Stream("iommufd", "iommufd_fail") as stream:
        assert invalidate.page_table(nest.context, nested, 4) == (errno.EAGAIN, 2)
        events = stream.read()
    told = [(e["policy"], e["reason"], e.number("first"), e.number("second")) for e in events]
    assert told == [("second", "limited_by_policy", 2, 4)] or told == [
        ("first", "limited_by_policy", 3, 4),
        ("second", "limited_by_policy", 2, 4),
    ]
    valid = [mock.iotlb(nest.context, nested, i, IOTLB) for i in range(4)]
    assert valid == [False, False, True, True]
    calls = three.calls()
    for call in calls:
        if call.hook == INVALIDATE:
            call.has(asked=4, limit=4)
        else:
            call.has(asked=4, limit=2, handled=2, ret=-errno.EAGAIN)
    assert invalidate.page_table(nest.context, nested, 2) == (0, 2)
    three.tell("second", limit=0)
    assert invalidate.page_table(nest.context, nested, 1) == (errno.EAGAIN, 0)
    assert invalidate.page_table(nest.context, nested, 0) == (0, 0)


def test_delay(three: Recorder, nest: Nest) -> None:
    """The longest delay of all; it is not part of the reported time."""
    nested = nest.nested()
    three.tell("first", delay_ns=10 * MS)
    three.tell("second", delay_ns=150 * MS)
    three.calls()
    start = time.monotonic_ns()
    assert invalidate.page_table(nest.context, nested) == (0, 1)
    assert time.monotonic_ns() - start >= 150 * MS
    ends = [c for c in three.calls() if c.hook == INVALIDATE_DONE]
    assert [c.delay_ns for c in ends] == [150 * MS] * 3
    three.tell("second", delay_ns=1)
    three.tell("first", invalidate=-REFUSED, delay_ns=900 * MS)
    start = time.monotonic_ns()
    assert invalidate.page_table(nest.context, nested) == (REFUSED, 0)
    assert time.monotonic_ns() - start < 900 * MS, "a refused request does not wait"


def test_time_without_delay(one: Recorder, nest: Nest) -> None:
    """The shortest of several: a guest's CPU may be preempted at any time."""
    nested = nest.nested()
    one.tell("first", delay_ns=100 * MS)
    for _ in range(5):
        invalidate.page_table(nest.context, nested)
    assert min(c.ns for c in one.calls() if c.hook == INVALIDATE_DONE) < 100 * MS


def test_cgroup(nest: Nest) -> None:
    """A cgroup and its descendants, neither ancestors nor siblings."""
    with cgroup.cgroup() as group, cgroup.cgroup(group) as below, cgroup.cgroup() as beside:
        with recording("first", "second", first={"cgroup_id": group.id}) as recorder:
            for where, scope in (
                (group, ["first", "second"]),
                (below, ["first", "second"]),
                (beside, ["second"]),
            ):
                with where.inside():
                    nest.paging()
                calls = [c for c in recorder.calls() if c.hook == ALLOC]
                assert [c.who for c in calls] == scope
                assert {c.cgroup_id for c in calls} == {where.id}
            nest.paging()
            assert recorder.seen() == [("second", ALLOC), ("second", ALLOC_DONE)]


def test_cgroup_is_of_the_task(nest: Nest) -> None:
    """The cgroup of the task that makes the request, not of the one that opened the context."""
    with cgroup.cgroup() as group, recording("first", first={"cgroup_id": group.id}) as recorder:

        def body(child: Child) -> None:
            child.pause()
            nest.context.destroy(nest.context.hwpt_alloc(nest.device.device, nest.ioas))

        with Child(body) as child:
            child.met()
            group.enter(child.pid)
        assert recorder.seen() == [("first", hook) for hook in (ALLOC, ALLOC_DONE, FREE)]


def test_free_is_told_to_who_saw_it(nest: Nest) -> None:
    """Whichever cgroup the freeing task is in, and only to policies that saw the start."""
    with cgroup.cgroup() as group:
        with recording("first", first={"cgroup_id": group.id}) as recorder:
            outside = nest.paging()
            with group.inside():
                inside = nest.paging()
            recorder.attach("second")
            both = nest.paging()
            recorder.calls()
            with group.inside():
                nest.destroy(outside)
            assert recorder.seen() == []
            nest.destroy(inside)
            assert recorder.seen() == [("first", FREE)]
            nest.destroy(both)
            assert recorder.seen() == [("second", FREE)]


def test_free_after_detach(nest: Nest) -> None:
    """A detached link receives nothing, nor does its policy through another link."""
    with recording("first", "second") as recorder:
        hwpt = nest.paging()
        recorder.detach("first")
        recorder.attach("first")
        recorder.calls()
        nest.destroy(hwpt)
        assert recorder.seen() == [("second", FREE)]


def test_update(nest: Nest) -> None:
    """A new policy in the same link, which still knows what the link has seen."""
    with recording("first") as recorder:
        hwpt = nest.paging()
        recorder.links["first"].update(recorder.map("second"))
        recorder.calls()
        nest.paging()
        nest.destroy(hwpt)
        assert recorder.seen() == [("second", hook) for hook in (ALLOC, ALLOC_DONE, FREE)]


def test_update_changes_place_and_scope(nest: Nest) -> None:
    with cgroup.cgroup() as group:
        members = {"third": {"priority": 9, "cgroup_id": group.id}}
        with recording("first", "second", **members) as recorder:
            recorder.links["second"].update(recorder.map("third"))
            nest.paging()
            with group.inside():
                nest.paging()
            asked = [who for who, hook in recorder.seen() if hook == ALLOC]
            assert asked == ["first", "third", "first"]


def test_update_leaves_no_gap(nest: Nest) -> None:
    """At any moment, one of the two refuses."""
    with recording("first") as recorder:
        for name in ("first", "second"):
            recorder.tell(name, alloc=-REFUSED, quiet=True)

        def try_it(stop: Callable[[], bool]) -> None:
            while not stop():
                with fails(REFUSED):
                    nest.context.hwpt_alloc(nest.device.device, nest.ioas)

        with Workers(try_it, try_it) as workers:
            end = time.monotonic() + 2
            while time.monotonic() < end or not recorder.count("second", ALLOC):
                for name in ("second", "first"):
                    recorder.links["first"].update(recorder.map(name))
                workers.check()


@pytest.mark.parametrize("change", ["detach", "update"])
@pytest.mark.parametrize("request_of", ["alloc", "invalidate"])
def test_changed_in_the_middle(nest: Nest, change: str, request_of: str) -> None:
    """A policy that has seen a start sees its end, and the kernel waits for it."""
    nested = nest.nested()
    with recording("first") as recorder:
        recorder.tell("first", stay=True)
        calls = {
            "alloc": (lambda: nest.paging(), ALLOC, ALLOC_DONE),
            "invalidate": (
                lambda: invalidate.page_table(nest.context, nested),
                INVALIDATE,
                INVALIDATE_DONE,
            ),
        }
        call, start, done = calls[request_of]
        thread = threading.Thread(target=call)
        thread.start()
        recorder.wait_for(start)
        if change == "detach":
            recorder.detach("first")
        else:
            recorder.links["first"].update(recorder.map("second"))
        assert thread.is_alive()
        assert recorder.seen() == []
        recorder.tell("first")
        thread.join()
        assert recorder.seen() == [("first", done)]
        # The policy does not see later requests.
        call()
        assert ("first", start) not in recorder.seen()


def storm(nest: Nest, nested: int, stop: Callable[[], bool]) -> None:
    """Requests of all kinds, until told to stop."""
    context, device = nest.context, nest.device.device
    while not stop():
        context.destroy(context.hwpt_alloc(device, nest.ioas))
        invalidate.page_table(context, nested, 4)
        ioas = context.ioas_alloc()
        mock.Device(context, ioas).close()
        context.destroy(ioas)


def test_changed_under_load(nest: Nest) -> None:
    """Attached, updated and detached while requests run: every start has one end."""
    nested = nest.nested()
    works = [partial(storm, nest, nested) for _ in range(4)]
    with recording() as recorder:
        for name in NAMES:
            recorder.tell(name, quiet=True)
        recorder.attach("third")
        rounds = 0
        with Workers(*works) as workers:
            end = time.monotonic() + 4
            # Until every policy was called, however slow the machine.
            while time.monotonic() < end or not all(recorder.count(n, ALLOC) for n in NAMES):
                recorder.attach("first")
                recorder.links["first"].update(recorder.map("second"))
                recorder.links["first"].update(recorder.map("first"))
                recorder.links["first"].update(recorder.map("second"))
                recorder.detach("first")
                rounds += 1
                workers.check()
        assert rounds
        for name in NAMES:
            counts = [recorder.count(name, hook) for hook in FUNCTIONS]
            assert counts[0] == counts[1], f"{name}: allocations without an end"
            assert counts[3] == counts[4], f"{name}: invalidations without an end"
        # Attached all the time, it has seen each page table come and go.
        assert recorder.count("third", FREE) == recorder.count("third", ALLOC_DONE) > 0


def test_no_lock_is_held(nest: Nest, buffer: mem.Buffer) -> None:
    """While a policy is slow, the rest of the context continues."""
    context = nest.context
    with recording("first") as recorder:
        recorder.tell("first", stay=True)
        other = context.ioas_alloc()
        threads = [
            threading.Thread(target=nest.paging),
            threading.Thread(target=lambda: mock.Device(context, other).close()),
        ]
        for thread in threads:
            thread.start()
            recorder.wait_for(ALLOC)
        for ioas in (nest.ioas, other):
            iova = context.map(ioas, buffer)
            context.unmap(ioas, iova, buffer.size)
            context.iova_ranges(ioas)
            context.destroy(context.ioas_alloc())
        assert all(thread.is_alive() for thread in threads)
        recorder.tell("first")
        for thread in threads:
            thread.join()
    context.destroy(other)
