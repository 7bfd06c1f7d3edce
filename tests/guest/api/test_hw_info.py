# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOMMU_GET_HW_INFO: what user space learns about the IOMMU of a device."""

import ctypes
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from errnos import fails
from iommufd import mem, mock, mock_uapi, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.edu import Edu
from iommufd.mem import PAGE

SELFTEST = mock_uapi.IOMMU_HW_INFO_TYPE_SELFTEST
DATA = bytes(mock_uapi.MockHwInfo(test_reg=mock_uapi.IOMMU_HW_INFO_SELFTEST_REGVAL))
NO_ATS = uapi.HW_CAP_PCI_ATS_NOT_SUPPORTED


def info(context: Context, device: int, **fields: int) -> uapi.HwInfo:
    argument = uapi.HwInfo(dev_id=device, **fields)
    context.command("GET_HW_INFO", argument)
    return argument


@pytest.fixture
def device(context: Context, ioas: int) -> Iterator[int]:
    """A device of the mock."""
    with mock.Device(context, ioas) as device:
        yield device.device


def test_without_data(context: Context, device: int) -> None:
    """Without a buffer, the length reports how much data there is."""
    for fields in ({}, {"data_uptr": 8}, {"out_capabilities": 0xFF, "out_max_pasid_log2": 7}):
        told = info(context, device, **fields)
        assert told.data_len == len(DATA)
        assert told.out_data_type == SELFTEST
        assert told.out_max_pasid_log2 == 0
        assert told.out_capabilities == uapi.HW_CAP_DIRTY_TRACKING | NO_ATS


@pytest.mark.parametrize("length", [1, 3, 4, 5, 7, 8, 9, 16, 100, PAGE])
def test_lengths(context: Context, device: int, length: int) -> None:
    """As much data as fits, then zeros up to the end, and not a byte more."""
    with mem.anonymous(2 * PAGE) as memory:
        memory.fill(0xFF)
        told = info(context, device, data_uptr=memory.address, data_len=length)
        assert told.data_len == len(DATA)
        want = DATA[:length].ljust(length, b"\0")
        assert memory.read() == want + b"\xff" * (2 * PAGE - length)


def test_types(context: Context, device: int) -> None:
    """The requested type counts only if the flag is set."""
    asked = uapi.HW_INFO_FLAG_INPUT_TYPE
    assert info(context, device, out_data_type=7).out_data_type == SELFTEST
    for kind in (uapi.HW_INFO_TYPE_DEFAULT, SELFTEST):
        told = info(context, device, flags=asked, out_data_type=kind)
        assert (told.out_data_type, told.data_len) == (SELFTEST, len(DATA))
    for kind in (SELFTEST + 1, uapi.HW_INFO_TYPE_INTEL_VTD, 0xFFFFFFFF):
        with fails(errno.EOPNOTSUPP):
            info(context, device, flags=asked, out_data_type=kind)


@pytest.mark.parametrize(
    ("flags", "capabilities", "pasids"),
    [
        (mock_uapi.MOCK_FLAGS_DEVICE_NO_DIRTY, NO_ATS, 0),
        (
            mock_uapi.MOCK_FLAGS_DEVICE_PASID,
            NO_ATS | uapi.HW_CAP_DIRTY_TRACKING,
            mock_uapi.MOCK_PASID_WIDTH,
        ),
    ],
)
def test_capabilities(
    context: Context, ioas: int, flags: int, capabilities: int, pasids: int
) -> None:
    with mock.Device(context, ioas, flags) as device:
        told = info(context, device.device)
        assert told.out_capabilities == capabilities
        assert told.out_max_pasid_log2 == pasids


def test_older_program(context: Context, device: int) -> None:
    """Its structure ends before the capabilities."""
    told = info(context, device, size=uapi.HwInfo.out_capabilities.offset, out_capabilities=0x55)
    assert told.out_data_type == SELFTEST
    assert told.out_capabilities == 0x55


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"size": 31}, errno.EINVAL),
        ({"flags": 2}, errno.EOPNOTSUPP),
        ({"flags": 3}, errno.EOPNOTSUPP),
        ({"flags": 2, "dev_id": NO_ID}, errno.EOPNOTSUPP),
        ({"dev_id": NO_ID}, errno.ENOENT),
        ({"dev_id": 0}, errno.ENOENT),
        ({"data_len": 8}, errno.EFAULT),
        ({"data_len": 8, "data_uptr": 8}, errno.EFAULT),
        ({"data_len": 8, "data_uptr": 1 << 50}, errno.EFAULT),
        ({"data_len": 8, "data_uptr": 0xFFFF888000000000}, errno.EFAULT),
        ({"data_len": 8, "data_uptr": uapi.U64_MAX}, errno.EFAULT),
    ],
    ids=str,
)
def test_bad_input(context: Context, device: int, fields: dict, error: int) -> None:
    with fails(error):
        context.command("GET_HW_INFO", uapi.HwInfo(**{"dev_id": device, **fields}))


