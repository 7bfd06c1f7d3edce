# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-faults --dma: DMA that the IOMMU refused."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.faults import LENGTH, expect_fault
from iommufd.uapi import MAP_READABLE
from iommufd_faults import first
from privileges import as_nobody
from tool_runner import Tool, run

pytestmark = pytest.mark.guest(
    kernels=("tools", "peers"), iommu=["intel", "intel-s1", "virtio"], beside="installed"
)

PAGE = mem.PAGE
IOVA = 0x10000000
COMM = Path("/proc/self/comm").read_text().strip()
REPORTER = {
    "intel": "VT-d",
    "intel-s1": "VT-d",
    "smmuv3": "SMMUv3",
    "virtio": "virtio-iommu",
}
# Their page tables tell what is mapped without a right from what is not mapped.
TELL_RIGHTS = {"intel-s1", "smmuv3"}


def known(access: str, iommu: str) -> str | None:
    """The access that is reported. QEMU's virtio-iommu does not say."""
    return None if iommu == "virtio" else access


def test_unmapped(dma_faults: Tool, device: Edu, iommu: str) -> None:
    """The device and its process, the address, the access, what the IOMMU said."""
    expect_fault(device.dma_write, IOVA)
    expect_fault(device.dma_read, IOVA + PAGE)
    for access, iova in (("write", IOVA), ("read", IOVA + PAGE)):
        line = first(dma_faults, iova)
        assert line["access"] == known(access, iommu)
        assert (line["kind"], line["pasid"]) == ("dma_fault", None)
        assert (line["device"], line["pci_id"]) == (device.address, "1234:11e8")
        assert line["driver"] == "vfio-pci"
        assert (line["pid"], line["command"], line["vm"]) == (os.getpid(), COMM, None)
        assert line["cause"] in ("unmapped", "unmapped_or_right")
        assert line["reported_by"] == REPORTER[iommu]
        assert line["faults"] >= 1


def test_read_only(dma_faults: Tool, device: Edu, context: Context, ioas: int, iommu: str) -> None:
    """A write to memory that is mapped for reading. Not all tables tell the difference."""
    with mem.anonymous(PAGE) as buffer:
        context.map(ioas, buffer, iova=IOVA, prot=MAP_READABLE)
        expect_fault(device.dma_write, IOVA)
        line = first(dma_faults, IOVA)
        context.unmap(ioas, IOVA, PAGE)
    assert line["cause"] == ("right" if iommu in TELL_RIGHTS else "unmapped_or_right")


def test_totals(device: Edu, iommu: str) -> None:
    """By device, access and cause, for an interval; bursts are counted."""
    with Tool("iommufd-faults", "--dma", "-j", "1") as tool:
        expect_fault(device.dma_write, IOVA)
        line = tool.until(lambda line: line["dma_faults"])[-1]
    (row,) = line["dma_faults"]
    assert row["device"] == device.address
    assert (row["access"], row["pid"]) == (known("write", iommu), os.getpid())
    assert row["faults"] >= 1
    assert line["lost_events"] == 0


def test_text(device: Edu, iommu: str) -> None:
    with Tool("iommufd-faults", "--dma") as tool:
        expect_fault(device.dma_write, IOVA)
        titles, row = tool.out.readline().split(), tool.out.readline().split()
    assert titles == ["PID", "COMMAND", "VM", "DEVICE", "ACCESS", "ADDR", "CAUSE"]
    assert row[:5] == [str(os.getpid()), COMM, "-", device.address, known("write", iommu) or "-"]
    assert int(row[5], 16) - IOVA in range(LENGTH)


def test_other_process(device: Edu) -> None:
    """With -p, only devices of that process."""
    words = ("iommufd-faults", "--dma", "-j", "-p")
    with Tool(*words, "1", "1") as other, Tool(*words, str(os.getpid()), "1") as own:
        expect_fault(device.dma_write, IOVA)
        line = own.until(lambda line: line["dma_faults"])[-1]
        # Both read the log at once, so this interval has the fault, too.
        lines = other.until(lambda later: later["time_ns"] > line["time_ns"])
    assert [line["dma_faults"] for line in lines] == [[]] * len(lines)


@pytest.fixture
def restricted() -> Iterator[None]:
    """Only root may read the kernel's log."""
    switch = Path("/proc/sys/kernel/dmesg_restrict")
    before = switch.read_text()
    switch.write_text("1")
    yield
    switch.write_text(before)


@pytest.mark.usefixtures("restricted")
def test_not_allowed() -> None:
    """One sentence, and what to do."""
    done = run("iommufd-faults", "--dma", prefix=as_nobody())
    assert done.returncode == 1
    assert "/dev/kmsg: Operation not permitted" in done.stderr
    assert "CAP_SYSLOG" in done.stderr
