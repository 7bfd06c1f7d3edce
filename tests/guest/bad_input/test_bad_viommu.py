# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid IOMMU_VIOMMU_ALLOC: the errno of each request, and that no vIOMMU is created."""

import ctypes
import errno
import mmap

import pytest
from errnos import fails
from iommufd import mem, mock_uapi, uapi
from iommufd.ctx import NO_ID
from iommufd.edu import Edu
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.nest import VIOMMU, Nest, pointer
from iommufd.state import unchanged

OURS = pytest.mark.guest(kernels="ours")
INVALID, UNSUPPORTED, NOENT = errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT
FAULT = errno.EFAULT
DATA = mock_uapi.ViommuSelftest(in_data=0x5A)
NO_ADDRESS = (0, 8, 1 << 50, 0xFFFF888000000000, uapi.U64_MAX - 31)


def fields_of(nest: Nest, **fields: int) -> dict[str, int]:
    """A valid request, except for these fields."""
    right = {"type": VIOMMU, "dev_id": nest.device.device, "hwpt_id": nest.parent}
    return {**right, **fields}


FIELDS = {
    "size": ({"size": 23}, INVALID),
    "flags": ({"flags": 1}, UNSUPPORTED),
    "flags-31": ({"flags": 1 << 31}, UNSUPPORTED),
    "type-default": ({"type": uapi.VIOMMU_TYPE_DEFAULT}, UNSUPPORTED),
    "type-of-another": ({"type": uapi.VIOMMU_TYPE_ARM_SMMUV3}, UNSUPPORTED),
    "type-max": ({"type": 0xFFFFFFFF}, UNSUPPORTED),
    "device-0": ({"dev_id": 0}, NOENT),
    "device-unknown": ({"dev_id": NO_ID}, NOENT),
    "parent-0": ({"hwpt_id": 0}, NOENT),
    "parent-unknown": ({"hwpt_id": NO_ID}, NOENT),
}


@pytest.mark.parametrize(
    ("fields", "error"), [pytest.param(*case, id=name) for name, case in FIELDS.items()]
)
def test_fields(nest: Nest, fields: dict, error: int) -> None:
    nest.refuses("VIOMMU_ALLOC", error, **fields_of(nest, **fields))


@OURS
def test_reserved(nest: Nest) -> None:
    """The peer ignores the field."""
    nest.refuses("VIOMMU_ALLOC", UNSUPPORTED, **fields_of(nest, **{"__reserved": 1}))


@pytest.mark.parametrize("other", ["ioas", "slot", "parent", "viommu"])
def test_not_a_device(nest: Nest, other: str) -> None:
    device = {
        "ioas": lambda: nest.ioas,
        "slot": lambda: nest.device.id,
        "parent": lambda: nest.parent,
        "viommu": nest.viommu,
    }[other]()
    nest.refuses("VIOMMU_ALLOC", NOENT, **fields_of(nest, dev_id=device))


@pytest.mark.parametrize(
    ("other", "error"),
    [
        ("ioas", NOENT),
        ("device", NOENT),
        ("nested", NOENT),
        ("viommu", NOENT),
        ("automatic", INVALID),
        ("plain", INVALID),
    ],
)
def test_not_a_parent(nest: Nest, other: str, error: int) -> None:
    """Only page tables that were allocated as parents are accepted."""
    hwpt = {
        "ioas": lambda: nest.ioas,
        "device": lambda: nest.device.device,
        "nested": nest.nested,
        "viommu": nest.viommu,
        "automatic": lambda: nest.device.hwpt,
        "plain": nest.paging,
    }[other]()
    nest.refuses("VIOMMU_ALLOC", error, **fields_of(nest, hwpt_id=hwpt))


def test_iommu_without(nest: Nest) -> None:
    """A real device, whose IOMMU does not support vIOMMUs."""
    with Edu(nest.context) as device:
        nest.refuses("VIOMMU_ALLOC", UNSUPPORTED, **fields_of(nest, dev_id=device.id))


@pytest.mark.parametrize("address", NO_ADDRESS, ids=hex)
def test_data_nowhere(nest: Nest, address: int) -> None:
    where = {"data_len": ctypes.sizeof(DATA), "data_uptr": address}
    nest.refuses("VIOMMU_ALLOC", FAULT, **fields_of(nest, **where))


@pytest.mark.parametrize("length", [1, 3, 25, PAGE])
def test_length(nest: Nest, length: int) -> None:
    """Data that is longer than the driver knows, or too short."""
    with mem.anonymous(PAGE) as memory:
        memory.write(bytes(DATA))
        where = {"data_len": length, "data_uptr": memory.address}
        nest.refuses("VIOMMU_ALLOC", INVALID, **fields_of(nest, **where))


@pytest.mark.parametrize("offset", [0, 8, 16])
def test_data_ends(nest: Nest, offset: int) -> None:
    """Memory that ends within the data."""
    with mem.anonymous(2 * PAGE) as memory:
        mem.protect(memory, mem.PROT_NONE, PAGE)
        where = {
            "data_len": ctypes.sizeof(DATA),
            "data_uptr": memory.address + PAGE - offset,
        }
        nest.refuses("VIOMMU_ALLOC", FAULT, **fields_of(nest, **where))


def test_data_not_writable(nest: Nest) -> None:
    """The driver's answer cannot be copied: its mmap offer is withdrawn, too."""
    with mem.anonymous(PAGE) as memory:
        memory.write(bytes(DATA))
        mem.protect(memory, mmap.PROT_READ)
        where = {"data_len": ctypes.sizeof(DATA), "data_uptr": memory.address}
        nest.refuses("VIOMMU_ALLOC", FAULT, **fields_of(nest, **where))
    data = mock_uapi.ViommuSelftest(in_data=7)
    nest.viommu(**pointer(data))
    assert (data.out_data, data.out_mmap_offset) == (7, PAGE)


def test_answer_not_writable(nest: Nest) -> None:
    """If the id cannot be copied to user space, no vIOMMU is created."""
    data = mock_uapi.ViommuSelftest(in_data=7)
    with mem.anonymous(PAGE) as area:
        area.write(bytes(uapi.ViommuAlloc(**fields_of(nest, **pointer(data)))))
        mem.protect(area, mmap.PROT_READ)
        with unchanged(nest.context, nest.ioas), fails(FAULT):
            ioctl(nest.context.fd, uapi.NUMBER["VIOMMU_ALLOC"], area.address)
    nest.viommu(**pointer(data))
    assert data.out_mmap_offset == PAGE
