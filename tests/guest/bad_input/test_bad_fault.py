# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Page fault queues: invalid requests, reads and responses, and faults without a response."""

import errno
import mmap
import os
import resource
import select
from collections.abc import Iterator

import pytest
from errnos import errno_of, fails
from iommufd import mem, mock, uapi
from iommufd.ctx import NO_ID
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.nest import FAULT, RESPONSE, FaultQueue, Nest
from iommufd.state import unchanged
from iommufd.trace import Tracer

OURS = pytest.mark.guest(kernels="ours")
INVALID, UNSUPPORTED = errno.EINVAL, errno.EOPNOTSUPP
SEEK = errno.ESPIPE


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"size": 15}, INVALID),
        ({"flags": 1}, UNSUPPORTED),
        ({"flags": 1 << 31}, UNSUPPORTED),
    ],
    ids=str,
)
def test_alloc(nest: Nest, fields: dict, error: int) -> None:
    nest.refuses("FAULT_QUEUE_ALLOC", error, **fields)


def test_answer_not_writable(nest: Nest) -> None:
    """If the ids cannot be copied to user space, no queue and no file are created."""
    with mem.anonymous(PAGE) as area:
        area.write(bytes(uapi.FaultAlloc()))
        mem.protect(area, mmap.PROT_READ)
        with unchanged(nest.context), fails(errno.EFAULT):
            ioctl(nest.context.fd, uapi.NUMBER["FAULT_QUEUE_ALLOC"], area.address)


def test_too_many_files(nest: Nest) -> None:
    argument = uapi.FaultAlloc()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with unchanged(nest.context):
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            error = errno_of(nest.context.command, "FAULT_QUEUE_ALLOC", argument)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert error == errno.EMFILE


@pytest.fixture
def queue(nest: Nest) -> Iterator[FaultQueue]:
    """A queue to which the device reports its faults."""
    with nest.fault_queue() as queue:
        nest.device.replace(nest.reporting(queue))
        yield queue
        nest.device.close()


def fault(nest: Nest, queue: FaultQueue, count: int = 1) -> list[int]:
    """The cookies of new faults, which are read."""
    for i in range(count):
        nest.device.fault(group=i)
    cookies = [fault.cookie for fault in queue.read(count)]
    assert len(set(cookies)) == count
    return cookies


def test_record(nest: Nest, queue: FaultQueue) -> None:
    """The reference for the other tests: a record has the fields of the fault."""
    nest.device.fault(addr=0xDEADBEAF, group=7, perm=3)
    [fault] = queue.read()
    flags = uapi.PGFAULT_FLAGS_LAST_PAGE
    assert (fault.flags, fault.dev_id, fault.pasid) == (flags, nest.device.device, 0)
    assert (fault.grpid, fault.perm, fault.addr) == (7, 3, 0xDEADBEAF)
    assert (fault.length, getattr(fault, "__reserved")) == (0, 0)
    assert queue.respond(fault.cookie) == 1
    assert queue.read() == []


@pytest.mark.parametrize("size", [1, FAULT - 1, FAULT + 1, 2 * FAULT - 8])
@pytest.mark.parametrize("full", [False, True])
def test_odd_read(nest: Nest, queue: FaultQueue, full: bool, size: int) -> None:
    """Only whole records are read; the faults stay in the queue."""
    if full:
        nest.device.fault()
    with fails(SEEK):
        os.read(queue.fd, size)
    assert queue.readable() == full
    assert len(queue.read()) == full


def test_short_read(nest: Nest, queue: FaultQueue) -> None:
    """As many records as fit, in order. It is no error if not all fit."""
    assert os.read(queue.fd, 0) == b""
    for i in range(5):
        nest.device.fault(group=i)
    with fails(INVALID):
        os.read(queue.fd, 0)
    assert [fault.grpid for fault in queue.read(1)] == [0]
    assert [fault.grpid for fault in queue.read(2)] == [1, 2]
    assert queue.readable()
    assert [fault.grpid for fault in queue.read()] == [3, 4]
    assert not queue.readable()
    assert queue.read() == []


