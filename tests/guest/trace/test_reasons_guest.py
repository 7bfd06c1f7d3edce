# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Why requests fail: page tables, PASIDs, objects of guests, queues and files."""

import errno
import mmap
import os
import select
from collections.abc import Iterator

import pytest
from iommufd import mem, mock, mock_uapi, uapi
from iommufd.container import IOMMU_GET_INFO, Adopted
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.nest import FAULT, IOVA, MAPPED, RESPONSE, VEVENTQ, VIOMMU, Nest
from iommufd.trace import Stream
from reason_cases import Case, cases

pytestmark = pytest.mark.guest(kernels="ours")

READ_FAULTS, WRITE_FAULTS, READ_EVENTS, MMAP = 1, 2, 3, 4
INVALID, UNSUPPORTED = errno.EINVAL, errno.EOPNOTSUPP
PASID = 5
VIRT_ID = 0x1234
# Seconds to wait for a kernel worker; reached only on failure.
PATIENCE = 60
VM_EXEC, VM_SHARED = 4, 8


@pytest.fixture(scope="module")
def stream() -> Iterator[Stream]:
    with Stream("iommufd", "iommufd_fail") as stream:
        yield stream


@pytest.fixture
def world() -> Iterator[Nest]:
    """A device of the mock with PASIDs."""
    with Nest(mock_uapi.MOCK_FLAGS_DEVICE_PASID) as nest:
        yield nest


def hwpt_alloc(nest: Nest, **fields: int) -> None:
    fields = {"dev_id": nest.device.device, "pt_id": nest.parent, **fields}
    nest.context.command("HWPT_ALLOC", uapi.HwptAlloc(**fields))


def invalidate(nest: Nest) -> None:
    """One entry for the driver, with an unknown flag."""
    entry = mock_uapi.HwptInvalidateSelftest(flags=1 << 9)
    with mem.anonymous(PAGE) as memory:
        memory.write(bytes(entry))
        argument = uapi.HwptInvalidate(
            hwpt_id=nest.nested(),
            data_uptr=memory.address,
            data_type=mock_uapi.IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID,
            entry_len=8,
            entry_num=1,
        )
        nest.context.command("HWPT_INVALIDATE", argument)


def read_dirty(nest: Nest, **fields: int) -> None:
    hwpt = nest.paging(uapi.HWPT_ALLOC_DIRTY_TRACKING)
    fields = {"hwpt_id": hwpt, "iova": IOVA, "length": PAGE, "page_size": PAGE, **fields}
    nest.context.command("HWPT_GET_DIRTY_BITMAP", uapi.HwptGetDirtyBitmap(**fields))


TABLES = (
    Case("data_mismatch", UNSUPPORTED, hwpt_alloc),
    Case(
        "not_nest_parent",
        INVALID,
        lambda w: w.viommu(hwpt_id=w.device.hwpt),
        lambda w: (w.device.hwpt, 0),
    ),
    Case(
        "driver_lacks",
        UNSUPPORTED,
        lambda w: hwpt_alloc(w, data_type=uapi.HWPT_DATA_VTD_S1, data_len=24),
    ),
    Case("driver_refused", INVALID, invalidate, (INVALID, 0)),
    Case("unknown_value", INVALID, lambda w: read_dirty(w, page_size=3 * PAGE), (3 * PAGE, 0)),
    Case("user_memory", errno.EFAULT, lambda w: read_dirty(w, data=1 << 60), (1 << 60, 0)),
    Case(
        "no_phys",
        UNSUPPORTED,
        lambda w: w.context.command(
            "IOAS_NOIOMMU_GET_PA", uapi.IoasNoiommuGetPa(ioas_id=w.ioas, iova=IOVA, length=1)
        ),
        (IOVA, 0),
    ),
)


PASIDS = (
    Case(
        "not_attached",
        INVALID,
        lambda w: w.device.pasid_replace(PASID, w.parent),
        lambda w: (w.device.device, PASID),
    ),
    Case(
        "not_for_pasids",
        INVALID,
        lambda w: w.device.pasid_attach(PASID, w.parent),
        lambda w: (w.parent, PASID),
    ),
    Case(
        "pasid_needs_hwpt",
        INVALID,
        lambda w: w.device.pasid_attach(PASID, w.ioas),
        lambda w: (w.ioas, PASID),
    ),
)


def two_vdevices(nest: Nest) -> None:
    viommu = nest.viommu()
    with mock.Device(nest.context, nest.ioas) as other:
        nest.vdevice(viommu, VIRT_ID)
        nest.vdevice(viommu, VIRT_ID, other.device)


def two_event_queues(nest: Nest) -> None:
    viommu = nest.viommu()
    with nest.event_queue(viommu):
        nest.event_queue(viommu)


def unmap_a_queue(nest: Nest) -> None:
    nest.hw_queue(nest.viommu())
    nest.context.unmap(nest.ioas, IOVA, MAPPED)


def scattered_queue(nest: Nest) -> None:
    """The same page twice."""
    at = IOVA + 16 * PAGE
    for i in range(2):
        nest.context.map(nest.ioas, nest.buffer, PAGE, iova=at + i * PAGE)
    nest.hw_queue(nest.viommu(), iova=at, length=2 * PAGE)


GUESTS = (
    Case("duplicate", errno.EEXIST, two_vdevices, (VIRT_ID, 0)),
    Case("duplicate", errno.EEXIST, two_event_queues, (VEVENTQ, 0)),
    Case(
        "out_of_range",
        INVALID,
        lambda w: w.event_queue(w.viommu(), depth=0),
        (0, 1 << 19),
    ),
    Case("hardware_uses", errno.EBUSY, unmap_a_queue, (IOVA, IOVA + MAPPED - 1)),
    Case("not_contiguous", errno.EFAULT, scattered_queue, (IOVA + 16 * PAGE, 2 * PAGE)),
)


