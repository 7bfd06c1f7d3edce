# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Each begin event has an end event: all pairs balance when a context is closed."""

import errno
import os
import select
from collections.abc import Callable, Iterator

import pytest
from errnos import errno_of, fails
from event_pairs import Balance
from failnth import sweep
from iommufd import mem, mock, mock_uapi, uapi
from iommufd.ctx import NO_ID
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.nest import IOVA, MAPPED, Nest
from iommufd.platform import MSI
from iommufd.trace import Stream

pytestmark = pytest.mark.guest(kernels="ours")

# An address that the process itself cannot access.
NOTHING = 0
PASIDS = mock_uapi.MOCK_FLAGS_DEVICE_PASID
# Seconds to wait for a kernel worker; reached only on failure.
PATIENCE = 60


@pytest.fixture
def balance(stream: Stream) -> Iterator[Balance]:
    """Counts the events of a test, which must end everything that it begins."""
    stream.read()
    balance = Balance()
    yield balance
    balance.count(stream.read())
    assert not balance.left()


@pytest.fixture
def nest(balance: Balance) -> Iterator[Nest]:
    """With a device that has PASIDs; ends with its context, whatever is left."""
    with Nest(PASIDS) as nest:
        yield nest


def page_tables(nest: Nest) -> None:
    """Of each kind, destroyed by the user or with the context."""
    for flags in (0, uapi.HWPT_ALLOC_DIRTY_TRACKING, uapi.HWPT_ALLOC_NEST_PARENT):
        nest.destroy(nest.paging(flags))
    viommu = nest.viommu()
    nest.destroy(nest.nested(viommu))
    nest.nested(viommu)
    nest.destroy(nest.nested())
    nest.vdevice(viommu, 7)


def refused(nest: Nest) -> None:
    """Page tables that are complete except for the queue that the request names."""
    nothing = {"flags": uapi.HWPT_FAULT_ID_VALID, "fault_id": NO_ID}
    about = {"dev_id": nest.device.device, **nothing}
    argument = uapi.HwptAlloc(pt_id=nest.ioas, **about)
    assert errno_of(nest.context.command, "HWPT_ALLOC", argument) == errno.ENOENT
    assert errno_of(nest.nested, **nothing) == errno.ENOENT
    assert errno_of(nest.nested, nest.viommu(), **nothing) == errno.ENOENT


def moves(nest: Nest) -> None:
    """Attach, replace and detach, with and without a PASID, named and automatic."""
    named = nest.paging(uapi.HWPT_ALLOC_PASID)
    other = nest.paging(uapi.HWPT_ALLOC_PASID)
    nest.device.replace(named)
    nest.device.pasid_attach(5, named)
    nest.device.pasid_replace(5, other)
    nest.device.pasid_attach(6, other)
    nest.device.pasid_detach(5)
    with mock.Device(nest.context, nest.context.ioas_alloc()) as device:
        device.replace(named)
        device.replace(nest.ioas)
        device.replace(nest.nested())
    assert errno_of(nest.device.pasid_attach, 1, nest.parent) == errno.EINVAL


def attaches_that_fail(nest: Nest) -> None:
    """For lack of memory under a mapping, or of addresses."""
    context, ioas = nest.context, nest.context.ioas_alloc()
    with mem.anonymous(4 * PAGE) as buffer:
        context.map(ioas, buffer, iova=IOVA)
        mem.protect(buffer, NOTHING, 3 * PAGE)
        with fails(errno.EFAULT):
            mock.Device(context, ioas)
    with mem.anonymous(PAGE) as buffer, Edu(context) as device:
        ioas = context.ioas_alloc()
        context.map(ioas, buffer, iova=MSI[0])
        with fails(errno.EADDRINUSE):
            device.attach(ioas)
        device.attach(nest.ioas)


def mappings(nest: Nest) -> None:
    """From each source, partly of the same memory, unmapped or left; and some invalid ones."""
    context, ioas = nest.context, nest.context.ioas_alloc()
    with mock.Device(context, ioas):
        context.map(ioas, nest.buffer, MAPPED, iova=IOVA)
        context.copy(ioas, nest.ioas, IOVA, MAPPED, iova=IOVA + MAPPED)
        fd = os.memfd_create("pages")
        os.ftruncate(fd, MAPPED)
        context.map_file(ioas, fd, 0, MAPPED)
        os.close(fd)
        assert errno_of(context.map, ioas, nest.buffer, MAPPED, IOVA) == errno.EEXIST
        with mem.anonymous(4 * PAGE) as buffer:
            mem.protect(buffer, NOTHING, 3 * PAGE)
            assert errno_of(context.map, ioas, buffer.address, 4 * PAGE) == errno.EFAULT
        context.unmap(ioas, IOVA, MAPPED)
    context.destroy(ioas)


def accesses(nest: Nest) -> None:
    """Pins that are released, revoked by an unmap, or closed with the access."""
    with mock.Access(nest.context, nest.ioas) as access:
        access.unpin(access.pin(IOVA, nest.buffer, MAPPED))
        access.pin(IOVA + PAGE, nest.buffer.address + PAGE, PAGE)
        assert errno_of(access.pin, IOVA, nest.buffer, 4 * PAGE) == errno.ENOENT
        other = nest.context.ioas_alloc()
        nest.context.map(other, nest.buffer, MAPPED, iova=IOVA)
        access.replace(other)
        access.pin(IOVA, nest.buffer, MAPPED)
        access.pin(IOVA, nest.buffer, PAGE)
        nest.context.unmap(other, IOVA, MAPPED)
        access.replace(nest.ioas)
        access.pin(IOVA, nest.buffer, PAGE)


def faults(nest: Nest) -> None:
    """Answered, or refused as the attachment ends."""
    with nest.fault_queue() as queue:
        flags = uapi.HWPT_FAULT_ID_VALID | uapi.HWPT_ALLOC_PASID
        nest.device.replace(nest.reporting(queue, flags=flags))
        for _ in range(2):
            nest.device.fault()
            assert select.select([queue.fd], [], [], PATIENCE)[0]
        cookies = [fault.cookie for fault in queue.read()]
        assert queue.respond(cookies[0]) == 1
        nest.device.fault()
        assert select.select([queue.fd], [], [], PATIENCE)[0]
        nest.device.replace(nest.paging(uapi.HWPT_ALLOC_PASID))


STEPS = (page_tables, refused, moves, attaches_that_fail, mappings, accesses, faults)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_step(nest: Nest, step: Callable[[Nest], None]) -> None:
    step(nest)


def test_all(stream: Stream, balance: Balance) -> None:
    """All in one context, with at least one of each pair."""
    with Nest(PASIDS) as nest:
        for step in STEPS:
            step(nest)
    balance.count(stream.read())
    assert not balance.never_begun()


def hwpt(nest: Nest) -> int:
    return nest.context.hwpt_alloc(nest.device.device, nest.ioas)


def nested(nest: Nest) -> int:
    made = nest.nested()
    nest.forget(made)
    return made


def attach(nest: Nest) -> int:
    return mock.Device(nest.context, nest.ioas).id


@pytest.mark.parametrize("make", [hwpt, nested, attach], ids=lambda make: make.__name__)
def test_without_memory(nest: Nest, make: Callable[[Nest], int]) -> None:
    """Each allocation on the way fails once."""
    # So that an attach needs a page table of its own.
    nest.device.replace(nest.paging())
    made: list[int] = []
    failed = sweep(
        lambda: made.append(make(nest)),
        lambda: None,
        lambda: nest.context.destroy(made.pop()),
    )
    assert failed > 0
