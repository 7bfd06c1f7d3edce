# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Event queues of a vIOMMU: invalid requests and reads, and events without a reader."""

import errno
import mmap
import os
import resource
import select
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from errnos import errno_of, fails
from iommufd import mem, uapi
from iommufd.ctx import NO_ID
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.nest import EVENT, VEVENTQ, EventQueue, Nest
from iommufd.state import unchanged

OURS = pytest.mark.guest(kernels="ours")
INVALID, UNSUPPORTED, NOENT = errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT
SEEK = errno.ESPIPE
HEADER = 8
MOST = 1 << 19
LOST = uapi.VEVENTQ_FLAG_LOST_EVENTS
VIRT_ID = 0x99

FIELDS = {
    "size": ({"size": 27}, INVALID),
    "flags": ({"flags": 1}, UNSUPPORTED),
    "flags-31": ({"flags": 1 << 31}, UNSUPPORTED),
    "reserved": ({"__reserved": 1}, UNSUPPORTED),
    "type-default": ({"type": uapi.VEVENTQ_TYPE_DEFAULT}, UNSUPPORTED),
    "depth-0": ({"veventq_depth": 0}, INVALID),
    "too-deep": ({"veventq_depth": MOST + 1}, INVALID),
    "depth-max": ({"veventq_depth": 0xFFFFFFFF}, INVALID),
    "viommu-0": ({"viommu_id": 0}, NOENT),
    "viommu-unknown": ({"viommu_id": NO_ID}, NOENT),
}


def fields_of(viommu: int, **fields: int) -> dict[str, int]:
    """A valid request, except for these fields."""
    return {"viommu_id": viommu, "type": VEVENTQ, "veventq_depth": 2, **fields}


@pytest.mark.parametrize(
    ("fields", "error"), [pytest.param(*case, id=name) for name, case in FIELDS.items()]
)
def test_fields(nest: Nest, fields: dict, error: int) -> None:
    nest.refuses("VEVENTQ_ALLOC", error, **fields_of(nest.viommu(), **fields))


@pytest.mark.parametrize("other", ["ioas", "device", "parent", "vdevice"])
def test_not_a_viommu(nest: Nest, other: str) -> None:
    target = {
        "ioas": lambda: nest.ioas,
        "device": lambda: nest.device.device,
        "parent": lambda: nest.parent,
        "vdevice": lambda: nest.vdevice(nest.viommu(), 1),
    }[other]()
    nest.refuses("VEVENTQ_ALLOC", NOENT, **fields_of(target))


def test_type_twice(nest: Nest) -> None:
    """One queue per type and vIOMMU, whether its file is closed or not."""
    viommu = nest.viommu()
    with nest.event_queue(viommu) as queue:
        nest.refuses("VEVENTQ_ALLOC", errno.EEXIST, **fields_of(viommu))
        with nest.event_queue(nest.viommu()):
            pass
        queue.close()
        nest.refuses("VEVENTQ_ALLOC", errno.EEXIST, **fields_of(viommu))
        nest.destroy(queue.id)
    with nest.event_queue(viommu):
        pass


def test_older_program(nest: Nest) -> None:
    """Its structure ends before the padding."""
    size = uapi.VeventqAlloc.out_veventq_fd.offset + 4
    argument = uapi.VeventqAlloc(**fields_of(nest.viommu(), size=size))
    nest.context.command("VEVENTQ_ALLOC", argument)
    EventQueue(nest.keep(argument.out_veventq_id), argument.out_veventq_fd).close()


def test_deepest(nest: Nest) -> None:
    with nest.event_queue(nest.viommu(), MOST):
        pass


def test_answer_not_writable(nest: Nest) -> None:
    """If the ids cannot be copied to user space, no queue and no file are created."""
    viommu = nest.viommu()
    with mem.anonymous(PAGE) as area:
        area.write(bytes(uapi.VeventqAlloc(**fields_of(viommu))))
        mem.protect(area, mmap.PROT_READ)
        with unchanged(nest.context), fails(errno.EFAULT):
            ioctl(nest.context.fd, uapi.NUMBER["VEVENTQ_ALLOC"], area.address)
    with nest.event_queue(viommu):
        pass


def test_too_many_files(nest: Nest) -> None:
    viommu = nest.viommu()
    argument = uapi.VeventqAlloc(**fields_of(viommu))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with unchanged(nest.context):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            error = errno_of(nest.context.command, "VEVENTQ_ALLOC", argument)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert error == errno.EMFILE
    with nest.event_queue(viommu):
        pass


@dataclass
class Events:
    """A queue of two events, and a device that reports some."""

    nest: Nest
    queue: EventQueue
    vdevice: int

    def happen(self, count: int) -> None:
        """Reports a number of events."""
        for _ in range(count):
            self.nest.device.event()

    def sequences(self) -> list[tuple[int, int]]:
        """(sequence, flags) of all readable events, which name the right device."""
        found = self.queue.read()
        assert all(virt_id in (None, VIRT_ID) for _, _, virt_id in found)
        return [(sequence, flags) for flags, sequence, _ in found]


