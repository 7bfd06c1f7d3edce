# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Policies that return invalid values, and that go away at the worst moment."""

import errno
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cgroup
import pytest
from child_process import Child
from errnos import errno_of, fails
from failnth import sweep
from iommufd import invalidate, mock, mock_uapi, uapi
from iommufd.ctx import Context
from iommufd.nest import CACHE, IOTLB, Nest
from iommufd.trace import Stream
from policy_recorder import (
    ALLOC,
    ALLOC_DONE,
    FREE,
    INVALIDATE,
    INVALIDATE_DONE,
    Recorder,
    recording,
)

pytestmark = pytest.mark.guest(kernels="bpf", mock=True)

S = 1_000_000_000
MS = 1_000_000
# A limit for waits that depend on a machine that may be slow.
LONG = 30.0
REFUSED = errno.EACCES
U64_MAX = uapi.U64_MAX
NESTED = 3
VIRT_ID = 0x99


@pytest.fixture
def one() -> Iterator[Recorder]:
    """One attached policy."""
    with recording("first") as recorder:
        yield recorder


# Values that are no errno known to user space: the request is refused with EPERM.
NONSENSE = {
    "one": 1,
    "positive": 4096,
    "highest": (1 << 31) - 1,
    "restart": -512,
    "last-of-the-kernel": -4095,
    "beyond": -4096,
    "lowest": -(1 << 31),
    # The hook returns an int.
    "low-half": (1 << 32) + 1,
    "lowest-of-64": -(1 << 63) + 5,
}
ERRNOS = (errno.EPERM, errno.EINTR, errno.EAGAIN, errno.EINVAL, errno.EOPNOTSUPP, errno.EDQUOT, 511)


@pytest.mark.parametrize("value", NONSENSE.values(), ids=list(NONSENSE))
def test_returns_nonsense(one: Recorder, nest: Nest, value: int) -> None:
    nested = nest.nested()
    one.tell("first", alloc=value, invalidate=value)
    one.calls()
    other = nest.context.ioas_alloc()
    with Stream("iommufd", "iommufd_fail") as stream:
        with fails(errno.EPERM):
            nest.paging()
        with fails(errno.EPERM):
            mock.Device(nest.context, other)
        assert invalidate.page_table(nest.context, nested) == (errno.EPERM, 0)
        events = stream.read()
    assert [(e["policy"], e.number("ret")) for e in events] == [("first", -errno.EPERM)] * 3
    ends = [c.ret for c in one.calls() if c.hook in (ALLOC_DONE, INVALIDATE_DONE)]
    assert ends == [-errno.EPERM] * 3
    assert mock.iotlb(nest.context, nested, 0, IOTLB)
    nest.context.destroy(other)


@pytest.mark.parametrize("error", ERRNOS)
def test_returns_errno(one: Recorder, nest: Nest, error: int) -> None:
    """The user gets this errno, whatever it means inside the kernel."""
    nested = nest.nested()
    one.tell("first", alloc=-error, invalidate=-error)
    with fails(error):
        nest.paging()
    other = nest.context.ioas_alloc()
    with fails(error):
        mock.Device(nest.context, other)
    assert invalidate.page_table(nest.context, nested) == (error, 0)
    nest.context.destroy(other)


def test_low_half_is_zero(one: Recorder, nest: Nest) -> None:
    """The hook returns only an int of the program's result."""
    one.tell("first", alloc=1 << 32)
    nest.paging()


@pytest.mark.parametrize("delay", [S + 1, 1 << 62, 1 << 63, U64_MAX])
def test_delay_is_bounded(one: Recorder, nest: Nest, delay: int) -> None:
    nested = nest.nested()
    one.tell("first", delay_ns=delay)
    one.calls()
    start = time.monotonic()
    assert invalidate.page_table(nest.context, nested) == (0, 1)
    assert 1 <= time.monotonic() - start < LONG
    assert one.calls()[1].delay_ns == S


def test_delay_outlasts_signals(one: Recorder, nest: Nest) -> None:
    """Signals with a handler do not end the delay."""
    nested = nest.nested()
    one.tell("first", delay_ns=400 * MS)
    handled: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: handled.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        start = time.monotonic()
        assert invalidate.page_table(nest.context, nested) == (0, 1)
        assert time.monotonic() - start >= 0.4
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled


@pytest.mark.parametrize("limit", [5, 1 << 19, 0xFFFFFFFF])
def test_limit_above_what_is_asked(one: Recorder, nest: Nest, limit: int) -> None:
    nested = nest.nested()
    one.tell("first", limit=limit)
    assert invalidate.page_table(nest.context, nested, 4) == (0, 4)


def test_limit_and_bad_entry(one: Recorder, nest: Nest) -> None:
    """The driver's errno takes precedence over that of the limit."""
    nested = nest.nested()
    one.tell("first", limit=2)
    got = invalidate.page_table(nest.context, nested, 4, data_type=0xDADBEEF)
    assert got == (errno.EINVAL, 0)


