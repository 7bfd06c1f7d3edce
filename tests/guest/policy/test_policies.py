# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The policies of bpf/, each from end to end."""

import ctypes
import errno
import json
import os
import signal
import statistics
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import cgroup
import pytest
from bpfobject import Map, Object, attached, path_of
from child_process import Child
from errnos import errno_of, fails
from failnth import sweep
from iommufd import dirty, edu, invalidate, mem, mock, mock_uapi, uapi
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.nest import Nest
from iommufd.pins import NOBODY, unprivileged
from iommufd.trace import Stream
from policy_recorder import ALLOC_DONE, INVALIDATE, INVALIDATE_DONE, recording
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="bpf")

QUOTA = errno.EDQUOT
BY_UID, BY_CGROUP = 0, 1
DIRTY = uapi.HWPT_ALLOC_DIRTY_TRACKING
MEMLOCK = 64 << 10
S = 1_000_000_000
# A limit for waits that depend on a machine that may be slow.
LONG = 30.0


def quota(limit: int, by: int = BY_UID) -> bytes:
    """Settings of the policy of that name."""
    return struct.pack("II", limit, by)


def owned(policy: Object, owner: int) -> int:
    """The number of page tables that the quota policy counts for an owner."""
    value = policy.map("owners").get(struct.pack("Q", owner))
    return struct.unpack("Q", value or bytes(8))[0]


def fill(nest: Nest, count: int) -> list[int]:
    """Allocates this many page tables, and not one more."""
    made = [nest.paging() for _ in range(count)]
    with fails(QUOTA):
        nest.paging()
    return made


@pytest.mark.guest(mock=True)
def test_quota(nest: Nest) -> None:
    """A freed page table can be replaced by a new one."""
    with attached("quota", quota(3)) as policy:
        made = fill(nest, 3)
        nest.destroy(made[1])
        fill(nest, 1)
        for hwpt in made[::2]:
            nest.destroy(hwpt)
        fill(nest, 2)
        assert owned(policy, 0) == 3


@pytest.mark.guest(mock=True)
def test_quota_tells_who_refused(nest: Nest) -> None:
    with attached("quota", quota(1)), Stream("iommufd", "iommufd_fail") as stream:
        fill(nest, 1)
        (event,) = stream.read()
        assert (event["policy"], event["reason"]) == ("quota", "denied_by_policy")
        assert event.number("ret") == -QUOTA


@pytest.mark.guest(mock=True)
def test_quota_counts_nested_and_automatic(nest: Nest) -> None:
    """All kinds count; a device on an existing page table costs nothing."""
    with attached("quota", quota(3)):
        nested = nest.nested()
        other, third = nest.context.ioas_alloc(), nest.context.ioas_alloc()
        with mock.Device(nest.context, other), mock.Device(nest.context, other):
            fill(nest, 1)
            for refused in (nest.nested, lambda: mock.Device(nest.context, third)):
                with fails(QUOTA):
                    refused()
        fill(nest, 1)
        nest.destroy(nested)
        fill(nest, 1)
        for ioas in (other, third):
            nest.context.destroy(ioas)


@pytest.mark.guest(mock=True)
def test_quota_of_automatic(context: Context, ioas: int) -> None:
    """A refused device is not attached, but can be attached later."""
    with attached("quota", quota(1)) as policy:
        other = context.ioas_alloc()
        with mock.Device(context, ioas) as device:
            with fails(QUOTA):
                mock.Device(context, other)
            with fails(QUOTA):
                device.replace(other)
            assert owned(policy, 0) == 1
        with mock.Device(context, other):
            assert owned(policy, 0) == 1
        assert owned(policy, 0) == 0


