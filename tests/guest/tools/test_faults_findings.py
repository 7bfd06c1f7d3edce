# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-faults --dma: what it says about the address of each kind of fault."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.faults import expect_fault
from iommufd.openfile import OpenFile
from iommufd.uapi import HWPT_ALLOC_NEST_PARENT, MAP_READABLE, MAP_WRITEABLE
from iommufd_faults import first, words
from tool_runner import Tool, has

pytestmark = pytest.mark.guest(
    kernels=("tools", "peers"), iommu=["intel", "virtio"], beside="installed"
)

PAGE = mem.PAGE
IOVA = 0x10000000
COMM = Path("/proc/self/comm").read_text().strip()
PID = os.getpid()


def mapping(iova: int, **members: object) -> dict[str, object]:
    """A mapping of one page, as the tool reports it."""
    return {"iova": iova, "length_bytes": PAGE, "readable": True, "writable": True, **members}


def test_not_mapped(
    dma_faults: Tool, device: Edu, context: Context, ioas: int, buffer: mem.Buffer
) -> None:
    """An overrun by one page: the mapping below ends there."""
    context.map(ioas, buffer, PAGE, iova=IOVA - PAGE)
    context.map(ioas, buffer, PAGE, iova=IOVA + 4 * PAGE)
    expect_fault(device.dma_write, IOVA)
    line = first(dma_faults, IOVA)
    where = f"IOAS {ioas} of context {line['ctx']}"
    assert words(line["explanation"]) == [
        f"{where}: not mapped, nor unmapped in the last TIME",
        "nearest: 0xffff000-0xfffffff, which ends right before the address;"
        " 0x10004000-0x10004fff, which begins 16384 bytes after the address",
    ]
    has(line, finding="not_mapped", ioas=ioas, mapping=None, elsewhere=None, unmapped_by=None)
    has(line["below"], **mapping(IOVA - PAGE), backing="va", distance_bytes=0)
    has(line["above"], **mapping(IOVA + 4 * PAGE), distance_bytes=4 * PAGE)
    assert line["history_ns"] > 0
    context.unmap_all(ioas)


def test_nothing(dma_faults: Tool, device: Edu, ioas: int) -> None:
    """The IOAS is empty."""
    expect_fault(device.dma_read, IOVA)
    line = first(dma_faults, IOVA)
    assert words(line["explanation"]) == [
        f"IOAS {ioas} of context {line['ctx']}: not mapped, nor unmapped in the last TIME",
        "nothing is mapped",
    ]
    has(line, finding="not_mapped", below=None, above=None)


def in_thread(call: Callable[[], object]) -> int:
    """Runs a call in a thread named unmapper; the id of the thread."""
    tids: list[int] = []

    def body() -> None:
        tids.append(threading.get_native_id())
        Path(f"/proc/self/task/{tids[0]}/comm").write_text("unmapper")
        call()

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    return tids[0]


def test_unmapped(
    dma_faults: Tool, device: Edu, context: Context, ioas: int, buffer: mem.Buffer
) -> None:
    """The device uses it too late: when it was unmapped, and by which thread."""
    context.map(ioas, buffer, 2 * PAGE, iova=IOVA)
    device.dma_write(IOVA, 8)
    tid = in_thread(lambda: context.unmap(ioas, IOVA, 2 * PAGE))
    expect_fault(device.dma_write, IOVA + PAGE)
    line = first(dma_faults, IOVA + PAGE)
    assert words(line["explanation"]) == [
        f"IOAS {ioas} of context {line['ctx']}: unmapped TIME ago by thread unmapper ({tid}):"
        " 0x10000000-0x10001fff",
        "nothing is mapped",
    ]
    has(line, finding="unmapped", mapping=None)
    unmap = line["unmapped_by"]
    has(unmap, iova=IOVA, length_bytes=2 * PAGE, unmapped_bytes=2 * PAGE)
    has(unmap, pid=PID, tid=tid, thread="unmapper")
    assert 0 < unmap["ago_ns"] < line["history_ns"]