def test_destroyed_in_the_delay(one: Recorder, nest: Nest) -> None:
    """The delay holds nothing: the object can be destroyed, and the request then finds none."""
    nested = nest.nested()
    one.tell("first", delay_ns=S)
    got: list[tuple[int, int]] = []
    thread = threading.Thread(
        target=lambda: got.append(invalidate.page_table(nest.context, nested))
    )
    thread.start()
    one.wait_for(INVALIDATE)
    nest.destroy(nested)
    thread.join()
    assert got == [(errno.ENOENT, 0)]
    assert [c.ret for c in one.calls() if c.hook == INVALIDATE_DONE] == [-errno.ENOENT]


@pytest.mark.parametrize("heir", ["page-table", "viommu"])
def test_id_taken_in_the_delay(one: Recorder, nest: Nest, heir: str) -> None:
    """The object that has the id by then is not the one that the policy approved."""
    nested = nest.nested()
    requests = {
        "page-table": lambda: invalidate.page_table(nest.context, nested),
        "viommu": lambda: invalidate.viommu(nest.context, nested, VIRT_ID),
    }
    one.tell("first", delay_ns=S)
    got: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: got.append(requests[heir]()))
    thread.start()
    one.wait_for(INVALIDATE)
    nest.destroy(nested)
    if heir == "viommu":
        assert nest.viommu() == nested
        nest.vdevice(nested, VIRT_ID)
    else:
        assert nest.nested() == nested
    thread.join()
    assert got == [(errno.ENOENT, 0)]
    (done,) = [c for c in one.calls() if c.hook == INVALIDATE_DONE]
    done.has(object=nested, kind=NESTED, handled=0, ret=-errno.ENOENT)
    if heir == "viommu":
        assert nest.device.cache(0, CACHE)
    else:
        assert mock.iotlb(nest.context, nested, 0, IOTLB)


def test_many_in_the_delay(one: Recorder, nest: Nest) -> None:
    """Each request finds its own object, whatever happens to the others."""
    stays, goes = nest.nested(), nest.nested()
    one.tell("first", delay_ns=S)
    got: dict[int, list[tuple[int, int]]] = {stays: [], goes: []}

    def request(hwpt: int) -> Callable[[], None]:
        return lambda: got[hwpt].append(invalidate.page_table(nest.context, hwpt))

    threads = [threading.Thread(target=request(hwpt)) for hwpt in 2 * (stays, goes)]
    for thread in threads:
        thread.start()
        one.wait_for(INVALIDATE)
    nest.destroy(goes)
    for thread in threads:
        thread.join()
    assert got == {stays: 2 * [(0, 1)], goes: 2 * [(errno.ENOENT, 0)]}


def waits(thread: threading.Thread) -> bool:
    """Whether it sleeps in the kernel until another task finishes."""
    stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "D"


def test_destroy_in_a_hook(one: Recorder, nest: Nest) -> None:
    """The destroy waits: the driver gets the object that the policy saw."""
    nested = nest.nested()
    one.tell("first", stay=True)
    got: list[tuple[int, int]] = []
    request = threading.Thread(
        target=lambda: got.append(invalidate.page_table(nest.context, nested))
    )
    request.start()
    one.wait_for(INVALIDATE)
    destroyer = threading.Thread(target=nest.destroy, args=(nested,))
    destroyer.start()
    end = time.monotonic() + LONG
    while not waits(destroyer):
        assert time.monotonic() < end
        os.sched_yield()
    one.tell("first")
    request.join()
    destroyer.join()
    assert got == [(0, 1)]
    assert one.seen() == [("first", INVALIDATE_DONE), ("first", FREE)]


@pytest.mark.parametrize("how", ["detach", "unload"])
def test_gone_in_the_delay(nest: Nest, how: str) -> None:
    """A delayed request ends as usual although its policy is gone."""
    nested = nest.nested()
    got: list[tuple[int, int]] = []
    with ExitStack() as stack:
        recorder = stack.enter_context(recording("first"))
        recorder.tell("first", delay_ns=S)
        thread = threading.Thread(
            target=lambda: got.append(invalidate.page_table(nest.context, nested))
        )
        thread.start()
        recorder.wait_for(INVALIDATE)
        if how == "detach":
            recorder.detach("first")
        else:
            stack.pop_all().close()
        assert thread.is_alive()
        thread.join()
        assert got == [(0, 1)]
        if how == "detach":
            assert recorder.seen() == [("first", INVALIDATE_DONE)]
    assert not mock.iotlb(nest.context, nested, 0, IOTLB)