@pytest.mark.guest(mock=True)
def test_quota_of_users(nest: Nest) -> None:
    """Each user has a quota."""
    with attached("quota", quota(2)):
        fill(nest, 2)

        def body(_: Child) -> None:
            with unprivileged(MEMLOCK):
                for _ in range(2):
                    nest.context.hwpt_alloc(nest.device.device, nest.ioas)
                with fails(QUOTA):
                    nest.context.hwpt_alloc(nest.device.device, nest.ioas)

        before = set(ids(nest))
        with Child(body):
            pass
        for hwpt in set(ids(nest)) - before:
            nest.context.destroy(hwpt)


def ids(nest: Nest) -> list[int]:
    """Page tables of the IOAS that can be destroyed, found by trying to track with them."""
    got = []
    for each in range(1, 48):
        if errno_of(dirty.track, nest.context, each) != errno.ENOENT:
            got.append(each)
    return got


@pytest.mark.guest(mock=True)
def test_quota_of_cgroups(nest: Nest) -> None:
    """Each cgroup has a quota, whichever user is in it."""
    with attached("quota", quota(2, BY_CGROUP)) as policy:
        fill(nest, 2)
        with cgroup.cgroup() as first, cgroup.cgroup() as second:
            for group in (first, second):
                with group.inside():
                    fill(nest, 2)
                assert owned(policy, group.id) == 2
        assert owned(policy, cgroup.id_of(cgroup.ROOT)) == 2


@pytest.mark.guest(mock=True)
def test_quota_freed_by_another(nest: Nest) -> None:
    """A free is credited to the owner of the page table, whichever task frees it."""
    with attached("quota", quota(2)) as policy:
        made = fill(nest, 2)

        def body(_: Child) -> None:
            with unprivileged(MEMLOCK):
                for hwpt in made:
                    nest.context.destroy(hwpt)

        with Child(body):
            pass
        for hwpt in made:
            nest.forget(hwpt)
        assert owned(policy, 0) == 0
        assert owned(policy, NOBODY) == 0
        fill(nest, 2)


@pytest.mark.guest(mock=True)
def test_quota_given_back_with_context(nest: Nest) -> None:
    with attached("quota", quota(3)) as policy:
        with Nest() as other:
            fill(other, 1)
            assert owned(policy, 0) == 3
        assert owned(policy, 0) == 0
        fill(nest, 3)


@pytest.mark.guest(mock=True)
def test_quota_refused_by_another(nest: Nest) -> None:
    """A request that another policy or the driver refuses does not count."""
    with attached("quota", quota(1)) as policy, recording("first") as recorder:
        recorder.tell("first", alloc=-errno.EACCES)
        for _ in range(3):
            with fails(errno.EACCES):
                nest.paging()
        recorder.detach("first")
        with fails(errno.EOPNOTSUPP):
            nest.nested(data_type=0xFFFFFFFF)
        assert owned(policy, 0) == 0
        fill(nest, 1)


@pytest.mark.guest(mock=True)
def test_quota_changed(nest: Nest) -> None:
    """While the policy is attached: the new setting applies to later requests."""
    with attached("quota", quota(1)) as policy:
        fill(nest, 1)
        policy.map("settings")[bytes(4)] = quota(3)
        fill(nest, 2)
        policy.map("settings")[bytes(4)] = quota(1)
        with fails(QUOTA):
            nest.paging()
        policy.map("settings")[bytes(4)] = quota(0)
        for _ in range(5):
            nest.paging()


@pytest.mark.guest(mock=True)
def test_quota_under_load(nest: Nest) -> None:
    """Never more than allowed, and the count never drifts."""
    most, threads, rounds = 3, 6, 60
    level, peak = 0, 0
    lock = threading.Lock()
    refused = 0

    def work(_: object) -> None:
        nonlocal level, peak, refused
        for _ in range(rounds):
            try:
                hwpt = nest.context.hwpt_alloc(nest.device.device, nest.ioas)
            except OSError as error:
                assert error.errno == QUOTA
                refused += 1
                continue
            with lock:
                level += 1
                peak = max(peak, level)
            # Stop counting before it is freed.
            with lock:
                level -= 1
            nest.context.destroy(hwpt)

    with attached("quota", quota(most)) as policy:
        with Workers(*[work] * threads) as workers:
            workers.join()
        assert 0 < peak <= most
        assert owned(policy, 0) == 0
        assert list(policy.map("hwpts")) == []


