# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tools on the kernel tree's own iommufd: exact state from its structures."""

import ctypes
import errno
import os
from pathlib import Path
from typing import Any

import iommufd_pins
import iommufd_top as top
import pytest
from child_process import Child
from errnos import fails
from iommufd import mem, mock, vfio
from iommufd.container import Group
from iommufd.ctx import Context
from iommufd.edu import Edu, addresses
from iommufd.mem import PAGE
from iommufd.pins import NOBODY
from iommufd.platform import MSI
from iommufd.vfio import group_of
from iommufd_pins import LIMIT, pinning
from iommufd_why import Why
from tool_runner import Tool, environment, has, load, run

pytestmark = pytest.mark.guest(kernels="upstream")

IOVA = mock.START
COMM = Path("/proc/self/comm").read_text().strip()


def report(*arguments: str) -> list[dict[str, Any]]:
    """The contexts of the only report."""
    found = iommufd_pins.report(*arguments)
    assert found["source"] == "upstream"
    return found["contexts"]


@pytest.mark.guest(mock=True)
def test_amounts(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Shared pages count in each IOAS and once in the context; the rest is null, never 0."""
    other = context.ioas_alloc()
    with mock.Device(context, ioas) as device, mock.Device(context, other), Context():
        context.map(ioas, buffer, iova=IOVA)
        context.copy(other, ioas, IOVA, 5 * PAGE)
        context.map(other, buffer, PAGE)
        mine, empty = report()
        has(mine["devices"][0], hwpt=device.hwpt)
    has(mine, source="upstream", pid=os.getpid(), command=COMM, uid=0, alive=True)
    has(mine, pinned_pages=17)
    has(empty, pid=os.getpid(), pinned_pages=0, ioas=[], devices=[])
    first, second = mine["ioas"]
    has(first, ioas=ioas, areas=1, mapped_bytes=16 * PAGE, pinned_pages=16)
    has(second, ioas=other, areas=2, mapped_bytes=6 * PAGE, pinned_pages=6)
    has(first, maps=None, unmaps=None, page_sizes=None)
    assert len(mine["devices"]) == 2


def test_real_device(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Its address, its group, and the page table that it is attached to, or that it is not."""
    (address,) = addresses()[:1]
    with Edu(context, ioas, 0) as edu:
        context.map(ioas, buffer)
        (found,) = report()
        (device,) = found["devices"]
        has(device, device=address, group=group_of(address))
        assert device["hwpt"] > 0
        assert found["pinned_pages"] == 16
        edu.detach()
        (found,) = report()
        has(found["devices"][0], device=address, hwpt=0)
        has(found, pinned_pages=0)


@pytest.mark.limit(180)
def test_many(context: Context, ioas: int) -> None:
    """Areas in a deep tree and objects in a wide table, after holes were made in both."""
    maps, spaces = 3000, 200
    with mem.anonymous(PAGE) as buffer:
        for i in range(maps):
            context.map(ioas, buffer, iova=(i + 1) * 16 * PAGE)
        for i in range(0, maps, 3):
            context.unmap(ioas, (i + 1) * 16 * PAGE, PAGE)
        more = [context.ioas_alloc() for _ in range(spaces)]
        for each in more[::2]:
            context.destroy(each)
        (found,) = report()
    left = maps - len(range(0, maps, 3))
    has(found["ioas"][0], ioas=ioas, areas=left, mapped_bytes=left * PAGE)
    assert [each["ioas"] for each in found["ioas"]] == [ioas, *more[1::2]]


def test_many_contexts() -> None:
    """Each of them once, although a child has them open, too."""
    contexts = [Context() for _ in range(100)]
    for each in contexts:
        each.ioas_alloc()
    with Child(Child.pause) as child:
        child.met()
        found = report()
        child.go_on()
    for each in contexts:
        each.close()
    assert [len(each["ioas"]) for each in found] == [1] * 100
    assert len({each["ctx"] for each in found}) == 100
    assert report() == []


def test_parts(context: Context, ioas: int) -> None:
    """How long pinning, the IOMMU and unpinning take, of all that requests take."""
    times = 5
    with (
        Edu(context, ioas, 0),
        mem.anonymous(2 << 20) as buffer,
        Tool("iommufd-maplat", "-j") as tool,
    ):
        for _ in range(times):
            context.unmap(ioas, context.map(ioas, buffer), buffer.size)
        (report,) = tool.rest()
    for row, parts in zip(report["rows"], (("pin", "iommu"), ("iommu", "unpin")), strict=True):
        assert row["timed"] == times
        for part in parts:
            assert sum(count for first, _, count in row[part]["slots"] if first) == times
        assert sum(row[part]["sum_ns"] for part in parts) < row["total"]["sum_ns"]


@pytest.mark.guest(mock=True)
def test_growth(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """A context keeps its number; growth is that of its pins."""
    with mock.Device(context, ioas):
        context.map(ioas, buffer, 4 * PAGE, iova=IOVA)
        with Tool(iommufd_pins.NAME, "-j", "0.05", quiet=True) as tool:
            before = tool.next()["contexts"][0]
            context.map(ioas, buffer)
            after = tool.until(lambda line: line["contexts"][0]["pinned_pages"] == 20)[-1]
            tool.text()
    assert after["contexts"][0]["ctx"] == before["ctx"]
    has(after["contexts"][0], since_pages=16)


def rows(view: str) -> list[dict[str, Any]]:
    """The rows of iommufd-top in its first interval."""
    done = run("iommufd-top", "-j", "-b", "-n", "1", "-d", "0.2", "-w", view)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = map(load, done.stdout.splitlines())
    assert (line["source"], line["lost_events"], line["view"]) == ("upstream", 0, view)
    return line["rows"]


@pytest.mark.guest(mock=True)
def test_top(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The state of a process that was there before, in all views; no number is invented."""
    with mock.Device(context, ioas) as device, Context() as second:
        context.map(ioas, buffer)
        other = second.ioas_alloc()
        (process,) = rows("process")
        has(process, pid=os.getpid(), uid=0, command=COMM, contexts=2, ioas_live=2, devices=1)
        has(process, mapped_bytes=16 * PAGE, pinned_pages=16, areas=1, limit_pages=None)
        has(process, faults=None, newly_pinned_pages=None)
        has(process["map"], count=0, failed=0)
        first, empty = rows("ioas")
        has(first, pid=os.getpid(), ioas=ioas, areas=1, mapped_bytes=16 * PAGE, pinned_pages=16)
        has(first["map"], count=None, failed=None, p99_ns=None)
        has(empty, ioas=other, areas=0, mapped_bytes=0, pinned_pages=0)
        (table,) = rows("hwpt")
        has(table, hwpt=device.hwpt, kind="auto", parent=ioas, ioas=ioas, devices=1)
        (row,) = rows("device")
        has(row, device="iommufd_mock0", hwpt=device.hwpt, ioas=ioas, ctx=first["ctx"])
        has(row, attaches=None, faults=None, failed=None)
        assert row["group"] >= 0


@pytest.mark.guest(mock=True)
def test_top_limit() -> None:
    """A process with a limit has it, and its user."""
    with Child(pinning("mm")) as child:
        child.met()
        (process,) = rows("process")
        child.go_on()
        child.met()
    has(process, pid=child.pid, uid=NOBODY, limit_pages=LIMIT, pinned_pages=10)


def test_likely_causes(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """From the argument, the process's memory and sysfs; nothing where no rule applies."""
    context.map(ioas, buffer, iova=IOVA)
    with Edu(context, ioas, 0) as edu, Why() as tool:
        bar = ctypes.addressof(ctypes.c_char.from_buffer(edu.map_bar(0)))
        for iova, memory, size in (
            (IOVA, buffer, PAGE),
            (2 * IOVA + 4, buffer, PAGE),
            (MSI[0], buffer, PAGE),
            (2 * IOVA, bar, PAGE),
            (2 * IOVA, PAGE, PAGE),
            (3 * IOVA, buffer, 0),
        ):
            with pytest.raises(OSError):
                context.map(ioas, memory, size, iova=iova)
        likely = [tool.next()["likely"] for _ in range(6)]
    overlap = f"something is mapped already between IOVA {IOVA:#x} and {IOVA + PAGE - 1:#x}"
    assert likely[0] == overlap
    assert "is not aligned" in likely[1]
    assert f"{MSI[0]:#x} to {MSI[1]:#x} is reserved (msi)" in likely[2]
    assert "is a device's (a BAR)" in likely[3]
    assert "has no memory at 0x1000," in likely[4]
    assert likely[5] is None


def test_bind_and_attach(context: Context, ioas: int) -> None:
    """A device that is bound twice names who has it; an attach names its device."""
    address = addresses()[0]
    with vfio.Device(address) as first, vfio.Device(address) as second, Why() as tool:
        first.bind(context)
        with fails(errno.EINVAL):
            second.bind(context)
        twice = tool.next()
        with fails(errno.ENOENT):
            first.attach(ioas + 77)
        attach = tool.next()
        first.attach(ioas)
    for line, request in ((twice, "BIND_IOMMUFD"), (attach, "ATTACH_IOMMUFD_PT")):
        has(line, stock=True, request=f"VFIO_DEVICE_{request}", device=address)
        has(line, refused_by="kernel", reason=None)
    assert twice["likely"].startswith(f"{address} is bound already: the process itself has it")
    assert f"that {address} was to be attached to does not exist" in attach["likely"]


def test_open_group(context: Context) -> None:
    """VFIO's own failures are reported as on our kernel."""
    address = addresses()[0]
    with Group(address), Why() as tool:
        with fails(errno.EBUSY):
            Group(address)
        line = tool.next()
    has(line, request="open", file=f"/dev/vfio/{group_of(address)}", error="EBUSY")
    assert "the process itself has it" in line["what"]


def test_attaches(context: Context, ioas: int) -> None:
    """Those of VFIO's ioctl count for their device, with the failed ones."""
    with Edu(context, ioas, 0) as edu, top.Stream("-d", "0.3", view="device") as stream:
        has(stream.last["rows"][0], device=edu.address, all_attaches=0, all_failed=0)
        edu.attach(context.hwpt_alloc(edu.id, ioas))
        with fails(errno.ENOENT):
            edu.attach(ioas + 77)
        edu.detach()
        edu.attach(ioas)
        report = stream.until(lambda r: r["rows"][0]["all_attaches"] == 2)
    (row,) = report["rows"]
    has(row, device=edu.address, all_attaches=2, all_failed=1)
    assert 0 < row["attach_last_ns"] <= row["attach_max_ns"]


def test_repeats() -> None:
    """They are counted if the likely cause is the same, at whatever address."""
    script = "\n".join(
        [
            "from iommufd import mem",
            "from iommufd.ctx import Context",
            "from iommufd.edu import Edu",
            "with Context() as context, mem.anonymous(8192) as buffer:",
            "    ioas = context.ioas_alloc()",
            "    with Edu(context, ioas, 0):",
            "        for iova, size in ((1, 4096), (2, 4096), (3, 4096), (4096, 0)):",
            "            try: context.map(ioas, buffer, size, iova=(1 << 30) + iova)",
            "            except OSError: pass",
        ]
    )
    command = ("--", "/usr/bin/python3", "-c", script)
    done = run("iommufd-why", *command, env=environment())
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    titles = [line for line in lines if "IOMMU_IOAS_MAP: Invalid argument (EINVAL)" in line]
    assert [title.split(", ")[-1] for title in titles] == [
        "reason not reported",
        "reason not reported",
        "2 more like that",
    ]
    assert len([line for line in lines if line.startswith("    Likely: the IOVA is not")]) == 1


@pytest.mark.guest(mock=True)
def test_as_text(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    with mock.Device(context, ioas):
        context.map(ioas, buffer)
        text = run(iommufd_pins.NAME).stdout.splitlines()
    assert text[0].startswith("contexts: 1, IOAS: 1, pinned: 64.0K, ")
    assert text[0].endswith(", source: upstream")
    # No runs: no map is seen.
    assert text[1].split()[-1] == "FREE"
    assert text[3].split() == [str(ioas), "1", "64.0K", "64.0K", "-", "-"]
    assert text[4].split()[:2] == ["device", "iommufd_mock0,"]