@pytest.mark.parametrize("i", range(3))
def test_reserved(context: Context, device: int, i: int) -> None:
    argument = uapi.HwInfo(dev_id=device)
    getattr(argument, "__reserved")[i] = 1
    with fails(errno.EOPNOTSUPP):
        context.command("GET_HW_INFO", argument)


def test_no_device(context: Context, ioas: int) -> None:
    """Ids of other objects."""
    with mock.Device(context, ioas) as device:
        for other in (ioas, device.id, device.hwpt):
            with fails(errno.ENOENT):
                info(context, other)
        gone = device.device
    with fails(errno.ENOENT):
        info(context, gone)


@pytest.mark.parametrize("length", [len(DATA), 2 * PAGE, 0xFFFFFFFF])
def test_no_room(context: Context, device: int, length: int) -> None:
    """Memory that ends before the length does."""
    with mem.anonymous(2 * PAGE) as memory:
        mem.protect(memory, mem.PROT_NONE, PAGE)
        address = memory.address + PAGE - 4
        with fails(errno.EFAULT):
            info(context, device, data_uptr=address, data_len=length)


def registers() -> set[tuple[int, int]]:
    """The registers of this machine's VT-d units, as their driver shows them."""
    units = Path("/sys/class/iommu").glob("*/intel-iommu")
    return {tuple(int((unit / name).read_text(), 16) for name in ("cap", "ecap")) for unit in units}


@pytest.mark.x86("VT-d")
def test_intel(context: Context) -> None:
    """The registers of a real device's IOMMU."""
    data = uapi.HwInfoVtd()
    where = {"data_uptr": ctypes.addressof(data), "data_len": ctypes.sizeof(data)}
    with Edu(context) as device:
        for fields in ({}, {"flags": 1, "out_data_type": uapi.HW_INFO_TYPE_INTEL_VTD}):
            ctypes.memset(ctypes.addressof(data), 0xFF, ctypes.sizeof(data))
            told = info(context, device.id, **where, **fields)
            assert told.out_data_type == uapi.HW_INFO_TYPE_INTEL_VTD
            assert told.data_len == ctypes.sizeof(data)
            assert (data.cap_reg, data.ecap_reg) in registers()
            assert (data.flags & ~1, getattr(data, "__reserved")) == (0, 0)
            # A plain PCI device on an IOMMU without dirty tracking.
            assert told.out_capabilities == NO_ATS
            assert told.out_max_pasid_log2 == 0
        with fails(errno.EOPNOTSUPP):
            info(context, device.id, flags=1, out_data_type=uapi.HW_INFO_TYPE_ARM_SMMUV3)


@pytest.mark.guest(iommu="virtio")
def test_nothing_to_tell(context: Context) -> None:
    """An IOMMU whose driver has no data: all zeros."""
    with mem.anonymous(PAGE) as memory, Edu(context) as device:
        memory.fill(0xFF)
        told = info(context, device.id, data_uptr=memory.address, data_len=100)
        assert (told.out_data_type, told.data_len) == (uapi.HW_INFO_TYPE_DEFAULT, 0)
        assert memory.read(0, 101) == bytes(100) + b"\xff"
        told = info(context, device.id, flags=1, out_data_type=uapi.HW_INFO_TYPE_DEFAULT)
        assert told.out_data_type == uapi.HW_INFO_TYPE_DEFAULT


@pytest.mark.guest(iommu="virtio", kernels="ours")
def test_nothing_to_ask_for(context: Context) -> None:
    """No type is available; the peer succeeds without data."""
    with Edu(context) as device, fails(errno.EOPNOTSUPP):
        info(context, device.id, flags=1, out_data_type=uapi.HW_INFO_TYPE_INTEL_VTD)