@dataclass
class Guest:
    """A guest that sends invalidations."""

    nest: Nest
    hwpt: int

    def flood(self, seconds: float, count: int) -> tuple[int, float]:
        """Requests without a pause for a while; returns handled entries and the time."""
        handled, start = 0, time.monotonic()
        while (elapsed := time.monotonic() - start) < seconds:
            assert invalidate.page_table(self.nest.context, self.hwpt, count) == (0, count)
            handled += count
        return handled, elapsed

    def latencies(self, count: int) -> list[float]:
        """The latency of single entries, one after the other."""
        found = []
        for _ in range(count):
            start = time.monotonic()
            assert invalidate.page_table(self.nest.context, self.hwpt) == (0, 1)
            found.append(time.monotonic() - start)
        return found


@pytest.fixture
def guest(nest: Nest) -> Guest:
    return Guest(nest, nest.nested())


@contextmanager
def flooder() -> Iterator[None]:
    """Another process that floods a context of its own during the body."""

    def body(child: Child) -> None:
        with Nest() as nest:
            guest = Guest(nest, nest.nested())
            child.pause()
            stop = threading.Event()
            thread = threading.Thread(target=lambda: (child.pause(), stop.set()))
            thread.start()
            while not stop.is_set():
                guest.flood(0, 1)
                invalidate.page_table(nest.context, guest.hwpt, 50)
            thread.join()

    with Child(body) as child:
        child.met()
        child.go_on()
        child.met()
        yield
        child.go_on()


def bucket(rate: int, burst: int) -> bytes:
    """Settings of the policy of that name."""
    return struct.pack("QQ", rate, burst)


# The most entries of a request.
MOST = 1 << 19


def ask(guest: Guest, count: int) -> int:
    """Sends a request that may be handled in part; returns the number of handled entries."""
    entries = (mock_uapi.HwptInvalidateSelftest * count)()
    fields = {
        "data_uptr": ctypes.addressof(entries),
        "entry_len": ctypes.sizeof(entries) // count,
        "entry_num": count,
    }
    error, handled = invalidate.page_table(guest.nest.context, guest.hwpt, 0, **fields)
    assert error == (errno.EAGAIN if handled < count else 0)
    return handled


def drain(guest: Guest, seconds: float, count: int) -> tuple[int, float]:
    """Like flood(), with requests that may be handled in part."""
    handled, start = 0, time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        handled += ask(guest, count)
    return handled, elapsed


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize("burst", [0, 1000])
@pytest.mark.parametrize("count", [1, 200, 1000, MOST])
def test_bucket_of_sizes(guest: Guest, count: int, burst: int) -> None:
    """The rate holds for requests that need less than a second, one second, and many seconds."""
    rate = 200
    with attached("bucket", bucket(rate, burst)):
        handled, elapsed = drain(guest, 1.5, count)
    assert rate * elapsed * 0.3 <= handled <= burst + rate * elapsed


@pytest.mark.guest(mock=True)
def test_bucket_in_parts(guest: Guest) -> None:
    """As many as a second allows, then the rest; no entry is lost or handled twice."""
    with recording("first") as recorder, attached("bucket", bucket(1000, 0)):
        sizes: list[int] = []
        while sum(sizes) < 2500:
            sizes.append(ask(guest, 2500 - sum(sizes)))
        done = [call for call in recorder.calls() if call.hook == INVALIDATE_DONE]
    assert sizes == [1000, 1000, 500]
    assert [call.handled for call in done] == sizes
    assert all(call.delay_ns <= S for call in done)


