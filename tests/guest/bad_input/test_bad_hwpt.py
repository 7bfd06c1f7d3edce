# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid IOMMU_HWPT_ALLOC: the errno of each request, and that no page table is created."""

import ctypes
import errno
import mmap
from collections.abc import Callable

import pytest
from errnos import fails
from iommufd import mem, mock, mock_uapi, uapi
from iommufd.ctx import NO_ID
from iommufd.edu import Edu
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.nest import IOTLB, SELFTEST, Nest
from iommufd.platform import X86
from iommufd.state import unchanged

OURS = pytest.mark.guest(kernels="ours")
INVALID, UNSUPPORTED, NOENT = errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT
FAULT = errno.EFAULT
PARENT, DIRTY = uapi.HWPT_ALLOC_NEST_PARENT, uapi.HWPT_ALLOC_DIRTY_TRACKING
REPORTS, PASID = uapi.HWPT_FAULT_ID_VALID, uapi.HWPT_ALLOC_PASID
DATA = mock_uapi.HwptSelftest(iotlb=IOTLB)
NO_ADDRESS = (8, 1 << 50, 0xFFFF888000000000, uapi.U64_MAX - 7)


def paging(nest: Nest, **fields: int) -> dict[str, int]:
    """A page table that follows the IOAS, except for these fields."""
    return {"dev_id": nest.device.device, "pt_id": nest.ioas, **fields}


PAGING = {
    "size": ({"size": 23}, INVALID),
    "flag-4": ({"flags": 1 << 4}, UNSUPPORTED),
    "flag-31": ({"flags": 1 << 31}, UNSUPPORTED),
    "reserved": ({"__reserved": 1}, UNSUPPORTED),
    "parent-that-reports": ({"flags": PARENT | REPORTS, "fault_id": NO_ID}, UNSUPPORTED),
    "queue-0": ({"flags": REPORTS}, NOENT),
    "queue-unknown": ({"flags": REPORTS, "fault_id": NO_ID}, NOENT),
    "data-without-type": ({"data_len": 8, "data_uptr": ctypes.addressof(DATA)}, INVALID),
    "data-without-type-nowhere": ({"data_len": 8}, INVALID),
    "type-without-data": ({"data_type": SELFTEST}, INVALID),
    "type-not-the-mocks": ({"data_type": uapi.HWPT_DATA_VTD_S1, "data_len": 8}, UNSUPPORTED),
    "data-nowhere": ({"data_type": SELFTEST, "data_len": 8}, FAULT),
    "device-0": ({"dev_id": 0}, NOENT),
    "device-unknown": ({"dev_id": NO_ID}, NOENT),
    "device-max": ({"dev_id": 0xFFFFFFFF}, NOENT),
}


@pytest.mark.parametrize(
    ("fields", "error"), [pytest.param(*case, id=name) for name, case in PAGING.items()]
)
def test_paging(nest: Nest, fields: dict, error: int) -> None:
    nest.refuses("HWPT_ALLOC", error, **paging(nest, **fields))


@OURS
def test_reserved_2(nest: Nest) -> None:
    """The peer ignores the field."""
    nest.refuses("HWPT_ALLOC", UNSUPPORTED, **paging(nest, **{"__reserved2": 1}))


@OURS
@pytest.mark.parametrize("pt_id", [0, NO_ID, 0xFFFFFFFF])
def test_nothing_to_be_on(nest: Nest, pt_id: int) -> None:
    """EINVAL on the peer, which elsewhere returns ENOENT for unknown ids."""
    nest.refuses("HWPT_ALLOC", NOENT, **paging(nest, pt_id=pt_id))


Wrong = Callable[[Nest], int]
OTHERS: dict[str, Wrong] = {
    "ioas": lambda nest: nest.ioas,
    "slot": lambda nest: nest.device.id,
    "page-table": lambda nest: nest.device.hwpt,
    "parent": lambda nest: nest.parent,
    "nested": lambda nest: nest.nested(),
    "viommu": lambda nest: nest.viommu(),
}


@pytest.mark.parametrize("other", OTHERS)
def test_not_a_device(nest: Nest, other: str) -> None:
    nest.refuses("HWPT_ALLOC", NOENT, **paging(nest, dev_id=OTHERS[other](nest)))


@pytest.mark.parametrize("other", [*OTHERS, "device"])
def test_not_a_queue(nest: Nest, other: str) -> None:
    fault = nest.device.device if other == "device" else OTHERS[other](nest)
    nest.refuses("HWPT_ALLOC", NOENT, **paging(nest, flags=REPORTS, fault_id=fault))


@pytest.mark.parametrize("other", ["device", "slot", "nested", "queue", "vdevice"])
def test_not_to_be_on(nest: Nest, other: str) -> None:
    """A page table is allocated on an IOAS, a parent or a vIOMMU only."""
    with nest.fault_queue() as queue:
        on = {
            "device": lambda: nest.device.device,
            "slot": lambda: nest.device.id,
            "nested": nest.nested,
            "queue": lambda: queue.id,
            "vdevice": lambda: nest.vdevice(nest.viommu(), 1),
        }[other]()
        nest.refuses("HWPT_ALLOC", INVALID, **nest.hwpt_fields(DATA, pt_id=on))


