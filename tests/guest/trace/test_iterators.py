# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""BPF iterators: they find every object, with the right numbers, at any time."""

import os
import random
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
from bpfobject import Link, loaded
from child_process import Child
from iommufd import invalidate, mem, mock
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.nest import MAPPED, Nest
from iommufd.openfile import OpenFile
from iommufd.pins import NOBODY, unprivileged
from iommufd.trace import Event, Stream
from iommufd.vfio import group_of
from object_listing import (
    ACCESS,
    AUTOMATIC,
    DEVICE,
    FAULT,
    FAULTS,
    IOAS,
    NEST_PARENT,
    NESTED,
    NOT_KNOWN,
    PAGING,
    SELFTEST,
    VDEVICE,
    VEVENTQ,
    VIOMMU,
    Ctx,
    Entry,
    Listing,
    listing,
)
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="bpf")

VIRT_ID = 0x99
MEMLOCK = 64 << 10


@pytest.fixture
def lister() -> Iterator[Listing]:
    with listing() as lister:
        yield lister


def test_nothing(lister: Listing) -> None:
    assert lister.entries() == []


def test_contexts(lister: Listing) -> None:
    """From open to close, in the order of their numbers, with the process that opened them."""
    with Context() as first, Context():
        two = lister.entries()
        assert [type(entry) for entry in two] == [Ctx, Ctx]
        assert two[0].ctx < two[1].ctx
        for entry in lister.contexts().values():
            comm = open("/proc/self/comm").read().strip()
            assert (entry.tgid, entry.uid, entry.comm) == (os.getpid(), 0, comm)
        first.close()
        assert [entry.ctx for entry in lister.entries()] == [two[1].ctx]
        with Context():
            assert max(lister.contexts()) > two[1].ctx
    assert lister.entries() == []


def test_context_of_another(lister: Listing) -> None:
    def body(child: Child) -> None:
        with unprivileged(MEMLOCK), Context():
            child.pause()

    with Child(body) as child:
        child.met()
        (entry,) = lister.contexts().values()
        assert (entry.tgid, entry.uid) == (child.pid, NOBODY)