@pytest.mark.guest(mock=True)
def test_bucket_asked_for_the_type(guest: Guest) -> None:
    """A request without entries costs nothing and does not wait."""
    with recording("first") as recorder, attached("bucket", bucket(1, 1)):
        invalidate.page_table(guest.nest.context, guest.hwpt, 2)
        recorder.calls()
        assert invalidate.page_table(guest.nest.context, guest.hwpt, 0) == (0, 0)
        recorder.calls()[1].has(hook=INVALIDATE_DONE, delay_ns=0)


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize(
    "settings", [(1 << 63, 1), (uapi.U64_MAX, uapi.U64_MAX), (1, uapi.U64_MAX)], ids=str
)
def test_bucket_of_huge_settings(guest: Guest, settings: tuple[int, int]) -> None:
    """With these settings, any request passes."""
    with attached("bucket", bucket(*settings)):
        assert ask(guest, MOST) == MOST


def delayed(buckets: Map) -> list[int]:
    """The number of delayed requests of each context."""
    return [struct.unpack("3Q", buckets.get(key) or bytes(24))[1] for key in list(buckets)]


@pytest.mark.guest(mock=True)
def test_bucket_rate(guest: Guest) -> None:
    """A flooding guest gets about the rate, and no more."""
    rate, burst, count = 2000, 400, 40
    with attached("bucket", bucket(rate, burst)):
        handled, elapsed = guest.flood(3, count)
    assert handled <= burst + rate * elapsed + count
    assert handled >= rate * elapsed * 0.3
    free, free_elapsed = guest.flood(0.5, count)
    assert free / free_elapsed > handled / elapsed


@pytest.mark.guest(mock=True)
def test_bucket_burst(guest: Guest) -> None:
    """The burst at once, then no faster than the rate."""
    with attached("bucket", bucket(100, 50)) as policy:
        assert invalidate.page_table(guest.nest.context, guest.hwpt, 50) == (0, 50)
        assert sum(delayed(policy.map("buckets"))) == 0
        start = time.monotonic()
        assert invalidate.page_table(guest.nest.context, guest.hwpt, 50) == (0, 50)
        handled_after = time.monotonic() - start
        # Some of the time may have passed before the measurement began.
        assert sum(delayed(policy.map("buckets"))) == 1 or handled_after < 0.5


@pytest.mark.guest(mock=True)
def test_bucket_of_contexts(guest: Guest) -> None:
    """A context that keeps to its rate has the same latency as when it is alone."""
    with attached("bucket") as policy, flooder():
        medians: dict[bool, list[float]] = {False: [], True: []}
        for limited in (False, True) * 3:
            policy.map("settings")[bytes(4)] = bucket(20000 if limited else 0, 20000)
            medians[limited].append(statistics.median(guest.latencies(40)))
        waits = delayed(policy.map("buckets"))
    assert min(medians[True]) <= 5 * min(medians[False])
    # If any context had to wait, it was the flooding one.
    assert sorted(waits)[:-1] == [0] * (len(waits) - 1)


@pytest.mark.guest(mock=True)
def test_bucket_delays_who_floods_alone(guest: Guest) -> None:
    """A context does not wait when another one always does."""
    with attached("bucket", bucket(1000, 100)) as policy, flooder():
        end = time.monotonic() + LONG
        while not sum(delayed(policy.map("buckets"))):
            assert time.monotonic() < end
            time.sleep(0.01)
        guest.latencies(20)
        waits = delayed(policy.map("buckets"))
    assert len(waits) == 2
    assert min(waits) == 0 < max(waits)


@pytest.mark.guest(mock=True)
def test_bucket_of_one_entry_a_second(guest: Guest) -> None:
    """A request waits for at most a second, and gets the burst and the entries of that second."""
    with recording("first") as recorder, attached("bucket", bucket(1, 1)):
        start = time.monotonic()
        got = invalidate.page_table(guest.nest.context, guest.hwpt, 1000)
        assert got == (errno.EAGAIN, 2)
        elapsed = time.monotonic() - start
        done = [call for call in recorder.calls() if call.hook == INVALIDATE_DONE]
    assert [call.delay_ns for call in done] == [S]
    assert 1 <= elapsed < LONG