@pytest.mark.parametrize("automatic", [False, True])
def test_no_parent(nest: Nest, automatic: bool) -> None:
    """A page table that was not allocated as a parent."""
    on = nest.device.hwpt if automatic else nest.paging()
    nest.refuses("HWPT_ALLOC", INVALID, **nest.hwpt_fields(DATA, pt_id=on))


NESTED = {
    "parent": ({"flags": PARENT}, UNSUPPORTED),
    "parent-that-reports": ({"flags": PARENT | REPORTS}, UNSUPPORTED),
    "dirty": ({"flags": DIRTY}, UNSUPPORTED),
    "flag-4": ({"flags": 1 << 4}, UNSUPPORTED),
    "queue-unknown": ({"flags": REPORTS, "fault_id": NO_ID}, NOENT),
    "no-data": ({"data_type": 0, "data_len": 0}, UNSUPPORTED),
    "data-without-type": ({"data_type": 0}, INVALID),
    "type-without-data": ({"data_len": 0}, INVALID),
    "type-unknown": ({"data_type": 0xFFFFFFFF}, UNSUPPORTED),
    "type-of-another": ({"data_type": uapi.HWPT_DATA_VTD_S1}, UNSUPPORTED),
    "data-nowhere": ({"data_uptr": 0}, FAULT),
    **{f"data-at-{at:#x}": ({"data_uptr": at}, FAULT) for at in NO_ADDRESS},
    "device-unknown": ({"dev_id": NO_ID}, NOENT),
}


@pytest.mark.parametrize("through", ["parent", "viommu"])
@pytest.mark.parametrize(
    ("fields", "error"), [pytest.param(*case, id=name) for name, case in NESTED.items()]
)
def test_nested(nest: Nest, through: str, fields: dict, error: int) -> None:
    on = nest.viommu() if through == "viommu" else nest.parent
    nest.refuses("HWPT_ALLOC", error, **nest.hwpt_fields(DATA, **{"pt_id": on, **fields}))


@pytest.mark.parametrize("length", [0, 1, 3, 4, 7, 8, 9, 16, PAGE])
def test_length(nest: Nest, length: int) -> None:
    """Any length from the first version of the structure to the current one, but no more."""
    with mem.anonymous(PAGE) as memory:
        memory.write(bytes(DATA))
        where = {"data_uptr": memory.address, "data_len": length}
        if 4 <= length <= 8:
            assert mock.iotlb(nest.context, nest.nested(**where), 0, IOTLB)
        else:
            nest.refuses("HWPT_ALLOC", INVALID, **nest.hwpt_fields(DATA, **where))


def test_memory_ends(nest: Nest) -> None:
    """In the middle of the data."""
    with mem.anonymous(2 * PAGE) as memory:
        mem.protect(memory, mem.PROT_NONE, PAGE)
        where = {"data_uptr": memory.address + PAGE - 4}
        nest.refuses("HWPT_ALLOC", FAULT, **nest.hwpt_fields(DATA, **where))


def test_device_without_dirty_tracking(nest: Nest) -> None:
    """Gets no page table with dirty tracking."""
    flags = mock_uapi.MOCK_FLAGS_DEVICE_NO_DIRTY
    with mock.Device(nest.context, nest.ioas, flags) as device:
        fields = paging(nest, dev_id=device.device, flags=DIRTY)
        nest.refuses("HWPT_ALLOC", UNSUPPORTED, **fields)


@pytest.mark.parametrize("through", ["parent", "viommu"])
def test_other_iommu(nest: Nest, through: str) -> None:
    """A device cannot use the page table of another IOMMU; SMMUv3 nests on vIOMMUs only."""
    on = nest.viommu() if through == "viommu" else nest.parent
    with Edu(nest.context) as device:
        fields = nest.hwpt_fields(DATA, dev_id=device.id, pt_id=on)
        error = INVALID if X86 or through == "viommu" else UNSUPPORTED
        nest.refuses("HWPT_ALLOC", error, **fields)


@pytest.mark.parametrize("kind", ["paging", "nested"])
def test_answer_not_writable(nest: Nest, kind: str) -> None:
    """If the id cannot be copied to user space, no page table is created."""
    with mem.anonymous(PAGE) as area, nest.fault_queue() as queue:
        report = {"flags": REPORTS, "fault_id": queue.id}
        nested = nest.hwpt_fields(DATA, **report)
        fields = nested if kind == "nested" else paging(nest, **report)
        area.write(bytes(uapi.HwptAlloc(**fields)))
        mem.protect(area, mmap.PROT_READ)
        with unchanged(nest.context, nest.ioas), fails(FAULT):
            ioctl(nest.context.fd, uapi.NUMBER["HWPT_ALLOC"], area.address)


def test_older_program(nest: Nest) -> None:
    """Its structure ends before the data, which then counts as zero."""
    size = uapi.HwptAlloc.data_type.offset
    argument = uapi.HwptAlloc(**paging(nest, size=size, data_type=7, data_len=9))
    nest.context.command("HWPT_ALLOC", argument)
    nest.keep(argument.out_hwpt_id)
    nest.refuses("HWPT_ALLOC", UNSUPPORTED, **nest.hwpt_fields(DATA, size=size))


def test_queue_not_asked_for(nest: Nest) -> None:
    """The id of the queue counts only if the flag is set."""
    nest.nested(fault_id=NO_ID)