@pytest.fixture
def events(nest: Nest) -> Iterator[Events]:
    viommu = nest.viommu()
    vdevice = nest.vdevice(viommu, VIRT_ID)
    nest.device.replace(nest.nested(viommu))
    with nest.event_queue(viommu) as queue:
        yield Events(nest, queue, vdevice)
    if nest.context.fd >= 0:
        nest.device.replace(nest.ioas)


@pytest.mark.parametrize("size", [0, 1, HEADER - 1])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_less_than_a_header(events: Events, size: int, count: int) -> None:
    """Is an error whether there is an event or not, and consumes nothing."""
    events.happen(count)
    with fails(INVALID):
        os.read(events.queue.fd, size)
    assert events.queue.readable() == bool(count)
    if count:
        assert len(events.sequences()) == count


@pytest.mark.parametrize("size", [HEADER, EVENT - 1])
def test_less_than_an_event(events: Events, size: int) -> None:
    """No part of an event is read."""
    assert os.read(events.queue.fd, size) == b""
    events.happen(2)
    with fails(INVALID):
        os.read(events.queue.fd, size)
    assert events.sequences() == [(0, 0), (1, 0)]


@pytest.mark.parametrize("size", [EVENT, EVENT + 1, EVENT + HEADER, 2 * EVENT - 1])
def test_less_than_two_events(events: Events, size: int) -> None:
    """Then one event is read."""
    events.happen(2)
    assert len(os.read(events.queue.fd, size)) == EVENT
    assert events.sequences() == [(1, 0)]
    assert os.read(events.queue.fd, PAGE) == b""


def test_overflow(events: Events) -> None:
    """Two events fit; of the others, only the number of the last is known."""
    for lost in (1, 2, 5):
        assert not events.queue.readable()
        first = {1: 0, 2: 3, 5: 7}[lost]
        events.happen(2 + lost)
        assert events.queue.readable()
        last = first + 1 + lost
        assert events.sequences() == [(first, 0), (first + 1, 0), (last, LOST)]
    assert os.read(events.queue.fd, PAGE) == b""


def test_gap(events: Events) -> None:
    """Events lost before an event show in the sequence numbers."""
    events.happen(4)
    assert len(os.read(events.queue.fd, EVENT)) == EVENT
    events.happen(1)
    assert events.sequences() == [(1, 0), (4, 0)]


@pytest.mark.parametrize("room", [0, 1, HEADER - 1, HEADER])
def test_lost_record_by_itself(events: Events, room: int) -> None:
    """It is read like any other record, once there is room for it."""
    events.happen(3)
    fits = room == HEADER
    data = os.read(events.queue.fd, 2 * EVENT + room)
    assert len(data) == 2 * EVENT + (HEADER if fits else 0)
    assert events.queue.readable() != fits
    assert events.sequences() == ([] if fits else [(2, LOST)])
    events.happen(1)
    assert events.sequences() == [(3, 0)]


@pytest.mark.parametrize("there", [0, 1, 2])
@pytest.mark.parametrize("part", [0, HEADER - 1])
def test_read_to_nowhere(events: Events, there: int, part: int) -> None:
    """An event that could not be copied can be read again."""
    events.happen(3)
    with mem.anonymous(2 * PAGE) as memory:
        mem.protect(memory, mem.PROT_NONE, PAGE)
        address = memory.address + PAGE - there * EVENT - part
        size = 2 * EVENT + HEADER
        if there:
            assert events.queue.read_at(address, size) == there * EVENT
        else:
            with fails(errno.EFAULT):
                events.queue.read_at(address, size)
    assert events.sequences() == [(0, 0), (1, 0), (2, LOST)][there:]


def test_poll(events: Events) -> None:
    """Readable while there is an event; never writable."""
    assert events.queue.events() == 0
    events.happen(2)
    assert events.queue.events() == select.POLLIN
    os.read(events.queue.fd, EVENT)
    assert events.queue.events() == select.POLLIN
    os.read(events.queue.fd, EVENT)
    assert events.queue.events() == 0


def test_only_read(events: Events) -> None:
    """The file cannot be written or seeked."""
    with fails(INVALID):
        os.write(events.queue.fd, bytes(EVENT))
    with fails(SEEK):
        os.pread(events.queue.fd, EVENT, 0)
    with fails(SEEK):
        os.lseek(events.queue.fd, 0, os.SEEK_SET)
    with fails(errno.ENODEV):
        mmap.mmap(events.queue.fd, PAGE)


def test_close(events: Events) -> None:
    """With unread events; more may arrive."""
    events.happen(3)
    events.queue.close()
    events.happen(3)


def test_destroy(events: Events) -> None:
    """A queue stays as long as its file does."""
    events.happen(1)
    assert errno_of(events.nest.context.destroy, events.queue.id) == errno.EBUSY
    assert events.sequences() == [(0, 0)]
    events.queue.close()
    events.nest.destroy(events.queue.id)
    with fails(UNSUPPORTED):
        events.happen(1)


@OURS
def test_no_device(events: Events) -> None:
    """A device without a vDEVICE reports nothing to the guest; the peer's mock allows it."""
    events.nest.destroy(events.vdevice)
    with fails(NOENT):
        events.happen(1)
    assert not events.queue.readable()


def test_context_closed(events: Events) -> None:
    """The file of the queue keeps the context until it is closed, too."""
    events.happen(1)
    events.nest.context.close()
    assert events.sequences() == [(0, 0)]