@pytest.mark.guest(mock=True)
def test_bucket_killed(guest: Guest) -> None:
    """A delay ends with its process; nothing is invalidated then."""
    with recording("first") as recorder, attached("bucket", bucket(1, 1)):

        def body(child: Child) -> None:
            child.pause()
            while True:
                invalidate.page_table(guest.nest.context, guest.hwpt, 1000)

        with pytest.raises(AssertionError, match="ended with -9"), Child(body) as child:
            child.met()
            child.go_on()
            recorder.wait_for(INVALIDATE)
            os.kill(child.pid, signal.SIGKILL)
        done = [call for call in recorder.calls() if call.hook == INVALIDATE_DONE]
    assert (done[-1].ret, done[-1].handled) == (-errno.EINTR, 0)


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize("count", [20, 5000])
def test_bucket_of_threads(guest: Guest, count: int) -> None:
    """The threads of a context share its rate."""
    rate, burst = 2000, 200
    results: list[tuple[int, float]] = []
    with attached("bucket", bucket(rate, burst)):
        start = time.monotonic()
        works = [lambda _: results.append(drain(guest, 2, count))] * 4
        with Workers(*works) as workers:
            workers.join()
        elapsed = time.monotonic() - start
    assert len(results) == 4
    assert sum(handled for handled, _ in results) <= burst + rate * elapsed


def written(context: Context, ioas: int, hwpt: int, buffer: mem.Buffer) -> None:
    """A page table reports writes to these pages."""
    iova = mock.START + (1 << 24)
    # One by one, to keep them from becoming a larger page, which is marked as a whole.
    for at in range(0, 4 * PAGE, PAGE):
        context.map(ioas, buffer.address + at, PAGE, iova=iova + at)
    dirty.track(context, hwpt)
    dirty.mark(context, hwpt, iova, [2, 7])
    assert dirty.read(context, hwpt, iova, 4 * PAGE, PAGE) == [1, 3]
    assert dirty.read(context, hwpt, iova, 4 * PAGE, PAGE) == []
    context.unmap(ioas, iova, 4 * PAGE)