def test_unmapped_with_others(
    dma_faults: Tool, device: Edu, context: Context, ioas: int, buffer: mem.Buffer
) -> None:
    """An unmap of a range with holes: the address may have been one."""
    context.map(ioas, buffer, PAGE, iova=IOVA)
    context.map(ioas, buffer, PAGE, iova=IOVA + 2 * PAGE)
    context.unmap(ioas, IOVA, 4 * PAGE)
    expect_fault(device.dma_write, IOVA)
    line = first(dma_faults, IOVA)
    assert words(line["explanation"])[0] == (
        f"IOAS {ioas} of context {line['ctx']}: perhaps unmapped TIME ago by thread {COMM} ({PID}),"
        " with 8.00K in 0x10000000-0x10003fff"
    )
    context.map(ioas, buffer, PAGE, iova=IOVA)
    context.unmap_all(ioas)
    expect_fault(device.dma_write, IOVA + PAGE)
    line = first(dma_faults, IOVA + PAGE)
    assert words(line["explanation"])[0].endswith(
        f"perhaps unmapped TIME ago by thread {COMM} ({PID}), with everything else in the IOAS"
    )


def test_history(device: Edu, context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Its size is an option. Older unmaps are forgotten."""
    with Tool("iommufd-faults", "--dma", "-j", "--history", "4") as tool:
        for i in range(6):
            context.map(ioas, buffer, PAGE, iova=IOVA + i * PAGE)
            context.unmap(ioas, IOVA + i * PAGE, PAGE)
        for i, finding in ((0, "not_mapped"), (1, "not_mapped"), (2, "unmapped"), (5, "unmapped")):
            expect_fault(device.dma_write, IOVA + i * PAGE)
            line = first(tool, IOVA + i * PAGE)
            assert line["finding"] == finding
    with Tool("iommufd-faults", "--dma", "-j", "--history", "0") as tool:
        expect_fault(device.dma_write, IOVA)
        line = first(tool, IOVA)
        has(line, finding="not_mapped", history_ns=None)
        assert line["explanation"][0].endswith(": not mapped")


@pytest.mark.parametrize(
    ("prot", "access", "finding", "text"),
    [
        (MAP_READABLE, "dma_write", "read_only", "mapped read-only"),
        (MAP_WRITEABLE, "dma_read", "write_only", "mapped write-only"),
    ],
)
def test_rights(
    dma_faults: Tool,
    device: Edu,
    context: Context,
    ioas: int,
    buffer: mem.Buffer,
    prot: int,
    access: str,
    finding: str,
    text: str,
    iommu: str,
) -> None:
    if (iommu, finding) == ("smmuv3", "write_only"):
        # The first stage of Arm's page tables always gives the right to read.
        device.attach(context.hwpt_alloc(device.id, ioas, HWPT_ALLOC_NEST_PARENT))
    context.map(ioas, buffer, PAGE, iova=IOVA, prot=prot)
    expect_fault(getattr(device, access), IOVA)
    line = first(dma_faults, IOVA)
    assert line["explanation"] == [
        f"IOAS {ioas} of context {line['ctx']}: 0x10000000-0x10000fff is {text}"
    ]
    has(line, finding=finding)
    has(line["mapping"], readable=prot == MAP_READABLE, writable=prot == MAP_WRITEABLE)
    context.unmap_all(ioas)


def test_elsewhere(
    dma_faults: Tool, device: Edu, context: Context, ioas: int, buffer: mem.Buffer
) -> None:
    """Mapped in another IOAS of the VM, of the same context or of another one."""
    other = context.ioas_alloc()
    context.map(other, buffer, PAGE, iova=IOVA)
    expect_fault(device.dma_write, IOVA)
    line = first(dma_faults, IOVA)
    assert words(line["explanation"]) == [
        f"IOAS {ioas} of context {line['ctx']}: not mapped, nor unmapped in the last TIME;"
        f" IOAS {other} maps 0x10000000-0x10000fff",
        "nothing is mapped",
    ]
    has(line, finding="elsewhere", ioas=ioas)
    has(line["elsewhere"], ctx=line["ctx"], ioas=other, **mapping(IOVA))
    context.destroy(other)
    with Context() as second:
        far = second.ioas_alloc()
        second.map(far, buffer, PAGE, iova=IOVA + PAGE)
        expect_fault(device.dma_write, IOVA + PAGE)
        line = first(dma_faults, IOVA + PAGE)
    number = line["elsewhere"]["ctx"]
    assert number != line["ctx"]
    assert line["explanation"][0].endswith(
        f"; IOAS {far} of context {number} maps 0x10001000-0x10001fff"
    )


def test_detached(dma_faults: Tool, device: Edu, kernel: str, iommu: str) -> None:
    """When, and by which thread; only iommufd-bpf reports that."""
    if iommu == "smmuv3":
        pytest.skip("an SMMUv3 does not report DMA of a device without a page table")
    tid = in_thread(device.detach)
    expect_fault(device.dma_write, IOVA)
    line = first(dma_faults, IOVA)
    # QEMU's virtio-iommu calls it a page fault.
    has(line, finding="detached", cause="blocked" if iommu == "intel" else "unmapped_or_right")
    (text,) = words(line["explanation"])
    if "peer" in kernel:
        assert text == "the device had no page table"
        return
    assert text == (f"the device had no page table: detached TIME ago by thread unmapper ({tid})")
    has(line["detached_by"], pid=PID, tid=tid, thread="unmapper")


def test_revoked(dma_faults: Tool, device: Edu, context: Context, ioas: int, kernel: str) -> None:
    """A dma-buf of another device, which closes it; only iommufd-bpf reports that."""
    target = Edu(context, ioas, index=1)
    with OpenFile(target.dma_buf(0, 0, PAGE)) as dma_buf:
        context.map_file(ioas, dma_buf.fd, 0, PAGE, iova=IOVA)
        target.close()
        expect_fault(device.dma_write, IOVA)
        line = first(dma_faults, IOVA)
        assert line["mapping"]["backing"] == "dmabuf"
        if "peer" in kernel:
            has(line, finding="mapped")
        else:
            has(line, finding="revoked")
            assert line["explanation"] == [
                f"IOAS {ioas} of context {line['ctx']}: 0x10000000-0x10000fff is a dma-buf"
                " that its owner has revoked"
            ]
        context.unmap_all(ioas)


@pytest.mark.guest(iommu="intel-39")
def test_outside(dma_faults: Tool, device: Edu, ioas: int) -> None:
    """The page table has three levels."""
    iova = 1 << 40
    expect_fault(device.dma_write, iova)
    line = first(dma_faults, iova)
    assert line["explanation"] == [
        f"IOAS {ioas} of context {line['ctx']}: outside of what the page table can translate"
    ]
    has(line, finding="outside", cause="range")


def test_started_later(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The tool finds attachments and mappings that are older than itself."""
    with Edu(context, ioas) as device:
        context.map(ioas, buffer, PAGE, iova=IOVA + PAGE)
        context.ioas_alloc()
        with Tool("iommufd-faults", "--dma", "-j") as tool:
            expect_fault(device.dma_write, IOVA)
            line = first(tool, IOVA)
        has(line, finding="not_mapped", ioas=ioas)
        has(line["above"], **mapping(IOVA + PAGE))
        context.unmap_all(ioas)


def test_text(device: Edu, context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The explanation follows the fault, indented."""
    context.map(ioas, buffer, PAGE, iova=IOVA, prot=MAP_READABLE)
    with Tool("iommufd-faults", "--dma") as tool:
        expect_fault(device.dma_write, IOVA)
        lines = [tool.out.readline() for _ in range(3)]
    assert lines[2].startswith(f"        IOAS {ioas} of context ")
    assert lines[2].endswith(": 0x10000000-0x10000fff is mapped read-only\n")
    context.unmap_all(ioas)


def test_totals(device: Edu, context: Context, ioas: int) -> None:
    """With an interval, for the last address of each row."""
    with Tool("iommufd-faults", "--dma", "-j", "1") as tool:
        expect_fault(device.dma_write, IOVA)
        line = tool.until(lambda line: line["dma_faults"])[-1]
    (row,) = line["dma_faults"]
    has(row, finding="not_mapped", ioas=ioas)
