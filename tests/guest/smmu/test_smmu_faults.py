# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-faults --dma on two stages of translation: whose page table refused the DMA."""

from collections.abc import Iterator

import pytest
from iommufd import smmu, uapi
from iommufd.edu import Edu
from iommufd.faults import expect_fault
from iommufd.mem import PAGE
from iommufd.smmu import DATA, IPA, PAGES, Guest, ste
from iommufd_faults import first, words
from tool_runner import Tool, has

# The sanitizer kernel has no BTF.
pytestmark = pytest.mark.guest(kernels=("arm64", "arm64-peer"))

VA = 3 * PAGE
# The first address above the guest's memory.
END = IPA + PAGES * PAGE


@pytest.fixture
def faults(guest: Guest) -> Iterator[Tool]:
    """The tool, which sees the attachments of the guest."""
    assert guest
    with Tool("iommufd-faults", "--dma", "-j") as tool:
        yield tool


def translate(guest: Guest) -> int:
    """Attaches the device to both stages; the page table of the first one."""
    guest.vdevice()
    table = guest.nested(ste())
    guest.device.attach(table)
    return table


def above(guest: Guest, ctx: int) -> list[str]:
    """The explanation of a fault at the first address above the memory of the guest."""
    return [
        f"IOAS {guest.ioas} of context {ctx}: not mapped, nor unmapped in the last TIME",
        f"nearest: {IPA:#x}-{END - 1:#x}, which ends right before the address",
    ]


@pytest.mark.parametrize("access", ["read", "write"])
def test_second_stage(guest: Guest, faults: Tool, access: str) -> None:
    """The guest maps an address to memory that it does not have: that is looked up, not its own."""
    translate(guest)
    va = guest.set_page(3, PAGES)
    expect_fault(getattr(guest.device, f"dma_{access}"), va)
    line = first(faults, END)
    assert words(line["explanation"]) == above(guest, line["ctx"])
    has(line, access=access, finding="not_mapped", cause="unmapped", reported_by="SMMUv3")
    has(line, device=guest.device.address, ioas=guest.ioas)
    shown = va + line["iova"] - END
    assert line["report"] == f"F_TRANSLATION, stage 2, for the guest's address {shown:#x}"


def test_second_stage_right(guest: Guest, faults: Tool) -> None:
    """Memory that the guest may write, but the host maps for reading."""
    translate(guest)
    guest.context.unmap(guest.ioas, IPA, PAGES * PAGE)
    top = PAGES // 2 * PAGE
    guest.context.map(guest.ioas, guest.memory, top, iova=IPA)
    rest = guest.memory.address + top
    guest.context.map(guest.ioas, rest, top, iova=IPA + top, prot=uapi.MAP_READABLE)
    va = guest.set_page(3, PAGES - 1)
    expect_fault(guest.device.dma_write, va)
    line = first(faults, END - PAGE)
    assert line["explanation"] == [
        f"IOAS {guest.ioas} of context {line['ctx']}:"
        f" {IPA + top:#x}-{END - 1:#x} is mapped read-only"
    ]
    has(line, access="write", finding="read_only", cause="right")


def test_second_stage_alone(guest: Guest, faults: Tool) -> None:
    """A device with the parent's page table: its addresses are the IOAS's."""
    guest.device.attach(guest.parent)
    expect_fault(guest.device.dma_write, END)
    line = first(faults, END)
    assert words(line["explanation"]) == above(guest, line["ctx"])
    has(line, finding="not_mapped", report="F_TRANSLATION, stage 2")


def test_bypass(guest: Guest, faults: Tool) -> None:
    """A guest that does not translate: what it uses as an address is one of the IOAS."""
    guest.vdevice()
    guest.device.attach(guest.nested(ste(smmu.BYPASS)))
    expect_fault(guest.device.dma_write, END)
    line = first(faults, END)
    assert words(line["explanation"]) == above(guest, line["ctx"])
    has(line, finding="not_mapped")


@pytest.mark.parametrize("kind", ["translation", "permission"])
def test_first_stage(guest: Guest, faults: Tool, kind: str) -> None:
    """Without a queue for the guest's events, the host's log has them: the guest's page table."""
    table = translate(guest)
    if kind == "permission":
        guest.set_page(3, DATA, read_only=True)
    expect_fault(guest.device.dma_write, VA)
    line = first(faults, VA)
    assert line["explanation"] == [f"page table {table}, which the guest manages, translates it"]
    has(line, finding="guest", cause="unmapped" if kind == "translation" else "right")
    assert line["report"] == f"F_{kind.upper()}, stage 1"


def test_bad_descriptor(guest: Guest, faults: Tool) -> None:
    """The SMMU did not get as far as an address."""
    table = translate(guest)
    guest.set_descriptor(valid=False)
    assert guest.invalidate(smmu.cfgi_cd()) == (0, 1)
    guest.device.dma_read(VA, 8)
    line = faults.next()
    assert line["explanation"] == [f"page table {table}, which the guest manages, translates it"]
    has(line, finding="guest", cause="other", access=None, report="C_BAD_CD")


def test_unmapped(guest: Guest, faults: Tool, kernel: str) -> None:
    """The host takes memory away: by which thread, although the guest's address is another."""
    translate(guest)
    va = guest.set_page(3, PAGES - 1)
    guest.device.dma_write(va)
    guest.context.unmap(guest.ioas, IPA, PAGES * PAGE)
    guest.context.map(guest.ioas, guest.memory, DATA * PAGE, iova=IPA)
    expect_fault(guest.device.dma_write, va)
    line = first(faults, END - PAGE)
    assert words(line["explanation"])[0].startswith(
        f"IOAS {guest.ioas} of context {line['ctx']}: unmapped TIME ago by thread "
    )
    has(line, finding="unmapped")


def test_other_device(guest: Guest, faults: Tool) -> None:
    """A second device of the same process, with a page table of the host's."""
    translate(guest)
    with Edu(guest.context, guest.ioas, index=1) as other:
        expect_fault(other.dma_write, END)
        line = first(faults, END)
    has(line, device=other.address, finding="not_mapped", report="F_TRANSLATION, stage 1")