@pytest.mark.guest(mock=True)
def test_dirty(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Automatic page tables, for which no request can ask for tracking."""
    for policy in (False, True, False):
        with ExitStack() as stack:
            if policy:
                stack.enter_context(attached("dirty"))
            device = stack.enter_context(mock.Device(context, ioas))
            if policy:
                written(context, ioas, device.hwpt, buffer)
            else:
                assert errno_of(dirty.track, context, device.hwpt) == errno.EOPNOTSUPP


@pytest.mark.guest(mock=True)
def test_dirty_asked_for(nest: Nest, buffer: mem.Buffer) -> None:
    """By name: a request for tracking gets it, a request without gets what it asks for."""
    with attached("dirty"):
        for flags in (DIRTY, DIRTY | uapi.HWPT_ALLOC_NEST_PARENT):
            written(nest.context, nest.ioas, nest.paging(flags), buffer)
        for flags in (0, uapi.HWPT_ALLOC_NEST_PARENT):
            hwpt = nest.paging(flags)
            assert errno_of(dirty.track, nest.context, hwpt) == errno.EOPNOTSUPP


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize("policy", [False, True])
def test_dirty_and_who_cannot(
    context: Context, ioas: int, buffer: mem.Buffer, policy: bool
) -> None:
    """A device whose IOMMU lacks tracking attaches to the same targets as without the policy."""
    cannot = mock_uapi.MOCK_FLAGS_DEVICE_NO_DIRTY
    context.map(ioas, buffer, iova=mock.START)
    with ExitStack() as stack:
        if policy:
            stack.enter_context(attached("dirty"))
        first = stack.enter_context(mock.Device(context, ioas))
        named = context.hwpt_alloc(first.device, ioas)
        for target in (ioas, named, first.hwpt):
            with mock.Device(context, target, cannot) as device:
                device.check(mock.START, buffer, buffer.size)
                # Of automatic page tables, it gets another one if the existing one tracks.
                wanted = named if target == named else first.hwpt
                assert (device.hwpt == wanted) is (target == named or not policy)
        other = context.ioas_alloc()
        with mock.Device(context, other, cannot) as device:
            for target in (named, first.hwpt, ioas):
                device.replace(target)
                device.check(mock.START, buffer, buffer.size)
                device.replace(other)
        context.destroy(other)
        context.destroy(named)


@pytest.mark.guest(mock=True)
def test_dirty_fails_alone(context: Context, ioas: int) -> None:
    """A page table that cannot be created with tracking is created without."""
    devices: list[mock.Device] = []
    tracks: list[bool] = []

    def done() -> None:
        tracks.append(not errno_of(dirty.track, context, devices[-1].hwpt))
        devices.pop().close()

    def attach() -> None:
        devices.append(mock.Device(context, ioas))

    with attached("dirty"), recording("first") as recorder:
        sweep(attach, lambda: None, done)
        made = [c for c in recorder.calls() if c.hook == ALLOC_DONE and not c.ret]
    assert set(tracks) == {False, True}
    assert tracks[-1]
    assert [bool(call.flags) for call in made] == tracks


@pytest.mark.guest(mock=True)
def test_dirty_not_supported(buffer: mem.Buffer) -> None:
    """A device whose IOMMU lacks tracking is served as without the policy."""
    with attached("dirty"), Nest(mock_uapi.MOCK_FLAGS_DEVICE_NO_DIRTY) as nest:
        for hwpt in (nest.device.hwpt, nest.paging(), nest.parent):
            assert errno_of(dirty.track, nest.context, hwpt) == errno.EOPNOTSUPP
        nest.device.check(mock.START, nest.buffer, PAGE)
        with fails(errno.EOPNOTSUPP):
            nest.paging(DIRTY)
        nest.finish()


@pytest.mark.guest(mock=True)
def test_dirty_and_nested(nest: Nest) -> None:
    """Nested page tables are as without the policy."""
    with attached("dirty"), recording("first") as recorder:
        nested = nest.nested()
        on_viommu = nest.nested(on=nest.viommu())
        flags = [(call.hook, call.flags, call.add_flags, call.ret) for call in recorder.calls()]
        for hwpt in (nested, on_viommu):
            assert invalidate.page_table(nest.context, hwpt) == (0, 1)
    assert {f[1:] for f in flags} == {(0, 0, 0)}


def test_dirty_on_hardware(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """With a real IOMMU, with tracking or not, DMA works."""
    with attached("dirty"):
        context.map(ioas, buffer, iova=0x100000)
        with edu.Edu(context, ioas) as device:
            device.dma_read(0x100000)
            device.dma_write(0x100000 + PAGE)
        assert buffer.read(0, PAGE) == buffer.read(PAGE, PAGE)


AUDIT = struct.Struct("=3Q9Ii16s")
AUDIT_ALLOC, AUDIT_FREE, AUDIT_INVALIDATE = 1, 2, 3


@dataclass(frozen=True)
class Record:
    """struct audit_record"""

    time_ns: int
    cgroup_id: int
    ns: int
    kind: int
    tgid: int
    uid: int
    ctx: int
    object: int
    device: int
    flags: int
    asked: int
    handled: int
    ret: int
    comm: bytes

    def what(self) -> tuple[int, ...]:
        """The call, without the times and the caller."""
        return (self.kind, self.object, self.device, self.flags, self.asked, self.handled, self.ret)


def audit(policy: Object) -> list[Record]:
    """The records since the last time."""
    return [Record(*AUDIT.unpack(data)) for data in policy.map("records").records()]


@pytest.mark.guest(mock=True)
def test_audit(nest: Nest) -> None:
    with attached("audit") as policy:
        device = nest.device.device
        hwpt = nest.paging(DIRTY)
        nested = nest.nested()
        invalidate.page_table(nest.context, nested, 3)
        with fails(errno.EOPNOTSUPP):
            nest.nested(data_type=0xFFFFFFFF)
        nest.destroy(hwpt)
        records = audit(policy)
    assert [r.what() for r in records] == [
        (AUDIT_ALLOC, hwpt, device, DIRTY, 0, 0, 0),
        (AUDIT_ALLOC, nested, device, 0, 0, 0, 0),
        (AUDIT_INVALIDATE, nested, 0, 0, 3, 3, 0),
        (AUDIT_ALLOC, 0, device, 0, 0, 0, -errno.EOPNOTSUPP),
        (AUDIT_FREE, hwpt, 0, 0, 0, 0, 0),
    ]
    comm = open("/proc/self/comm").read().strip().encode()
    who = (os.getpid(), 0, cgroup.id_of(cgroup.ROOT), comm)
    assert {(r.tgid, r.uid, r.cgroup_id, r.comm.rstrip(b"\0")) for r in records} == {who}
    assert len({r.ctx for r in records}) == 1
    times = [r.time_ns for r in records]
    assert times == sorted(times)
    assert all(r.ns > 0 for r in records if r.kind != AUDIT_FREE and not r.ret)


@pytest.mark.guest(mock=True)
def test_audit_of_refusals(nest: Nest) -> None:
    """Called last, it does not see requests that others refuse, unless its priority is higher."""

    def high(unloaded: Object) -> None:
        unloaded.map("audit").members.priority = 1000

    with attached("quota", quota(1)), ExitStack() as stack:
        policy = stack.enter_context(attached("audit"))
        early = stack.enter_context(attached("audit", prepare=high))
        fill(nest, 1)
        assert [r.ret for r in audit(policy)] == [0]
        assert [r.ret for r in audit(early)] == [0, -QUOTA]


@pytest.mark.guest(mock=True)
def test_audit_log_is_full(nest: Nest) -> None:
    """When the log is full, records are lost and counted, and nothing else happens."""
    with attached("audit") as policy:
        nested = nest.nested()
        for _ in range(5000):
            assert invalidate.page_table(nest.context, nested) == (0, 1)
        kept = len(audit(policy))
        (lost,) = struct.unpack("Q", policy.map(".bss").get(bytes(4)) or bytes(8))
    assert kept < 5001
    assert kept + lost == 5001


def bpftool(*arguments: str) -> str:
    """Returns its output."""
    command = ["/usr/sbin/bpftool", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def bpffs(tmp_path: Path) -> Iterator[Path]:
    """A BPF file system for pins."""
    subprocess.run(["mount", "-t", "bpf", "bpf", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.guest(mock=True)
def test_bpftool(nest: Nest, bpffs: Path) -> None:
    """As docs/policies.md says: no program remains that keeps it attached."""
    path = bpffs / "quota"
    command = [
        "/usr/sbin/bpftool",
        "struct_ops",
        "register",
        str(path_of("policy_quota")),
        str(bpffs),
    ]
    # After all work is done, it looks for a type of the module in the kernel, to print it.
    status = subprocess.run(command, check=False).returncode
    assert status in (0, -signal.SIGSEGV)
    assert path.exists()
    value = quota(2).hex(" ").split()
    zero = ["0"] * 4
    bpftool("map", "update", "name", "settings", "key", *zero, "value", "hex", *value)
    fill(nest, 2)
    owners = json.loads(bpftool("-j", "map", "dump", "name", "owners"))
    assert [entry["formatted"] for entry in owners] == [{"key": 0, "value": 2}]
    path.unlink()
    # The link of a removed file is released a moment later.
    end = time.monotonic() + LONG
    while errno_of(nest.paging):
        assert time.monotonic() < end, "it is still attached"
    for _ in range(3):
        nest.paging()
