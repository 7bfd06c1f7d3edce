# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tracepoints: each event once, with correct fields."""

import errno
import itertools
import os
from collections.abc import Iterator

import pytest
from errnos import fails
from iommufd import mem, trace
from iommufd.ctx import NO_ID, Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import NOBODY, unprivileged
from iommufd.platform import MSI
from iommufd.trace import Tracer
from iommufd.uapi import MAP_READABLE, U64_MAX

pytestmark = pytest.mark.guest(kernels=["ours", "installed", "builtin"])

IOVA = 0x10000000
MAP_PARTS = ("lock_ns", "pin_ns", "map_ns")
UNMAP_PARTS = ("lock_ns", "unmap_ns", "sync_ns", "unpin_ns")
FIELDS = {
    "iommufd_ctx_open": ["u32 ctx", "u32 tgid", "u32 uid", "char comm[16]"],
    "iommufd_object_create": ["u32 ctx", "u32 id", "u32 type"],
    "iommufd_ioas_map": [
        "u32 ctx",
        "u32 ioas",
        "u64 iova",
        "u64 length",
        "u32 source",
        "u32 prot",
        "u64 runs",
        "u64 pinned",
        "u32 domains",
        "s32 ret",
        "u64 ns",
        "u64 lock_ns",
        "u64 pin_ns",
        "u64 map_ns",
        "u64 seq",
    ],
    "iommufd_ioas_unmap": [
        "u32 ctx",
        "u32 ioas",
        "u64 iova",
        "u64 length",
        "u64 unmapped",
        "u64 runs",
        "u64 unpinned",
        "u32 areas",
        "u32 domains",
        "s32 ret",
        "u32 reserved",
        "u64 ns",
        "u64 lock_ns",
        "u64 unmap_ns",
        "u64 sync_ns",
        "u64 unpin_ns",
        "u64 seq",
    ],
}
FIELDS["iommufd_ioas_map_brief"] = [
    "u32 ctx",
    "u32 ioas",
    "u64 iova",
    "u64 length",
    "u32 source",
    "s32 ret",
    "u64 pinned",
    "u64 ns",
]
FIELDS["iommufd_ioas_unmap_brief"] = [
    "u32 ctx",
    "u32 ioas",
    "u64 iova",
    "u64 length",
    "u64 unmapped",
    "u32 areas",
    "s32 ret",
    "u64 unpinned",
    "u64 ns",
]
FIELDS["iommufd_ctx_close"] = FIELDS["iommufd_ctx_open"]
FIELDS["iommufd_object_destroy"] = FIELDS["iommufd_object_create"]


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    with Tracer("iommufd") as tracer:
        yield tracer
        assert not tracer.lost()


@pytest.mark.parametrize("event", FIELDS)
def test_format(event: str) -> None:
    """Programs rely on names, types and order; there is no padding."""
    fields = trace.format_fields("iommufd", event)
    assert [declaration for declaration, _, _ in fields] == FIELDS[event]
    for (_, offset, size), (_, following, _) in itertools.pairwise(fields):
        assert offset + size == following


def test_context(tracer: Tracer) -> None:
    with Context() as first, Context() as second:
        assert first.fd != second.fd
    opened = tracer.events("iommufd_ctx_open")
    closed = tracer.events("iommufd_ctx_close")
    assert len(opened) == len(closed) == 2
    assert opened[0]["ctx"] != opened[1]["ctx"]
    # The second was closed first, as with statements do.
    assert [e["ctx"] for e in closed] == [e["ctx"] for e in reversed(opened)]
    with open("/proc/self/comm", encoding="ascii") as comm:
        name = comm.read().strip()
    for event in opened + closed:
        assert event.number("tgid") == os.getpid()
        assert event.number("uid") == 0
        assert event["comm"] == name


def test_user_of_a_context(tracer: Tracer) -> None:
    """The process that opened it, even if another one closes it."""
    os.chmod("/dev/iommu", 0o666)
    try:
        with unprivileged(PAGE):
            context = Context()
        context.close()
    finally:
        os.chmod("/dev/iommu", 0o660)
    events = tracer.events("iommufd_ctx_open", "iommufd_ctx_close")
    assert [e.number("uid") for e in events] == [NOBODY, NOBODY]


