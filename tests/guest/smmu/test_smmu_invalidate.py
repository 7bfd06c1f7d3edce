# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Commands of a guest: a translation stays in the SMMU until the guest invalidates it."""

import errno
from collections.abc import Callable

import pytest
from iommufd import smmu
from iommufd.mem import PAGE
from iommufd.smmu import DATA, SEEN, Changed, Guest

pytestmark = pytest.mark.guest(kernels="smmu")

COMMANDS: dict[str, Callable[[int], tuple[int, int]]] = {
    "address": lambda va: smmu.tlbi_va(va),
    "address-of-any-space": lambda va: (smmu.TLBI_NH_VAA, va),
    "space": lambda _: smmu.tlbi_asid(),
    "all": lambda _: (smmu.TLBI_NH_ALL, 0),
    "all-that-is-not-secure": lambda _: (smmu.TLBI_NSNH_ALL, 0),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_stale_until_invalidated(nested: Guest, name: str) -> None:
    """The device reaches the old page until then, and the new one afterwards."""
    changed = Changed(nested)
    assert changed.read() == changed.old
    assert nested.invalidate(COMMANDS[name](changed.va)) == (0, 1)
    assert changed.read() == changed.new


@pytest.mark.parametrize(
    "command",
    [smmu.tlbi_va(9 * PAGE), smmu.tlbi_va(3 * PAGE, asid=smmu.SECOND_ASID), smmu.tlbi_asid(1)],
    ids=["other-address", "address-of-other-space", "other-space"],
)
def test_others_stay(nested: Guest, command: tuple[int, int]) -> None:
    """A command for something else leaves the translation."""
    changed = Changed(nested)
    assert nested.invalidate(command) == (0, 1)
    assert changed.read() == changed.old


@pytest.mark.parametrize("command", [smmu.CFGI_CD, smmu.CFGI_CD_ALL], ids=["one", "all"])
def test_descriptor(nested: Guest, command: int) -> None:
    """A new context descriptor counts once it is invalidated, by the guest's id of the device."""
    out = nested.set_page(20, SEEN)
    va = nested.set_page(3, DATA)
    old = nested.fill(DATA, "first table")
    new = nested.fill(DATA + 1, "second table")
    nested.set_page(3, DATA + 1, table=smmu.SECOND)
    nested.set_page(20, SEEN, table=smmu.SECOND)

    def read() -> bytes:
        nested.device.dma_read(va)
        nested.device.dma_write(out)
        return nested.page(SEEN)

    assert read() == old
    nested.set_descriptor(smmu.SECOND, asid=smmu.SECOND_ASID)
    assert read() == old
    assert nested.invalidate((command | smmu.VSID << 32, 0)) == (0, 1)
    assert read() == new


@pytest.mark.parametrize("count", [2, 16, 256])
def test_many(nested: Guest, count: int) -> None:
    """One request with many commands; the last one counts, too."""
    changed = Changed(nested)
    others = [smmu.tlbi_va((100 + i) * PAGE) for i in range(count - 1)]
    assert nested.invalidate(*others, smmu.tlbi_va(changed.va)) == (0, count)
    assert changed.read() == changed.new


BAD = {
    "unknown": (0x7F, 0),
    "host-command": (0x20, 0),
    "configuration-of-streams": (0x03, 0),
    "reserved-bit": (smmu.TLBI_NH_ALL | 1 << 20, 0),
    "reserved-bit-of-second-word": (smmu.TLBI_NH_ALL, 1),
    "unknown-stream": smmu.cfgi_cd(smmu.VSID + 1),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_command(nested: Guest, name: str) -> None:
    """Refused before anything is sent; the answer counts the commands before it."""
    changed = Changed(nested)
    assert nested.invalidate(BAD[name]) == (errno.EIO, 0)
    assert changed.read() == changed.old


def test_stops_at_a_bad_command(nested: Guest) -> None:
    """The commands behind the bad one are not carried out."""
    changed = Changed(nested)
    error, handled = nested.invalidate(
        smmu.tlbi_va(50 * PAGE), BAD["unknown"], smmu.tlbi_va(changed.va)
    )
    assert error == errno.EIO
    assert handled <= 1
    assert changed.read() == changed.old


def test_other_format(nested: Guest) -> None:
    """The data of another IOMMU is not taken for commands."""
    error, _ = nested.invalidate(smmu.tlbi_asid(), data_type=0)
    assert error == errno.EINVAL
