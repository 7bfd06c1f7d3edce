# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tools and VFIO type1: containers, their devices, mapped and pinned memory."""

import errno
import os
from pathlib import Path
from typing import Any

import iommufd_pins
import pytest
from errnos import fails
from iommufd import container, mem
from iommufd.container import Container, Group
from iommufd.ctx import Context
from iommufd.edu import GroupEdu, addresses
from iommufd.faults import expect_fault
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.pins import unprivileged
from iommufd.platform import MSI, X86
from iommufd.vfio import group_of
from iommufd_why import Why
from tool_runner import Tool, has, load, run

pytestmark = pytest.mark.guest(kernels=["peers", "untouched"])

IOVA = 1 << 30
COMM = Path("/proc/self/comm").read_text().strip()


def report() -> list[dict[str, Any]]:
    """The containers in the only report of iommufd-pins."""
    return [each for each in iommufd_pins.report()["contexts"] if each["source"] == "type1"]


def test_state(type1: Container, buffer: mem.Buffer) -> None:
    """Mapped and pinned memory, how many mappings are left, and the device with its group."""
    limit = type1.info().dma_avail()
    type1.map(buffer, IOVA)
    type1.map(buffer, 2 * IOVA, 3 * PAGE)
    type1.map(buffer, 3 * IOVA, PAGE)
    type1.unmap(3 * IOVA, PAGE)
    (found,) = report()
    has(found, pid=os.getpid(), command=COMM, uid=0, mode="mm", pinned_pages=19, limit_pages=None)
    assert found["used_pages"] >= 19
    (mappings,) = found["ioas"]
    has(mappings, areas=2, mapped_bytes=19 * PAGE, pinned_pages=19, areas_free=limit - 2)
    has(mappings, maps=None, unmaps=None, page_sizes=None)
    (device,) = found["devices"]
    has(device, device=addresses()[0], group=group_of(addresses()[0]))
    type1.unmap_all()
    (found,) = report()
    has(found, pinned_pages=0)
    has(found["ioas"][0], areas=0, mapped_bytes=0, areas_free=limit)


@pytest.mark.limit(180)
def test_many(type1: Container) -> None:
    """A deep tree with holes."""
    maps = 2000
    with mem.anonymous(PAGE) as buffer:
        for i in range(maps):
            type1.map(buffer, IOVA + i * 16 * PAGE)
        for i in range(0, maps, 4):
            type1.unmap(IOVA + i * 16 * PAGE, PAGE)
        (found,) = report()
    left = maps * 3 // 4
    has(found["ioas"][0], areas=left, mapped_bytes=left * PAGE, pinned_pages=left)


@pytest.mark.guest(kernels="peers")
def test_beside_iommufd(type1: Container, context: Context, buffer: mem.Buffer) -> None:
    """Both are shown, with numbers of their own; iommufd-top adds them up by process."""
    type1.map(buffer, IOVA)
    context.map(context.ioas_alloc(), buffer)
    done = run("iommufd-top", "-j", "-b", "-n", "1", "-d", "0.2")
    (process,) = load(done.stdout)["rows"]
    has(process, contexts=2, mapped_bytes=32 * PAGE, pinned_pages=16, devices=1)
    both = load(run("iommufd-pins", "-j").stdout)["contexts"]
    assert [each["source"] for each in both] == ["type1", "upstream"]
    assert both[0]["ctx"] != both[1]["ctx"]


def test_requests(type1: Container, buffer: mem.Buffer) -> None:
    """Maps and unmaps with their bytes; not those of the same number on another file."""
    null = os.open("/dev/null", os.O_RDONLY)
    with Tool("iommufd-maplat", "-j", "-b", "process") as tool:
        for i in range(3):
            type1.map(buffer, IOVA * (i + 1))
        with fails(errno.EEXIST):
            type1.map(buffer, IOVA)
        type1.unmap(IOVA, buffer.size)
        assert type1.unmap_all() == 2 * buffer.size
        with fails(errno.ENOTTY):
            ioctl(null, container.IOMMU_MAP_DMA, None)
        (report,) = tool.rest()
    os.close(null)
    rows = {row["op"]: row for row in report["rows"]}
    has(rows["map"], pid=os.getpid(), timed=3, failed=1, bytes=3 * buffer.size)
    has(rows["unmap"], timed=2, failed=0, bytes=3 * buffer.size)
    parts = [("map", "pin"), ("map", "iommu"), ("unmap", "unpin")]
    # It can't attach to functions with seven arguments.
    if os.uname().release.startswith("6.1."):
        assert "pin" not in rows["map"]
        del parts[0]
    for op, part in parts:
        assert 0 < rows[op][part]["sum_ns"] < rows[op]["total"]["sum_ns"]


def test_failure(type1: Container, buffer: mem.Buffer) -> None:
    """iommufd-why reports it by its name."""
    type1.map(buffer, IOVA)
    with Why() as tool:
        with fails(errno.EEXIST):
            type1.map(buffer, IOVA)
        failure = tool.next()
    has(failure, request="VFIO_IOMMU_MAP_DMA", error="EEXIST", pid=os.getpid(), vm=None)


def test_likely_causes(type1: Container, buffer: mem.Buffer) -> None:
    """From the argument, the limit and sysfs: overlap, alignment, memlock, reserved window."""
    type1.map(buffer, IOVA)
    with Why() as tool:
        for error, iova, size in (
            (errno.EEXIST, IOVA, None),
            (errno.EINVAL, 2 * IOVA, 100),
            (errno.EINVAL, 2 * IOVA + 4, None),
            (errno.EINVAL, MSI[0], None),
        ):
            with fails(error):
                type1.map(buffer, iova, size)
        with unprivileged(20 * PAGE):
            with fails(errno.ENOMEM):
                type1.map(buffer, 2 * IOVA)
            # The tool looks at the limit after the failure.
            likely = [tool.next()["likely"] for _ in range(5)]
    assert likely[0] == "something is mapped already between IOVA 0x40000000 and 0x4000ffff"
    assert likely[1].startswith("the length is not aligned")
    assert likely[2].startswith("the IOVA is not aligned")
    assert likely[3].startswith(f"IOVA {MSI[0]:#x} to {MSI[1]:#x} is reserved (msi) for devices")
    assert likely[4] == (
        "RLIMIT_MEMLOCK: 64.0K are charged, 64.0K more were asked for, and the limit is 80.0K"
    )


def test_refused_dma(type1: Container, group: Group, buffer: mem.Buffer) -> None:
    """The process that has the device through its group, and what its container maps."""
    above = IOVA + 2 * PAGE
    type1.map(buffer, above, PAGE)
    with GroupEdu(group) as device, Tool("iommufd-faults", "--dma", "-j") as tool:
        type1.map(buffer, IOVA, PAGE)
        type1.unmap(IOVA, PAGE)
        expect_fault(device.dma_write, IOVA)
        fault = tool.next()
    has(fault, kind="dma_fault", pid=os.getpid(), command=COMM, device=group.address)
    has(fault, access="write", finding="unmapped")
    has(fault, cause="unmapped_or_right" if X86 else "unmapped")
    unmap = fault["unmapped_by"]
    has(unmap, iova=IOVA, length_bytes=PAGE, unmapped_bytes=PAGE, pid=os.getpid())
    has(fault["above"], iova=above, length_bytes=PAGE, distance_bytes=2 * PAGE, writable=True)
    has(fault["above"], backing="va", backing_address=buffer.address)


def test_without_iommu() -> None:
    """A container that no driver serves yet has nothing."""
    with Container():
        assert report() == []
