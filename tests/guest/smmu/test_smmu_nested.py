# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""DMA through the tables of a guest: translated, bypassed, aborted."""

import errno

import pytest
from data_pattern import pattern
from errnos import errno_of, fails
from iommufd import smmu, uapi
from iommufd.faults import expect_fault
from iommufd.mem import PAGE
from iommufd.smmu import DATA, IPA, Guest, ste

pytestmark = pytest.mark.guest(kernels="smmu")

VA = 3 * PAGE


def test_both_stages(nested: Guest) -> None:
    """Virtual addresses lead to the pages that the guest's table names, in both directions."""
    source = nested.set_page(3, DATA)
    target = nested.set_page(4, DATA + 5)
    data = nested.fill(DATA, "both stages")
    nested.device.dma_read(source)
    nested.device.dma_write(target)
    assert nested.page(DATA + 5) == data
    assert nested.page(DATA + 3) == bytes(PAGE), "taken for an IPA"


def test_bypass(guest: Guest) -> None:
    """The device uses the guest's physical addresses; it need not have a virtual id."""
    guest.device.attach(guest.nested(ste(smmu.BYPASS, cd=0)))
    data = guest.fill(DATA, "bypass")
    guest.device.dma_read(IPA + DATA * PAGE)
    guest.device.dma_write(IPA + (DATA + 1) * PAGE)
    assert guest.page(DATA + 1) == data


@pytest.mark.parametrize("words", [ste(smmu.ABORT, cd=0), [0, 0]], ids=["abort", "invalid"])
def test_abort(guest: Guest, words: list[int]) -> None:
    """No access gets through, at whatever address."""
    guest.vdevice()
    guest.device.attach(guest.parent)
    data = guest.fill(DATA, "before")
    guest.device.dma_read(IPA + DATA * PAGE)
    guest.device.attach(guest.nested(words))
    va = guest.set_page(3, DATA + 1)
    for address in (va, IPA + (DATA + 1) * PAGE):
        guest.device.dma_write(address)
        guest.device.dma_read(address)
    assert guest.page(DATA + 1) == bytes(PAGE)
    # The page that was transferred before does not come back changed.
    guest.device.attach(guest.parent)
    guest.device.dma_read(IPA + DATA * PAGE)
    guest.device.dma_write(IPA + (DATA + 1) * PAGE)
    assert guest.page(DATA + 1) == data


def test_second_stage_alone(guest: Guest) -> None:
    """The nesting parent translates on its own, too."""
    guest.device.attach(guest.parent)
    data = guest.fill(DATA, "second stage")
    guest.device.dma_read(IPA + DATA * PAGE)
    guest.device.dma_write(IPA + (DATA + 1) * PAGE)
    assert guest.page(DATA + 1) == data
    expect_fault(guest.device.dma_write, IPA - PAGE)


def test_move_between_stages(guest: Guest) -> None:
    """Every attachment can replace every other, and each translates as it should."""
    guest.vdevice()
    va = guest.set_page(3, DATA)
    ipa = IPA + DATA * PAGE
    places = {
        "translate": (guest.nested(ste()), va),
        "bypass": (guest.nested(ste(smmu.BYPASS, cd=0)), ipa),
        "parent": (guest.parent, ipa),
        "ioas": (guest.ioas, ipa),
    }
    names = list(places)
    order = [name for a in names for b in names if a != b for name in (a, b)]
    for number, name in enumerate(order):
        table, address = places[name]
        guest.device.attach(table)
        data = guest.fill(DATA, f"{name} {number}")
        guest.device.dma_read(address)
        guest.memory.write(bytes(PAGE), DATA * PAGE)
        guest.device.dma_write(address)
        assert guest.page(DATA) == data, f"{name}, step {number}"


def test_unmapped_by_the_host(nested: Guest) -> None:
    """Memory that the IOAS no longer maps is gone for the guest, without a command of the guest."""
    va = nested.set_page(3, DATA)
    nested.fill(DATA, "old")
    nested.device.dma_read(va)
    nested.context.unmap(nested.ioas, IPA, nested.memory.size)
    before = nested.page(DATA)
    nested.fill(DATA, "new")
    nested.device.dma_write(va)
    assert nested.page(DATA) == pattern("new", PAGE) != before


def test_needs_a_virtual_id(guest: Guest) -> None:
    """A table with a first stage is attached only to a device whose events can be delivered."""
    table = guest.nested(ste())
    assert errno_of(guest.device.attach, table) == errno.ENOENT
    guest.vdevice()
    guest.device.attach(table)


def test_virtual_id_in_use(nested: Guest) -> None:
    """The virtual id goes with the device: there is one at a time."""
    assert errno_of(nested.vdevice, smmu.VSID + 1) == errno.EEXIST


BAD = {
    "reserved-bit": [ste()[0] | 1 << 55, 0],
    "reserved-bit-of-second-word": [ste()[0], 1 << 40],
    "second-stage": [ste(6)[0], 0],
    "ats": [ste()[0], 2 << 28],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_entry(guest: Guest, name: str) -> None:
    """Bits that the guest must not set are refused."""
    with fails(errno.EIO):
        guest.nested(BAD[name])


def test_only_on_a_viommu(guest: Guest) -> None:
    """The parent alone is not enough: commands and events need a vIOMMU."""
    argument = uapi.HwptAlloc(
        dev_id=guest.device.id,
        pt_id=guest.parent,
        data_type=uapi.HWPT_DATA_ARM_SMMUV3,
        **smmu.pointer(uapi.HwptArmSmmuv3()),
    )
    with fails(errno.EOPNOTSUPP):
        guest.context.command("HWPT_ALLOC", argument)


def test_no_dirty_tracking(guest: Guest) -> None:
    """QEMU's SMMU has none: the flag is refused, although the driver ignores it."""
    with fails(errno.EOPNOTSUPP):
        guest.paging(uapi.HWPT_ALLOC_DIRTY_TRACKING)


def test_hw_info(guest: Guest) -> None:
    """The registers that a VMM shows its guest: both stages, 44 bits of addresses."""
    data = uapi.HwInfoArmSmmuv3()
    argument = uapi.HwInfo(dev_id=guest.device.id, **smmu.pointer(data))
    guest.context.command("GET_HW_INFO", argument)
    assert argument.out_data_type == uapi.HW_INFO_TYPE_ARM_SMMUV3
    assert data.idr[0] & 3 == 3, "S1P and S2P"
    assert data.idr[5] & 7 == 4, "OAS"
    assert not argument.out_capabilities & uapi.HW_CAP_DIRTY_TRACKING