def test_objects(tracer: Tracer) -> None:
    with Context() as context:
        ioas, other = context.ioas_alloc(), context.ioas_alloc()
        context.destroy(other)
        with Edu(context) as device:
            hwpt = device.attach(ioas)
            device.detach()
    created = {e.number("id"): e["type"] for e in tracer.events("iommufd_object_create")}
    assert created == {ioas: "ioas", other: "ioas", device.id: "device", hwpt: "hwpt_paging"}
    gone = [(e.number("id"), e["type"]) for e in tracer.events("iommufd_object_destroy")]
    assert gone == [
        (other, "ioas"),
        (hwpt, "hwpt_paging"),
        (device.id, "device"),
        (ioas, "ioas"),
    ]
    names = [e.name for e in tracer.events()]
    assert names[0] == "iommufd_ctx_open"
    assert names[-1] == "iommufd_ctx_close"


def test_destroy_that_fails_is_no_event(tracer: Tracer) -> None:
    with Context() as context:
        ioas = context.ioas_alloc()
        with Edu(context, ioas):
            for number in (ioas, NO_ID):
                with pytest.raises(OSError, match=""):
                    context.destroy(number)
            assert not tracer.events("iommufd_object_destroy")


def test_map_and_unmap(tracer: Tracer) -> None:
    with Context() as context, mem.anonymous(16 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        with Edu(context, ioas):
            context.map(ioas, buffer, iova=IOVA, prot=MAP_READABLE)
            context.unmap(ioas, IOVA - PAGE, 18 * PAGE)
    (done,) = tracer.events("iommufd_ioas_map")
    assert done["ctx"] == tracer.events("iommufd_ctx_open")[0]["ctx"]
    assert done.number("ioas") == ioas
    assert (done.number("iova"), done.number("length")) == (IOVA, 16 * PAGE)
    assert (done["source"], done.number("prot")) == ("va", MAP_READABLE)
    assert (done.number("pinned"), done.number("domains"), done.number("ret")) == (16, 1, 0)
    assert 1 <= done.number("runs") <= 16
    undone = tracer.events("iommufd_ioas_unmap")[0]
    assert undone["ctx"] == done["ctx"]
    assert undone.number("ioas") == ioas
    assert (undone.number("iova"), undone.number("length")) == (IOVA - PAGE, 18 * PAGE)
    assert undone.number("unmapped") == 16 * PAGE
    assert (undone.number("unpinned"), undone.number("areas")) == (16, 1)
    assert (undone.number("domains"), undone.number("ret")) == (1, 0)
    assert undone["runs"] == done["runs"]


def test_durations(tracer: Tracer) -> None:
    """Each part is present where there was work, and the parts do not exceed the total."""
    with Context() as context, mem.anonymous(256 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        with Edu(context, ioas):
            context.unmap(ioas, context.map(ioas, buffer), 256 * PAGE)
    (done,) = tracer.events("iommufd_ioas_map")
    undone = tracer.events("iommufd_ioas_unmap")[0]
    for event, parts in ((done, MAP_PARTS), (undone, UNMAP_PARTS)):
        assert 0 < sum(event.number(p) for p in parts) <= event.number("ns")
    for event, part in (
        (done, "pin_ns"),
        (done, "map_ns"),
        (undone, "unmap_ns"),
        (undone, "unpin_ns"),
    ):
        assert event.number(part)


def test_brief(tracer: Tracer) -> None:
    """Both events of a request say the same, also if it fails."""
    with Context() as context, mem.anonymous(16 * PAGE) as buffer:
        ioas, other = context.ioas_alloc(), context.ioas_alloc()
        with Edu(context, ioas):
            context.map(ioas, buffer, iova=IOVA)
            context.copy(other, ioas, IOVA, 16 * PAGE)
            with fails(errno.EFAULT):
                context.map(ioas, 0x1000, PAGE)
            with fails(errno.ENOENT):
                context.unmap(ioas, IOVA, PAGE)
            context.unmap_all(ioas)
        context.destroy(other)
    for full, count in (("iommufd_ioas_map", 3), ("iommufd_ioas_unmap", 3)):
        events, briefs = tracer.events(full), tracer.events(f"{full}_brief")
        assert len(events) == len(briefs) == count
        same = [x.split()[1] for x in FIELDS[f"{full}_brief"] if x != "u64 ns"]
        for event, brief in zip(events, briefs, strict=True):
            assert [brief[x] for x in same] == [event[x] for x in same]
            assert brief.number("ns")


def test_brief_alone() -> None:
    """The duration does not depend on the other event."""
    with (
        Tracer("iommufd", "iommufd_ioas_map_brief", "iommufd_ioas_unmap_brief") as tracer,
        Context() as context,
        mem.anonymous(PAGE) as buffer,
    ):
        ioas = context.ioas_alloc()
        context.map(ioas, buffer, iova=IOVA)
        context.unmap(ioas, IOVA, PAGE)
        events = tracer.events()
    assert [e.name for e in events] == ["iommufd_ioas_map_brief", "iommufd_ioas_unmap_brief"]
    assert all(e.number("ns") for e in events)


def test_runs_of_huge_pages(tracer: Tracer) -> None:
    """A huge page is one run, however many pages it has."""
    with Context() as context, mem.hugetlb(2 * HUGE) as buffer:
        ioas = context.ioas_alloc()
        with Edu(context, ioas):
            context.map(ioas, buffer)
    (done,) = tracer.events("iommufd_ioas_map")
    assert done.number("pinned") == 2 * HUGE // PAGE
    assert done.number("runs") in (1, 2)


def test_without_a_device(tracer: Tracer) -> None:
    """Nothing is pinned and no page table is written."""
    with Context() as context, mem.anonymous(4 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        context.map(ioas, buffer)
        context.unmap_all(ioas)
    (done,) = tracer.events("iommufd_ioas_map")
    undone = tracer.events("iommufd_ioas_unmap")[0]
    assert [done.number(x) for x in ("pinned", "runs", "domains", "ret")] == [0] * 4
    assert undone.number("unmapped") == 4 * PAGE
    assert undone.number("length") == U64_MAX
    assert [undone.number(x) for x in ("unpinned", "runs", "domains", "ret")] == [0] * 4


def test_failures(tracer: Tracer) -> None:
    """They are events too, with their errno; requests that name no IOAS are not."""
    with Context() as context, mem.anonymous(4 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        with Edu(context, ioas):
            with fails(errno.EFAULT):
                context.map(ioas, 0x1000, PAGE)
            with fails(errno.EINVAL):
                context.map(ioas, buffer, iova=MSI[0])
            with fails(errno.ENOENT):
                context.map(NO_ID, buffer)
            with fails(errno.ENOENT):
                context.unmap(ioas, IOVA, PAGE)
            with fails(errno.ENOENT):
                context.unmap(NO_ID, IOVA, PAGE)
    maps = tracer.events("iommufd_ioas_map")
    assert [e.number("ret") for e in maps] == [-errno.EFAULT, -errno.EINVAL]
    assert maps[1].number("iova") == MSI[0]
    unmaps = [e for e in tracer.events("iommufd_ioas_unmap") if e.number("iova") == IOVA]
    assert [e.number("ret") for e in unmaps] == [-errno.ENOENT]
    assert unmaps[0].number("unmapped") == 0


def test_numbers(tracer: Tracer) -> None:
    """Changes of an IOAS are numbered, maps and unmaps together; failures have no number."""
    with Context() as context, mem.anonymous(PAGE) as buffer:
        for ioas in (context.ioas_alloc(), context.ioas_alloc()):
            context.map(ioas, buffer, iova=IOVA)
            with fails(errno.EEXIST):
                context.map(ioas, buffer, iova=IOVA)
            context.unmap_all(ioas)
            context.map(ioas, buffer, iova=IOVA)
    events = tracer.events("iommufd_ioas_map", "iommufd_ioas_unmap")
    # Also the unmaps at the end of the context.
    assert [e.number("seq") for e in events] == [1, 0, 2, 3, 1, 0, 2, 3, 4, 4]


def test_destroyed_ioas(tracer: Tracer) -> None:
    """Its remaining mappings are one event."""
    with Context() as context, mem.anonymous(4 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        context.map(ioas, buffer, iova=IOVA)
        context.map(ioas, buffer, iova=2 * IOVA)
        context.destroy(ioas)
        (event,) = tracer.events("iommufd_ioas_unmap")
    assert (event.number("ioas"), event.number("iova")) == (ioas, 0)
    assert event.number("length") == U64_MAX
    assert (event.number("unmapped"), event.number("areas")) == (8 * PAGE, 2)


def test_counts(tracer: Tracer) -> None:
    """As many events as requests, none lost."""
    with Context() as context, mem.anonymous(PAGE) as buffer:
        ioas = context.ioas_alloc()
        with Edu(context, ioas):
            for _ in range(100):
                context.unmap(ioas, context.map(ioas, buffer), PAGE)
    maps = tracer.events("iommufd_ioas_map")
    unmaps = [e for e in tracer.events("iommufd_ioas_unmap") if e.number("length") == PAGE]
    assert len(maps) == len(unmaps) == 100
    assert sum(e.number("pinned") for e in maps) == 100
    assert sum(e.number("unpinned") for e in unmaps) == 100