@cases(*TABLES, *PASIDS, *GUESTS)
def test_reason(stream: Stream, world: Nest, case: Case) -> None:
    case.run(stream, world)


def test_attached(stream: Stream, world: Nest) -> None:
    """A PASID; VFIO turns a second attach of the device itself into a replace."""
    device = world.device
    first = world.paging(uapi.HWPT_ALLOC_PASID)
    device.replace(first)
    device.pasid_attach(PASID, first)
    case = Case(
        "attached",
        errno.EBUSY,
        lambda _: device.pasid_attach(PASID, first),
        (device.device, first),
    )
    case.run(stream, world, mock_uapi.TEST_CMD)


def test_other_iommu(stream: Stream, world: Nest) -> None:
    """The vIOMMU belongs to the mock, the device does not."""
    viommu = world.viommu()
    with Edu(world.context) as device:
        case = Case(
            "other_iommu",
            INVALID,
            lambda w: w.vdevice(viommu, VIRT_ID, device.id),
            (viommu, device.id),
        )
        case.run(stream, world, uapi.NUMBER["VDEVICE_ALLOC"])


class TestFiles:
    """Requests other than ioctls."""

    def test_fault_queue(self, stream: Stream, world: Nest) -> None:
        with world.fault_queue() as queue:
            length = Case("bad_length", errno.ESPIPE, lambda _: os.read(queue.fd, 5), (5, FAULT))
            length.run(stream, world, READ_FAULTS)
            length = Case(
                "bad_length", errno.ESPIPE, lambda _: os.write(queue.fd, b"12345"), (5, RESPONSE)
            )
            length.run(stream, world, WRITE_FAULTS)
            unknown = Case("unknown_cookie", INVALID, lambda _: queue.respond(7), (7, 0))
            unknown.run(stream, world, WRITE_FAULTS)
            code = Case("unknown_value", INVALID, lambda _: queue.respond(7, code=9), (9, 0))
            code.run(stream, world, WRITE_FAULTS)

    def test_faults(self, stream: Stream, world: Nest) -> None:
        with world.fault_queue() as queue:
            world.device.replace(world.reporting(queue))
            world.device.fault()
            assert select.select([queue.fd], [], [], PATIENCE)[0]
            unread = Case("not_read_yet", INVALID, lambda _: queue.respond(1), (1, 0))
            unread.run(stream, world, WRITE_FAULTS)
            short = Case("short_buffer", INVALID, lambda _: os.read(queue.fd, 0), (0, 1))
            short.run(stream, world, READ_FAULTS)
            (fault,) = queue.read()
            assert fault.cookie == 1
            queue.respond(1)

    def test_event_queue(self, stream: Stream, world: Nest) -> None:
        with world.event_queue(world.viommu()) as queue:
            short = Case("short_buffer", INVALID, lambda _: os.read(queue.fd, 3), (3, 8))
            short.run(stream, world, READ_EVENTS)

    def test_mmap(self, stream: Stream, world: Nest) -> None:
        def area(offset: int, flags: int, prot: int) -> None:
            mmap.mmap(world.context.fd, PAGE, flags, prot, offset=offset).close()

        write = mmap.PROT_READ | mmap.PROT_WRITE
        offset = Case(
            "mmap_offset",
            errno.ENXIO,
            lambda _: area(7 * PAGE, mmap.MAP_SHARED, write),
            (7 * PAGE, PAGE),
        )
        offset.run(stream, world, MMAP)

    @pytest.mark.parametrize(
        ("flags", "prot", "error", "mask", "expected"),
        [
            (mmap.MAP_PRIVATE, mmap.PROT_READ, INVALID, VM_SHARED, 0),
            (mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_EXEC, errno.EPERM, VM_EXEC, VM_EXEC),
        ],
        ids=["private", "executable"],
    )
    def test_mmap_flags(
        self,
        stream: Stream,
        world: Nest,
        flags: int,
        prot: int,
        error: int,
        mask: int,
        expected: int,
    ) -> None:
        """Most of the bits are internal to the kernel."""
        stream.read()
        with pytest.raises(OSError) as caught:
            mmap.mmap(world.context.fd, PAGE, flags, prot)
        assert caught.value.errno == error
        (event,) = stream.read()
        assert (event["reason"], event.number("ret")) == ("mmap_flags", -error)
        assert event.number("first") & mask == expected
        assert event.number("second") == 0

    def test_container(self, stream: Stream, world: Nest) -> None:
        """The file has no IOAS for VFIO's ioctls."""
        container = Adopted(world.context.fd)
        case = Case("no_container_ioas", errno.ENODEV, lambda _: container.info())
        case.run(stream, world, IOMMU_GET_INFO)


def test_unknown_type(stream: Stream, world: Nest) -> None:
    case = Case(
        "unknown_value",
        UNSUPPORTED,
        lambda w: w.viommu(type=uapi.VIOMMU_TYPE_DEFAULT),
        (uapi.VIOMMU_TYPE_DEFAULT, 0),
    )
    case.run(stream, world, uapi.NUMBER["VIOMMU_ALLOC"])
    case = Case("driver_lacks", UNSUPPORTED, lambda w: w.viommu(type=VIOMMU - 1))
    case.run(stream, world, uapi.NUMBER["VIOMMU_ALLOC"])
