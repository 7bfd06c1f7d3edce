# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Interrupts (MSI): the SMMU translates their doorbell, in every state of attachment.

The kernel maps the doorbell into each page table to which the device is attached, at an address of
the window that IOAS_IOVA_RANGES leaves out. An interrupt that does not arrive is not waited for:
the counter of the next one that arrives shows it.
"""

import errno
from collections.abc import Iterator

import pytest
from errnos import errno_of, fails
from iommufd import mem, smmu
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.interrupts import Interrupts
from iommufd.mem import PAGE
from iommufd.platform import MSI
from iommufd.smmu import DATA, IPA, Guest, ste
from worker_threads import Workers

pytestmark = pytest.mark.guest(kernels="smmu")


@pytest.fixture
def started() -> Iterator[list[Interrupts]]:
    """Interrupts to be disabled at the end."""
    started: list[Interrupts] = []
    yield started
    for each in started:
        each.close()


@pytest.fixture
def msi(guest: Guest, started: list[Interrupts]) -> Interrupts:
    """Enabled while the device is attached to the IOAS."""
    guest.device.attach(guest.ioas)
    started.append(Interrupts(guest.device))
    return started[0]


def test_ioas(msi: Interrupts) -> None:
    for _ in range(3):
        assert msi.arrive() == 1


def test_replace(guest: Guest, msi: Interrupts) -> None:
    """Another IOAS, and a page table by name: their doorbells are mapped before the move."""
    other = guest.context.ioas_alloc()
    for table in (other, guest.paging(), guest.parent, guest.ioas):
        guest.device.attach(table)
        assert msi.arrive() == 1


def test_second_stage(guest: Guest, started: list[Interrupts]) -> None:
    """Enabled on the nesting parent."""
    guest.device.attach(guest.parent)
    started.append(Interrupts(guest.device))
    assert started[0].arrive() == 1


def test_bypass(guest: Guest, started: list[Interrupts]) -> None:
    """The doorbell of a nested table is in its parent."""
    guest.device.attach(guest.nested(ste(smmu.BYPASS, cd=0)))
    started.append(Interrupts(guest.device))
    assert started[0].arrive() == 1


def test_nested(guest: Guest, msi: Interrupts) -> None:
    """The guest has to map the window in its first stage, as the firmware tells it to."""
    guest.vdevice()
    guest.set_block(MSI[0])
    guest.translate()
    va = guest.set_page(3, DATA)
    data = guest.fill(DATA, "beside interrupts")
    assert msi.arrive() == 1
    guest.device.dma_read(va)
    guest.device.dma_write(guest.set_page(4, DATA + 1))
    assert guest.page(DATA + 1) == data
    guest.device.attach(guest.parent)
    assert msi.arrive() == 1


def test_aborted(guest: Guest, msi: Interrupts) -> None:
    """Dropped like all other DMA; nothing arrives later."""
    guest.device.attach(guest.nested(ste(smmu.ABORT, cd=0)))
    guest.device.interrupt()
    guest.device.attach(guest.ioas)
    assert msi.arrive() == 1


def test_detach(guest: Guest, msi: Interrupts) -> None:
    """Dropped while detached; they arrive again after the next attach, wherever that is."""
    for table in (guest.ioas, guest.parent, guest.nested(ste(smmu.BYPASS, cd=0))):
        guest.device.detach()
        guest.device.interrupt()
        guest.device.attach(table)
        assert msi.arrive() == 1


def test_second_device(guest: Guest, msi: Interrupts, started: list[Interrupts]) -> None:
    """Two devices in one IOAS share the doorbell; one leaves, the other's still arrive."""
    with Edu(guest.context, guest.ioas, index=1) as second:
        other = Interrupts(second)
        assert (msi.arrive(), other.arrive()) == (1, 1)
        guest.device.detach()
        assert other.arrive() == 1
        other.close()
    guest.device.attach(guest.ioas)
    assert msi.arrive() == 1


def test_enabled_during_replace(guest: Guest) -> None:
    """Whichever comes first, the page table to which the device moves has the doorbell."""
    tables = [guest.ioas, guest.context.ioas_alloc()]
    guest.device.attach(tables[0])

    def move(number: int) -> None:
        guest.device.attach(tables[number % 2])

    for number in range(1, 60):
        with Workers(lambda _, n=number: move(n)) as workers:
            interrupts = Interrupts(guest.device)
            workers.join()
        assert interrupts.arrive() == 1
        interrupts.close()


def test_window_is_reserved(guest: Guest) -> None:
    """No memory takes the doorbell's place, whichever comes first."""
    context, device = guest.context, guest.device
    device.attach(guest.ioas)
    ranges = context.iova_ranges(guest.ioas)
    assert ranges[0] == (0, MSI[0] - 1)
    assert ranges[1][0] == MSI[1] + 1
    with mem.anonymous(PAGE) as page:
        with fails(errno.EINVAL):
            context.map(guest.ioas, page, iova=MSI[0])
        other = context.ioas_alloc()
        context.map(other, page, iova=MSI[0])
        assert errno_of(device.attach, other) == errno.EADDRINUSE


def test_window_is_wanted(context: Context, ioas: int) -> None:
    """A user who insists on these addresses gets no device."""
    context.allow_iovas(ioas, [(MSI[0], MSI[0] + PAGE - 1)])
    with fails(errno.EADDRINUSE), Edu(context, ioas):
        pass


def test_memory_beside_the_window(guest: Guest, msi: Interrupts) -> None:
    """DMA to memory around the window does not disturb interrupts, and they not it."""
    with mem.anonymous(2 * PAGE) as pages:
        guest.context.map(guest.ioas, pages.address, PAGE, iova=MSI[0] - PAGE)
        guest.context.map(guest.ioas, pages.address + PAGE, PAGE, iova=MSI[1] + 1)
        data = guest.fill(DATA, "beside the window")
        guest.device.dma_read(IPA + DATA * PAGE)
        guest.device.dma_write(MSI[0] - PAGE)
        assert msi.arrive() == 1
        guest.device.dma_write(MSI[1] + 1)
        assert pages.read() == data * 2
