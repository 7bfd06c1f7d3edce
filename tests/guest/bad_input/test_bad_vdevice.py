# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid IOMMU_VDEVICE_ALLOC, and vDEVICEs whose device goes first."""

import errno
import mmap
from collections.abc import Callable

import pytest
from errnos import errno_of, fails
from iommufd import mem, mock, mock_uapi, uapi
from iommufd.ctx import NO_ID
from iommufd.edu import Edu
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.nest import CACHE, Nest
from iommufd.state import objects, unchanged

INVALID, NOENT = errno.EINVAL, errno.ENOENT
EXISTS, BUSY = errno.EEXIST, errno.EBUSY
VIRT_IDS = (0, 1, 0xFFFFFFFF, 1 << 32, 1 << 63, uapi.U64_MAX)


def refuses(nest: Nest, error: int, viommu: int, device: int, virt_id: int = 1, **fields) -> None:
    fields = {"viommu_id": viommu, "dev_id": device, "virt_id": virt_id, **fields}
    nest.refuses("VDEVICE_ALLOC", error, **fields)


def test_size(nest: Nest) -> None:
    refuses(nest, INVALID, nest.viommu(), nest.device.device, size=23)


OTHERS: dict[str, Callable[[Nest], int]] = {
    "0": lambda _: 0,
    "unknown": lambda _: NO_ID,
    "max": lambda _: 0xFFFFFFFF,
    "ioas": lambda nest: nest.ioas,
    "slot": lambda nest: nest.device.id,
    "parent": lambda nest: nest.parent,
    "nested": lambda nest: nest.nested(),
    "vdevice": lambda nest: nest.vdevice(nest.viommu(), 7),
}


@pytest.mark.parametrize("other", [*OTHERS, "device"])
def test_not_a_viommu(nest: Nest, other: str) -> None:
    viommu = nest.device.device if other == "device" else OTHERS[other](nest)
    refuses(nest, NOENT, viommu, nest.device.device)


@pytest.mark.parametrize("other", [*OTHERS, "viommu"])
def test_not_a_device(nest: Nest, other: str) -> None:
    viommu = nest.viommu()
    device = viommu if other == "viommu" else OTHERS[other](nest)
    refuses(nest, NOENT, viommu, device)


def test_other_iommu(nest: Nest) -> None:
    viommu = nest.viommu()
    with Edu(nest.context) as device:
        refuses(nest, INVALID, viommu, device.id)


@pytest.mark.parametrize("virt_id", VIRT_IDS, ids=hex)
def test_virtual_id_twice(nest: Nest, virt_id: int) -> None:
    """In one vIOMMU; another vIOMMU has its own ids."""
    viommu, other = nest.viommu(), nest.viommu()
    with mock.Device(nest.context, nest.ioas) as second:
        vdevice = nest.vdevice(viommu, virt_id)
        refuses(nest, EXISTS, viommu, second.device, virt_id)
        of_second = nest.vdevice(other, virt_id, second.device)
        nest.destroy(of_second)
        nest.destroy(vdevice)
        nest.destroy(nest.vdevice(viommu, virt_id, second.device))


@pytest.mark.parametrize("virt_id", [1, 2])
def test_device_twice(nest: Nest, virt_id: int) -> None:
    """A device has one vDEVICE, in one vIOMMU."""
    viommu, other = nest.viommu(), nest.viommu()
    nest.vdevice(viommu, 1)
    refuses(nest, EXISTS, viommu, nest.device.device, virt_id)
    refuses(nest, EXISTS, other, nest.device.device, virt_id)


@pytest.mark.parametrize("virt_id", VIRT_IDS, ids=hex)
def test_virtual_id_leads_to_the_device(nest: Nest, virt_id: int) -> None:
    """All bits count: an id that is too large for a driver is never found by its low bits."""
    viommu = nest.viommu()
    nest.vdevice(viommu, virt_id)
    entry = mock_uapi.ViommuInvalidateSelftest(vdev_id=virt_id & 0xFFFFFFFF, cache_id=1)
    with mem.anonymous(PAGE) as memory:
        memory.write(bytes(entry))
        argument = uapi.HwptInvalidate(
            hwpt_id=viommu,
            data_type=mock_uapi.IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
            data_uptr=memory.address,
            entry_len=len(bytes(entry)),
            entry_num=1,
        )
        got = errno_of(nest.context.command, "HWPT_INVALIDATE", argument)
    known = virt_id <= 0xFFFFFFFF
    assert (got, argument.entry_num) == ((0, 1) if known else (INVALID, 0))
    assert nest.device.cache(1, 0 if known else CACHE)


def test_answer_not_writable(nest: Nest) -> None:
    """If the id cannot be copied to user space, the device and the virtual id stay free."""
    viommu = nest.viommu()
    argument = uapi.VdeviceAlloc(viommu_id=viommu, dev_id=nest.device.device, virt_id=1)
    with mem.anonymous(PAGE) as area:
        area.write(bytes(argument))
        mem.protect(area, mmap.PROT_READ)
        with unchanged(nest.context, nest.ioas), fails(errno.EFAULT):
            ioctl(nest.context.fd, uapi.NUMBER["VDEVICE_ALLOC"], area.address)
    nest.vdevice(viommu, 1)


def test_order(nest: Nest) -> None:
    """A vIOMMU stays for its vDEVICEs, a device does not."""
    viommu = nest.viommu()
    vdevice = nest.vdevice(viommu, 1)
    for each in (viommu, nest.parent, nest.device.device):
        assert errno_of(nest.context.destroy, each) == BUSY
    nest.destroy(vdevice)
    assert errno_of(nest.context.destroy, vdevice) == NOENT
    nest.destroy(viommu)


def test_device_goes_first(nest: Nest) -> None:
    """It destroys the vDEVICE, whose id then becomes a tombstone."""
    context, viommu = nest.context, nest.viommu()
    device = mock.Device(context, nest.ioas)
    vdevice = nest.vdevice(viommu, 1, device.device)
    gone = device.device
    device.close()
    assert gone not in objects(context)
    refuses(nest, NOENT, viommu, gone)
    assert vdevice not in [nest.keep(context.ioas_alloc()) for _ in range(8)]
    nest.vdevice(viommu, 1)
    errno_of(context.destroy, vdevice)
    errno_of(context.destroy, vdevice)
    nest.forget(vdevice)


def test_page_table_of_a_device_without(nest: Nest) -> None:
    """A page table of a vIOMMU is for devices that the vIOMMU knows."""
    viommu = nest.viommu()
    hwpt = nest.nested(viommu)
    with unchanged(nest.context, nest.ioas), fails(NOENT):
        nest.device.replace(hwpt)
    nest.vdevice(viommu, 1)
    nest.device.replace(hwpt)
    nest.device.replace(nest.ioas)