@pytest.mark.parametrize("room", [0, 1, 2])
def test_read_to_nowhere(nest: Nest, queue: FaultQueue, room: int) -> None:
    """A fault that could not be copied can be read again."""
    for i in range(3):
        nest.device.fault(group=i)
    with mem.anonymous(2 * PAGE) as memory:
        mem.protect(memory, mem.PROT_NONE, PAGE)
        address = memory.address + PAGE - room * FAULT
        if room:
            assert queue.read_at(address, 3 * FAULT) == room * FAULT
        else:
            with fails(errno.EFAULT):
                queue.read_at(address, 3 * FAULT)
    assert [fault.grpid for fault in queue.read()] == list(range(room, 3))
    assert queue.read() == []


@pytest.mark.parametrize("size", [1, 4, RESPONSE - 1, RESPONSE + 1, 3 * RESPONSE - 4])
def test_odd_answer(nest: Nest, queue: FaultQueue, size: int) -> None:
    """Only whole responses are accepted."""
    [cookie] = fault(nest, queue)
    data = bytes(uapi.HwptPageResponse(cookie=cookie)) * 3
    with fails(SEEK):
        os.write(queue.fd, data[:size])
    assert os.write(queue.fd, b"") == 0
    assert queue.respond(cookie) == 1


@pytest.mark.parametrize("code", [2, 3, 1 << 31, 0xFFFFFFFF])
def test_unknown_answer(nest: Nest, queue: FaultQueue, code: int) -> None:
    """Is refused: the fault still waits for its response."""
    [cookie] = fault(nest, queue)
    with fails(INVALID):
        queue.respond(cookie, code=code)
    assert queue.respond(cookie, code=uapi.PAGE_RESP_INVALID) == 1


def test_unknown_cookies(nest: Nest, queue: FaultQueue) -> None:
    with fails(INVALID):
        queue.respond(1)
    [cookie] = fault(nest, queue)
    for other in (0, cookie + 1, cookie - 1, NO_ID, 0xFFFFFFFF):
        if other != cookie:
            assert errno_of(queue.respond, other) == INVALID, other
    assert queue.respond(cookie) == 1


@pytest.mark.parametrize("code", [uapi.PAGE_RESP_SUCCESS, uapi.PAGE_RESP_INVALID])
def test_answered_twice(nest: Nest, queue: FaultQueue, code: int) -> None:
    [cookie] = fault(nest, queue)
    assert queue.respond(cookie) == 1
    with fails(INVALID):
        queue.respond(cookie, code=code)


def test_answer_to_unread(nest: Nest, queue: FaultQueue) -> None:
    """User space has not read the fault: even a cookie that is guessed right is unknown."""
    [cookie] = fault(nest, queue)
    assert queue.respond(cookie) == 1
    nest.device.fault()
    for guess in range(cookie + 3):
        assert errno_of(queue.respond, guess) == INVALID
    [unread] = queue.read()
    assert unread.cookie < cookie + 3
    assert queue.respond(unread.cookie) == 1


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bad", ["cookie", "code", "twice"])
def test_some_answers(nest: Nest, queue: FaultQueue, bad: str, place: int) -> None:
    """Responses before a bad one are accepted, those after it are not."""
    cookies = fault(nest, queue, 3)
    answers = [uapi.HwptPageResponse(cookie=cookie) for cookie in cookies]
    if bad == "cookie":
        answers[place].cookie = NO_ID
    elif bad == "code":
        answers[place].code = 5
    else:
        answers.insert(place + 1, answers[place])
        place += 1
    data = b"".join(map(bytes, answers))
    if place:
        assert os.write(queue.fd, data) == place * RESPONSE
    else:
        with fails(INVALID):
            os.write(queue.fd, data)
    for i, cookie in enumerate(cookies):
        assert errno_of(queue.respond, cookie) == (INVALID if i < place else 0)


@pytest.mark.parametrize("there", [0, 1, 2])
def test_answers_from_nowhere(nest: Nest, queue: FaultQueue, there: int) -> None:
    """Memory that ends in the middle of the responses."""
    cookies = fault(nest, queue, 3)
    answers = [bytes(uapi.HwptPageResponse(cookie=cookie)) for cookie in cookies]
    with mem.anonymous(2 * PAGE) as memory:
        mem.protect(memory, mem.PROT_NONE, PAGE)
        at = PAGE - there * RESPONSE
        memory.write(b"".join(answers[:there]), at)
        if there:
            assert queue.write_at(memory.address + at, 3 * RESPONSE) == there * RESPONSE
        else:
            with fails(errno.EFAULT):
                queue.write_at(memory.address + at, 3 * RESPONSE)
    for i, cookie in enumerate(cookies):
        assert errno_of(queue.respond, cookie) == (INVALID if i < there else 0)