@pytest.mark.guest(mock=True)
def test_pinned(lister: Listing, context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """A context has its charges, an IOAS the pages that its areas pin, shared or not."""
    other = context.ioas_alloc()
    iova = mock.START
    context.map(ioas, buffer, 5 * PAGE, iova=iova)
    assert next(iter(lister.contexts().values())).pinned == 0
    with mock.Device(context, ioas), mock.Device(context, other):
        context.copy(other, ioas, iova, 5 * PAGE, iova=iova)
        found = lister.objects()
        assert (found[ioas].pinned, found[other].pinned) == (5, 5)
        assert next(iter(lister.contexts().values())).pinned == 5
        context.unmap_all(ioas)
        found = lister.objects()
        assert (found[ioas].pinned, found[other].pinned) == (0, 5)
    assert next(iter(lister.contexts().values())).pinned == 0
    assert lister.objects()[other].pinned == 0


@pytest.mark.guest(mock=True)
def test_dma_buf(lister: Listing, context: Context, ioas: int) -> None:
    """It counts as mapped and never as pinned, however it is mapped or removed."""

    def pinned() -> list[int]:
        return [lister.objects()[ioas].pinned, next(iter(lister.contexts().values())).pinned]

    with OpenFile(mock.dma_buf(context, 4 * PAGE)) as file:
        context.map_file(ioas, file.fd, 0, 4 * PAGE, iova=mock.START)
        with mock.Device(context, ioas):
            assert pinned() == [0, 0]
            copy = context.copy(ioas, ioas, mock.START, 4 * PAGE)
            assert (lister.objects()[ioas].mapped, pinned()) == (8 * PAGE, [0, 0])
            mock.revoke(context, file.fd)
            assert pinned() == [0, 0]
            context.unmap(ioas, copy, 4 * PAGE)
            assert pinned() == [0, 0]
    assert (lister.objects()[ioas].mapped, pinned()) == (4 * PAGE, [0, 0])


def test_ioas(lister: Listing, context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Requests that changed nothing do not count."""
    iova = mock.START
    lister.objects()[ioas].has(
        type=IOAS, seq=0, mapped=0, areas=0, pinned=0, maps=0, unmaps=0, users=0, parent=0
    )
    context.map(ioas, buffer, 3 * PAGE, iova=iova)
    context.map(ioas, buffer, PAGE, iova=iova + 8 * PAGE)
    context.copy(ioas, ioas, iova, 3 * PAGE, iova=iova + 16 * PAGE)
    for request in (
        lambda: context.map(ioas, buffer, PAGE, iova=iova),
        lambda: context.unmap(ioas, iova, PAGE),
        lambda: context.unmap(ioas, iova + 4 * PAGE, PAGE),
    ):
        with pytest.raises(OSError):
            request()
    lister.objects()[ioas].has(seq=3, mapped=7 * PAGE, areas=3, maps=3, unmaps=0)
    context.unmap(ioas, iova, 3 * PAGE)
    lister.objects()[ioas].has(seq=4, mapped=4 * PAGE, areas=2, maps=3, unmaps=1)
    context.unmap_all(ioas)
    lister.objects()[ioas].has(seq=5, mapped=0, areas=0, maps=3, unmaps=2)


@pytest.mark.guest(mock=True)
def test_objects_of_a_guest(lister: Listing, nest: Nest) -> None:
    """Each type, with its parent and its users."""
    viommu = nest.viommu()
    vdevice = nest.vdevice(viommu, VIRT_ID)
    nested, on_viommu = nest.nested(), nest.nested(on=viommu)
    with nest.event_queue(viommu) as events, nest.fault_queue() as faults:
        reporting = nest.reporting(faults)
        found = lister.objects()
        for each, fields in {
            nest.ioas: {"type": IOAS, "mapped": MAPPED, "areas": 1, "maps": 1, "users": 2},
            nest.device.device: {"type": DEVICE, "parent": 0, "hwpt": nest.device.hwpt},
            nest.device.id: {"type": SELFTEST},
            nest.device.hwpt: {"type": PAGING, "parent": nest.ioas, "users": 1},
            # The vIOMMU and two nested page tables.
            nest.parent: {"type": PAGING, "parent": nest.ioas, "users": 3},
            # Two of these, and a queue.
            viommu: {"type": VIOMMU, "parent": nest.parent, "users": 3},
            vdevice: {"type": VDEVICE, "parent": 0},
            nested: {"type": NESTED, "parent": nest.parent, "users": 0, "flags": 0},
            on_viommu: {"type": NESTED, "parent": viommu, "flags": 0},
            # The files of queues depend on them, too.
            events.id: {"type": VEVENTQ, "parent": 0, "users": 1},
            faults.id: {"type": FAULT, "users": 2, "faults": 0},
            reporting: {"type": NESTED, "parent": nest.parent, "flags": FAULTS},
        }.items():
            found.pop(each).has(**fields)
        assert found == {}


def test_device(lister: Listing, context: Context, ioas: int) -> None:
    """Its name and group, and its page table: attached, moved, detached."""
    with Edu(context, ioas) as edu:
        found = lister.objects()
        found[edu.id].has(type=DEVICE, name=edu.address, group=group_of(edu.address))
        assert found[found[edu.id].hwpt].parent == ioas
        found[ioas].has(name="", hwpt=NOT_KNOWN, group=NOT_KNOWN)
        other = context.hwpt_alloc(edu.id, context.ioas_alloc())
        edu.attach(other)
        lister.objects()[edu.id].has(hwpt=other)
        edu.detach()
        lister.objects()[edu.id].has(hwpt=0, name=edu.address)


@pytest.mark.guest(mock=True)
def test_flags(lister: Listing, nest: Nest) -> None:
    kinds = AUTOMATIC | NEST_PARENT | FAULTS
    named = nest.paging()
    found = {each: entry.flags & kinds for each, entry in lister.objects().items()}
    assert (found[nest.device.hwpt], found[nest.parent], found[named]) == (
        AUTOMATIC,
        NEST_PARENT,
        0,
    )


@pytest.mark.guest(mock=True)
def test_faults(lister: Listing, nest: Nest) -> None:
    """Groups that wait for a response, read by user space or not."""
    with nest.fault_queue() as queue:
        reporting = nest.reporting(queue)
        nest.device.replace(reporting)
        for group in range(3):
            nest.device.fault(group=group)
        assert lister.objects()[queue.id].faults == 3
        cookies = [fault.cookie for fault in queue.read()]
        assert lister.objects()[queue.id].faults == 3
        queue.respond(*cookies[:2])
        assert lister.objects()[queue.id].faults == 1
        queue.respond(cookies[2])
        assert lister.objects()[queue.id].faults == 0
        nest.device.replace(nest.ioas)


@pytest.mark.guest(mock=True)
def test_access(lister: Listing, context: Context, ioas: int) -> None:
    other = context.ioas_alloc()
    with mock.Access(context, ioas) as access:
        (entry,) = [e for e in lister.objects().values() if e.type == ACCESS]
        assert entry.parent == ioas
        access.replace(other)
        assert lister.objects()[entry.id].parent == other
    assert ACCESS not in {e.type for e in lister.objects().values()}


@pytest.mark.guest(mock=True)
def test_invalidations(lister: Listing, nest: Nest) -> None:
    """Requests that reached the driver, including those that it refuses."""
    viommu = nest.viommu()
    nest.vdevice(viommu, VIRT_ID)
    nested, other = nest.nested(), nest.nested()
    for count in (1, 4, 0):
        invalidate.page_table(nest.context, nested, count)
    invalidate.page_table(nest.context, other, data_type=0xDADBEEF)
    invalidate.page_table(nest.context, other, entry_len=0)
    for _ in range(2):
        invalidate.viommu(nest.context, viommu, VIRT_ID)
    found = lister.objects()
    counts = [found[each].invalidations for each in (nested, other, nest.parent)]
    assert counts == [3, 1, 2]


def test_many(lister: Listing) -> None:
    """None is left out, however the ids were freed before."""
    with Context() as context:
        ids = [context.ioas_alloc() for _ in range(3000)]
        random.Random(1).shuffle(ids)
        for each in ids[1000:]:
            context.destroy(each)
        assert sorted(lister.objects()) == sorted(ids[:1000])
    assert lister.entries() == []


@pytest.mark.guest(mock=True)
def test_from_other_programs(context: Context, ioas: int) -> None:
    """A policy can list the objects; a tracepoint can too, while locks are held."""
    with loaded("counter") as counter, Link(counter.map("counter")):
        with Link(counter.program("counter_create")), mock.Device(context, ioas) as device:
            context.destroy(context.hwpt_alloc(device.device, ioas))
            value = counter.map(".bss").get(bytes(4))
            assert value
            policy_calls, in_policy, event_calls, in_event = struct.unpack("4Q", value)
    assert (policy_calls, event_calls) == (2, 4)
    # The IOAS, the device's two objects, and its page table; the new one is not visible yet.
    assert (in_policy, in_event) == (4, 4)


def check_order(entries: list[Ctx | Entry]) -> None:
    """Contexts by number, each with its objects by id, none twice."""
    contexts = [entry.ctx for entry in entries if isinstance(entry, Ctx)]
    assert contexts == sorted(set(contexts))
    now = 0
    ids: dict[int, list[int]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, Ctx):
            now = entry.ctx
        else:
            assert entry.ctx == now
            ids[now].append(entry.id)
            assert entry.type in range(DEVICE, SELFTEST + 1)
            assert entry.mapped % PAGE == 0
    for each in ids.values():
        assert each == sorted(set(each))


def storm(seed: int, stop: Callable[[], bool]) -> None:
    """Contexts with objects of all kinds are opened and closed."""
    generator = random.Random(seed)
    with mem.anonymous(16 * PAGE) as buffer:
        while not stop():
            with Nest() as nest:
                nested = nest.nested()
                viommu = nest.viommu()
                nest.vdevice(viommu, VIRT_ID)
                with nest.event_queue(viommu), nest.fault_queue() as queue:
                    nest.reporting(queue)
                    other = nest.context.ioas_alloc()
                    with mock.Access(nest.context, other) as access:
                        for _ in range(generator.randrange(8)):
                            iova = nest.context.map(other, buffer)
                            nest.context.unmap(other, iova, buffer.size)
                            access.replace(generator.choice((nest.ioas, other)))
                            invalidate.page_table(nest.context, nested)


@pytest.mark.guest(mock=True)
def test_storm(lister: Listing, nest: Nest, buffer: mem.Buffer) -> None:
    """Objects appear and disappear during the iteration; those that stay are always listed."""
    nest.context.map(nest.ioas, buffer, iova=mock.START + (1 << 20))
    nested = nest.nested()
    ctx = next(iter(lister.contexts()))
    before = {e.id: (e.type, e.parent, e.mapped, e.areas) for e in lister.objects().values()}
    most = rounds = 0
    with Workers(*[partial(storm, seed) for seed in range(4)]) as workers:
        end = time.monotonic() + 5
        while time.monotonic() < end or most <= len(before):
            entries = lister.entries()
            check_order(entries)
            found = [e for e in entries if isinstance(e, Entry)]
            mine = {e.id: (e.type, e.parent, e.mapped, e.areas) for e in found if e.ctx == ctx}
            assert mine == before
            most = max(most, len(found))
            rounds += 1
            workers.check()
    assert rounds
    nest.destroy(nested)
    nest.context.unmap(nest.ioas, mock.START + (1 << 20), buffer.size)


@dataclass
class Space:
    """An IOAS in which threads map and unmap, and the bytes that are mapped at the end."""

    context: Context
    ioas: int
    live: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, buffer: mem.Buffer, seed: int, stop: Callable[[], bool]) -> None:
        """Maps of many sizes, one area each; unmaps of one, or of all."""
        generator = random.Random(seed)
        while not stop():
            for _ in range(generator.randrange(1, 6)):
                size = generator.randrange(1, 16) * PAGE
                iova = self.context.map(self.ioas, buffer, size)
                with self.lock:
                    self.live[iova] = size
            for _ in range(generator.randrange(1, 6)):
                with self.lock:
                    if not self.live:
                        break
                    iova, size = self.live.popitem()
                assert self.context.unmap(self.ioas, iova, size) == size


@dataclass
class Sum:
    """An IOAS according to the list and the events after it."""

    seq: int
    mapped: int
    areas: int
    maps: int
    unmaps: int
    numbers: list[int] = field(default_factory=list)

    def add(self, event: Event) -> None:
        """Adds an event, unless the list already includes it."""
        seq = event.number("seq")
        if event.number("ret") or seq <= self.seq:
            return
        self.numbers.append(seq)
        if event.name == "iommufd_ioas_map":
            self.mapped += event.number("length")
            self.areas += 1
            self.maps += 1
        else:
            self.mapped -= event.number("unmapped")
            self.areas -= event.number("areas")
            self.unmaps += 1


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize("devices", [False, True], ids=["no-device", "devices"])
def test_list_and_events_add_up(
    lister: Listing, context: Context, buffer: mem.Buffer, devices: bool
) -> None:
    """An observer that listens, then lists, during a storm: nothing is lost or counted twice."""
    spaces = [Space(context, context.ioas_alloc()) for _ in range(3)]
    held = [mock.Device(context, space.ioas) for space in spaces] if devices else []
    works = [
        partial(space.work, buffer, 10 * i + k) for i, space in enumerate(spaces) for k in range(2)
    ]
    with Workers(*works) as workers:
        while any(lister.objects()[space.ioas].seq < 50 for space in spaces):
            workers.check()
        with Stream("iommufd", "iommufd_ioas_map", "iommufd_ioas_unmap") as stream:
            listed = lister.objects()
            events: list[Event] = []
            # Reading may continue for as long as new events arrive.
            ending = threading.Timer(0.5, workers.stop.set)
            ending.start()
            while workers.alive():
                events += stream.read()
            ending.join()
            events += stream.read()
    sums = {
        i: Sum(e.seq, e.mapped, e.areas, e.maps, e.unmaps)
        for i, e in listed.items()
        if e.type == IOAS
    }
    for event in events:
        sums[event.number("ioas")].add(event)
    after = lister.objects()
    for space in spaces:
        result = sums[space.ioas]
        assert result.mapped == sum(space.live.values())
        assert result.areas == len(space.live)
        # Each request has its number, without gaps.
        first = listed[space.ioas].seq + 1
        assert sorted(result.numbers) == list(range(first, first + len(result.numbers)))
        assert result.numbers, "nothing happened behind the list"
        now = after[space.ioas]
        assert (now.mapped, now.areas, now.maps, now.unmaps) == (
            result.mapped,
            result.areas,
            result.maps,
            result.unmaps,
        )
        assert now.pinned == (result.mapped // PAGE if devices else 0)
        assert now.seq == now.maps + now.unmaps
    for device in held:
        device.close()
