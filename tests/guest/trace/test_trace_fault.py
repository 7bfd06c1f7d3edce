# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Events of page faults: reported, read, answered, refused, and the durations."""

import errno
import select
from collections.abc import Iterator

import pytest
from errnos import fails
from event_log import EventLog
from iommufd import mock_uapi, uapi
from iommufd.nest import IOVA, FaultQueue, Nest
from iommufd.trace import Event

pytestmark = pytest.mark.guest(kernels="ours")

READ, WRITE = 1, 2
PASID = 9
SUCCESS, INVALID = uapi.PAGE_RESP_SUCCESS, uapi.PAGE_RESP_INVALID
# Seconds to wait for a kernel worker; reached only on failure.
PATIENCE = 60


@pytest.fixture
def nest() -> Iterator[Nest]:
    """With a device that has PASIDs."""
    with Nest(mock_uapi.MOCK_FLAGS_DEVICE_PASID) as nest:
        yield nest


@pytest.fixture
def ctx(seen: EventLog, nest: Nest) -> int:
    """The number of the context; drops the events of its creation."""
    number = seen.context()
    seen.forget()
    return number


@pytest.fixture
def queue(nest: Nest) -> Iterator[FaultQueue]:
    """A queue to which the device's page table reports."""
    with nest.fault_queue() as queue:
        flags = uapi.HWPT_FAULT_ID_VALID | uapi.HWPT_ALLOC_PASID
        nest.device.replace(nest.reporting(queue, flags=flags))
        yield queue


def fault(nest: Nest, queue: FaultQueue, **how: int) -> None:
    """A fault that can be read when this returns."""
    nest.device.fault(**how)
    assert select.select([queue.fd], [], [], PATIENCE)[0]


def only(seen: EventLog, name: str) -> Event:
    (event,) = seen.all(name)
    return event


@pytest.mark.parametrize("code", [SUCCESS, INVALID], ids=["success", "invalid"])
def test_answer(seen: EventLog, nest: Nest, ctx: int, queue: FaultQueue, code: int) -> None:
    """A group from the report to the response; each duration is longer than the one before."""
    about = {"ctx": ctx, "fault": queue.id, "cookie": 1}
    fault(nest, queue, addr=IOVA + 0x5000, group=3, perm=WRITE)
    seen.is_one(
        "fault_report",
        device=nest.device.device,
        pasid=0,
        faults=1,
        perm=WRITE,
        addr=IOVA + 0x5000,
        ret=0,
        **about,
    )
    (record,) = queue.read()
    assert record.cookie == 1
    seen.is_one("fault_read", faults=1, **about)
    queue.respond(1, code=code)
    seen.is_one("fault_respond", code=code, **about)
    waited = [only(seen, name).number("wait_ns") for name in ("fault_read", "fault_respond")]
    assert 0 < waited[0] < waited[1]
    assert not seen.all("fault_abort")


def test_pasid(seen: EventLog, nest: Nest, ctx: int, queue: FaultQueue) -> None:
    """The second group has the next cookie."""
    hwpt = nest.device.hwpt
    nest.device.pasid_attach(PASID, hwpt)
    for cookie, pasid in enumerate((0, PASID), 1):
        seen.forget()
        fault(nest, queue, pasid=pasid, perm=READ)
        seen.is_one(
            "fault_report",
            ctx=ctx,
            fault=queue.id,
            cookie=cookie,
            device=nest.device.device,
            pasid=pasid,
            faults=1,
            perm=READ,
            addr=IOVA,
            ret=0,
        )
        queue.read()
        queue.respond(cookie)


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
def test_abort_by_the_end_of_the_attachment(
    seen: EventLog, nest: Nest, ctx: int, queue: FaultQueue, read: bool
) -> None:
    fault(nest, queue)
    if read:
        queue.read()
    nest.device.replace(nest.ioas)
    seen.is_one("fault_abort", ctx=ctx, fault=queue.id, cookie=1, code=INVALID)
    assert only(seen, "fault_abort").number("wait_ns") > 0
    assert not seen.all("fault_respond")


def test_abort_by_closing_the_queue(
    seen: EventLog, nest: Nest, ctx: int, queue: FaultQueue
) -> None:
    """Later faults are refused at once."""
    fault(nest, queue)
    queue.close()
    seen.is_one("fault_abort", ctx=ctx, fault=queue.id, cookie=1, code=INVALID)
    seen.forget()
    nest.device.fault(addr=IOVA)
    # The attachment ends when its faults are over.
    nest.device.replace(nest.ioas)
    report = only(seen, "fault_report")
    assert report.number("ret") == -errno.ENODEV
    assert not seen.all("fault_abort")


def test_answers_that_are_none(seen: EventLog, nest: Nest, ctx: int, queue: FaultQueue) -> None:
    fault(nest, queue)
    queue.read()
    with fails(errno.EINVAL):
        queue.respond(7)
    assert not seen.all("fault_respond")
    queue.respond(1)
    seen.is_one("fault_respond", ctx=ctx, fault=queue.id, cookie=1, code=SUCCESS)