def test_poll(nest: Nest, queue: FaultQueue) -> None:
    """Readable only while a fault is unread; always writable."""
    assert queue.events() == select.POLLOUT
    for _ in range(2):
        nest.device.fault()
    assert queue.events() == select.POLLIN | select.POLLOUT
    [first] = queue.read(1)
    assert queue.events() == select.POLLIN | select.POLLOUT
    [second] = queue.read(1)
    assert queue.events() == select.POLLOUT
    assert queue.respond(first.cookie, second.cookie) == 2
    assert queue.events() == select.POLLOUT


def test_no_place_in_the_file(queue: FaultQueue) -> None:
    """The file is a stream."""
    with fails(SEEK):
        os.pread(queue.fd, FAULT, 0)
    with fails(SEEK):
        os.pwrite(queue.fd, bytes(RESPONSE), 0)
    with fails(SEEK):
        os.lseek(queue.fd, 0, os.SEEK_SET)
    with fails(errno.ENODEV):
        mmap.mmap(queue.fd, PAGE)
    with fails(errno.ENOTTY):
        ioctl(queue.fd, uapi.NUMBER["DESTROY"], uapi.Destroy(id=queue.id))


LEAVE = {
    "replace": lambda nest: nest.device.replace(nest.ioas),
    "close": lambda nest: nest.device.close(),
    "other": lambda nest: nest.device.replace(nest.nested()),
}


@pytest.mark.parametrize("leave", LEAVE)
def test_detach(nest: Nest, queue: FaultQueue, leave: str) -> None:
    """Detaching answers its pending faults, read or not. User space can no longer answer them."""
    cookies = fault(nest, queue, 2)
    nest.device.fault()
    LEAVE[leave](nest)
    assert not queue.readable()
    assert queue.read() == []
    for cookie in (*cookies, cookies[-1] + 1):
        assert errno_of(queue.respond, cookie) == INVALID


def test_move_to_the_same_queue(nest: Nest, queue: FaultQueue) -> None:
    """Another page table means another attachment; later faults are not lost."""
    [cookie] = fault(nest, queue)
    nest.device.replace(nest.reporting(queue))
    assert errno_of(queue.respond, cookie) == INVALID
    [cookie] = fault(nest, queue)
    assert queue.respond(cookie) == 1


def test_close(nest: Nest, queue: FaultQueue) -> None:
    """With faults read and unread: the device and all other objects can be destroyed."""
    fault(nest, queue, 2)
    nest.device.fault()
    queue.close()
    # Without a reader, a fault is not kept.
    errno_of(nest.device.fault)
    nest.device.replace(nest.ioas)


@OURS
def test_answers_of_nobody(nest: Nest, queue: FaultQueue) -> None:
    """Each fault that user space leaves open gets one response: invalid."""
    cookies = fault(nest, queue, 2)
    nest.device.fault()
    with Tracer("iommufd", "iommufd_fault_abort") as tracer:
        assert queue.respond(cookies[0]) == 1
        queue.close()
        nest.device.replace(nest.ioas)
        events = tracer.events()
        assert [event.number("cookie") for event in events] == [cookies[1], cookies[1] + 1]
        assert {event.number("code") for event in events} == {uapi.PAGE_RESP_INVALID}


def test_context_closed(nest: Nest, queue: FaultQueue) -> None:
    """The file of the queue keeps the context until it is closed, too."""
    cookies = fault(nest, queue, 2)
    nest.device.fault()
    nest.context.close()
    assert len(queue.read()) == 1
    assert queue.respond(*cookies) == 2
    queue.close()


def test_nobody_to_report_to(nest: Nest) -> None:
    """A page table without a queue."""
    with nest.fault_queue() as queue:
        nest.reporting(queue)
        nest.device.replace(nest.nested())
        # Whether that is an error is up to the mock.
        errno_of(nest.device.fault)
        assert not queue.readable()
        nest.device.replace(nest.ioas)


def test_unknown_device(nest: Nest) -> None:
    """Tests the mock's own command, on which the other tests rely."""
    for device in (0, NO_ID, nest.ioas):
        part = {"dev_id": device, "perm": 1}
        with fails(errno.ENOENT):
            mock.command(nest.context, "TRIGGER_IOPF", trigger_iopf=part)
