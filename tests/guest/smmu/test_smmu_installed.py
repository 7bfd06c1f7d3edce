# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Our modules on Debian's kernel, where the IOMMU core maps the doorbells of interrupts.

It does so when an interrupt is set up, for the page table to which the device is attached.
"""

import errno
from collections.abc import Iterator

import pytest
from errnos import fails
from iommufd import mem, uapi
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.interrupts import Interrupts
from iommufd.mem import PAGE
from iommufd.platform import MSI
from iommufd.trace import Stream

pytestmark = pytest.mark.guest(kernels="stock-arm64", devices=["edu", "edu"])


@pytest.fixture
def device(context: Context) -> Iterator[Edu]:
    """Not attached yet."""
    with Edu(context) as device:
        yield device


@pytest.fixture
def msi(device: Edu, ioas: int) -> Iterator[Interrupts]:
    """Enabled while the device is attached to an IOAS."""
    device.attach(ioas)
    interrupts = Interrupts(device)
    yield interrupts
    interrupts.close()


def test_ioas(msi: Interrupts) -> None:
    for _ in range(3):
        assert msi.arrive() == 1


def test_page_table(context: Context, ioas: int, device: Edu) -> None:
    device.attach(context.hwpt_alloc(device.id, ioas))
    interrupts = Interrupts(device)
    assert interrupts.arrive() == 1
    interrupts.close()


def test_moved(context: Context, ioas: int, device: Edu, msi: Interrupts) -> None:
    """The other page table would lack the doorbell, so the device stays where it is."""
    other = context.ioas_alloc()
    table = context.hwpt_alloc(device.id, ioas)
    with Stream("iommufd", "iommufd_fail") as stream:
        for target in (other, table):
            with fails(errno.EOPNOTSUPP):
                device.attach(target)
            (event,) = stream.read()
            assert event["reason"] == "external_module"
            assert msi.arrive() == 1
    device.attach(ioas)
    assert msi.arrive() == 1


def test_moved_without(context: Context, ioas: int, device: Edu) -> None:
    """Interrupts that are set up after the move arrive."""
    device.attach(ioas)
    for target in (context.ioas_alloc(), context.hwpt_alloc(device.id, ioas), ioas):
        device.attach(target)
        interrupts = Interrupts(device)
        assert interrupts.arrive() == 1
        interrupts.close()


def test_attached_again(device: Edu, ioas: int) -> None:
    """Even to the same IOAS: it may have another page table by now."""
    device.attach(ioas)
    interrupts = Interrupts(device)
    device.detach()
    with fails(errno.EOPNOTSUPP):
        device.attach(ioas)
    interrupts.close()
    device.attach(ioas)
    interrupts = Interrupts(device)
    assert interrupts.arrive() == 1
    interrupts.close()


def test_second_device(context: Context, ioas: int, device: Edu, msi: Interrupts) -> None:
    """Two devices share a page table and its doorbell; one leaves, the other's still arrive."""
    with Edu(context, ioas, index=1) as second:
        other = Interrupts(second)
        assert (msi.arrive(), other.arrive()) == (1, 1)
        device.detach()
        assert other.arrive() == 1
        other.close()


def test_window_is_reserved(context: Context, ioas: int, device: Edu) -> None:
    """As long as a page table may have the doorbell mapped there, also without a device."""
    table = context.hwpt_alloc(device.id, ioas)
    device.attach(table)
    interrupts = Interrupts(device)
    assert interrupts.arrive() == 1
    interrupts.close()
    device.detach()
    with mem.anonymous(PAGE) as page:
        assert context.iova_ranges(ioas)[0] == (0, MSI[0] - 1)
        with fails(errno.EINVAL):
            context.map(ioas, page, iova=MSI[0])
        context.destroy(table)
        context.map(ioas, page, iova=MSI[0])
        with fails(errno.EADDRINUSE):
            context.hwpt_alloc(device.id, ioas)
        context.unmap(ioas, MSI[0], PAGE)
    device.attach(ioas)


def test_nesting(context: Context, ioas: int, device: Edu) -> None:
    """The driver was compiled without it."""
    parent = context.hwpt_alloc(device.id, ioas, uapi.HWPT_ALLOC_NEST_PARENT)
    argument = uapi.ViommuAlloc(type=uapi.VIOMMU_TYPE_ARM_SMMUV3, dev_id=device.id, hwpt_id=parent)
    with fails(errno.EOPNOTSUPP):
        context.command("VIOMMU_ALLOC", argument)