def test_process_dies(nest: Nest) -> None:
    """Its attached policies go with it, wherever other requests are at that moment."""
    nested = nest.nested()

    def body(child: Child) -> None:
        with recording("first") as recorder:
            recorder.tell("first", alloc=-REFUSED, delay_ns=S)
            child.pause()
            recorder.wait_for(INVALIDATE)
            child.pause()
            signal.pause()

    got: list[tuple[int, int]] = []
    with pytest.raises(AssertionError, match="ended with -9"), Child(body) as child:
        child.met()
        with fails(REFUSED):
            nest.paging()
        thread = threading.Thread(
            target=lambda: got.append(invalidate.page_table(nest.context, nested))
        )
        thread.start()
        child.go_on()
        child.met()
        os.kill(child.pid, signal.SIGKILL)
    thread.join()
    assert got == [(0, 1)]
    end = time.monotonic() + LONG
    while errno_of(lambda: nest.destroy(nest.paging())):
        assert time.monotonic() < end, "it is still attached"


def test_requester_dies(one: Recorder, nest: Nest) -> None:
    """In a hook, which is completed first."""
    before = one.count("first", ALLOC)
    one.calls()
    one.tell("first", stay=True)

    def body(_: Child) -> None:
        nest.context.hwpt_alloc(nest.device.device, nest.ioas)

    with pytest.raises(AssertionError, match="ended with -9"), Child(body) as child:
        one.wait_for(ALLOC)
        os.kill(child.pid, signal.SIGKILL)
        one.tell("first")
    assert one.count("first", ALLOC) == one.count("first", ALLOC_DONE) == before + 1


def test_context_closed_in_a_hook(one: Recorder) -> None:
    """The request keeps the context until it ends; then all of it is freed."""
    one.tell("first", stay=True)
    context = Context()
    ioas = context.ioas_alloc()
    one.calls()
    thread = threading.Thread(target=lambda: errno_of(mock.Device, context, ioas))
    thread.start()
    one.wait_for(ALLOC)
    context.close()
    one.tell("first")
    thread.join()
    assert [hook for _, hook in one.seen()] == [ALLOC_DONE, FREE]


def test_cgroup_goes(nest: Nest) -> None:
    """A policy does not keep its cgroup: it sees no more requests, and can be detached as usual."""
    with cgroup.cgroup() as group, recording("first", first={"cgroup_id": group.id}) as recorder:
        with group.inside():
            hwpt = nest.paging()
        group.remove()
        recorder.calls()
        nest.paging()
        with cgroup.cgroup() as another, another.inside():
            nest.paging()
        assert recorder.seen() == []
        # It was created within the scope.
        nest.destroy(hwpt)
        assert recorder.seen() == [("first", FREE)]
        recorder.detach("first")
        with fails(errno.ENOENT):
            recorder.attach("first")


def test_caller_leaves_cgroup(nest: Nest) -> None:
    """In the middle of a request: its end reaches the policy with the cgroup of its start."""
    with cgroup.cgroup() as group, recording("first", first={"cgroup_id": group.id}) as recorder:
        recorder.tell("first", stay=True)
        with group.inside():
            thread = threading.Thread(target=nest.paging)
            thread.start()
            start = recorder.wait_for(ALLOC)
        recorder.tell("first")
        thread.join()
        (done,) = recorder.calls()
        done.has(hook=ALLOC_DONE, cgroup_id=group.id)
        start.has(cgroup_id=group.id)


def test_data_changes_behind_it(one: Recorder, nest: Nest) -> None:
    """The driver does not see the data as the policy read it: no decision may rest on it."""
    data = mock_uapi.HwptSelftest(iotlb=1)
    one.calls()
    one.tell("first", stay=True)
    argument = uapi.HwptAlloc(**nest.hwpt_fields(data))
    thread = threading.Thread(target=nest.context.command, args=("HWPT_ALLOC", argument))
    thread.start()
    assert one.wait_for(ALLOC).word == 1
    data.iotlb = 2
    one.tell("first")
    thread.join()
    nest.keep(argument.out_hwpt_id)
    assert mock.iotlb(nest.context, argument.out_hwpt_id, 0, 2)


@pytest.mark.parametrize("automatic", [False, True])
def test_no_memory(nest: Nest, automatic: bool) -> None:
    """Each allocation fails once: starts have their ends, created page tables their frees."""
    with recording("first", "second") as recorder:
        other = nest.context.ioas_alloc()
        made: list[int] = []
        devices: list[mock.Device] = []

        def request() -> None:
            if automatic:
                devices.append(mock.Device(nest.context, other))
            else:
                made.append(nest.context.hwpt_alloc(nest.device.device, nest.ioas))

        def end() -> None:
            while made:
                nest.context.destroy(made.pop())
            while devices:
                devices.pop().close()

        recorder.calls()
        assert sweep(request, end, end) > 0
        for name in ("first", "second"):
            assert recorder.count(name, ALLOC) == recorder.count(name, ALLOC_DONE)
        calls = recorder.calls()
        there = sum(c.hook == ALLOC_DONE and not c.ret for c in calls)
        assert there == sum(c.hook == FREE for c in calls) > 0
        nest.context.destroy(other)
