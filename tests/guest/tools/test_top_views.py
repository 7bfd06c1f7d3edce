# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tables of iommufd-top, each with exact numbers for a known workload."""

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import iommufd_pins
import iommufd_top as top
import pytest
from child_process import Child
from errnos import fails
from iommufd import dirty, invalidate, mem, mock, uapi
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.nest import FaultQueue, Nest
from iommufd.pins import unprivileged
from iommufd.vfio import group_of
from tool_runner import has

pytestmark = pytest.mark.guest(kernels="tools")

COMM = Path("/proc/self/comm").read_text().strip()
VIRT_ID = 0x99
LIMIT = 64
DELAY = ("-d", "0.3")


def by_id(report: dict[str, Any], name: str) -> dict[int, dict[str, Any]]:
    """The rows by their key, all of this process."""
    assert {row["pid"] for row in report["rows"]} <= {os.getpid()}
    return {row[name]: row for row in report["rows"]}


@pytest.mark.guest(mock=True)
def test_page_tables() -> None:
    """Kinds, parents, devices, invalidations and dirty reads; older page tables first."""
    with Nest() as nest:
        viommu = nest.viommu()
        nest.vdevice(viommu, VIRT_ID)
        nested = nest.nested()
        with top.Stream(*DELAY, view="hwpt") as stream:
            rows = by_id(stream.last, "hwpt")
            assert rows.keys() == {nest.device.hwpt, nest.parent, viommu, nested}
            common = {"late": True, "ended": False, "command": COMM, "ioas": nest.ioas}
            has(rows[nest.device.hwpt], kind="auto", parent=nest.ioas, devices=1, **common)
            has(rows[nest.parent], kind="paging", parent=nest.ioas, devices=0, flags="n", **common)
            has(rows[viommu], kind="viommu", parent=nest.parent, devices=0, **common)
            has(rows[nested], kind="nested", parent=nest.parent, devices=0, **common)
            for count in (2, 3, 4):
                invalidate.page_table(nest.context, nested, count)
            invalidate.page_table(nest.context, nested, data_type=0xDADBEEF)
            for _ in range(2):
                invalidate.viommu(nest.context, viommu, VIRT_ID)
            tracked = nest.paging(uapi.HWPT_ALLOC_DIRTY_TRACKING)
            dirty.track(nest.context, tracked)
            dirty.mark(nest.context, tracked, mock.START, [0, 2, 3])
            found = dirty.read(nest.context, tracked, mock.START, 2 * PAGE)
            nest.device.replace(nested)
            report = stream.until(
                lambda r: r["total"]["dirty"]["all_count"] and by_id(r, "hwpt")[nested]["devices"]
            )
            rows = by_id(report, "hwpt")
            # The automatic one has gone with its last device; it may still be shown.
            has(rows[nested]["invalidate"], all_count=3, all_failed=1, all_entries=9)
            has(rows[viommu]["invalidate"], all_count=2, all_entries=2)
            has(rows[tracked], kind="paging", flags="d", late=False)
            has(rows[tracked]["dirty"], all_count=1, all_bytes=len(found) * mock.PAGE)
            has(report["total"]["invalidate"], all_count=5, all_entries=11)
            assert rows[nested]["invalidate"]["all_max_ns"] > 0
            nest.device.replace(nest.ioas)
            nest.destroy(nested)
            stream.until(lambda r: nested not in by_id(r, "hwpt"))
            has(stream.last["total"]["invalidate"], all_count=5, all_entries=11)
        nest.finish()


@pytest.mark.guest(mock=True)
def test_devices() -> None:
    """Names, groups, page tables, attaches and pending faults."""
    with top.Stream(*DELAY, view="device") as stream, Nest() as nest:
        with nest.fault_queue() as queue:
            look_at_devices(stream, nest, queue)
        nest.finish()


def test_device_of_before(context: Context, ioas: int) -> None:
    """A device that is older than the tool has its name, its group and its page table, too."""
    with Edu(context, ioas) as edu, top.Stream(*DELAY, view="device") as stream:
        (row,) = stream.last["rows"]
        has(row, late=True, device=edu.address, group=group_of(edu.address), ioas=ioas)
        assert row["hwpt"] > 0
        edu.detach()
        stream.until(lambda r: r["rows"][0]["hwpt"] == 0)
        has(stream.last["rows"][0], device=edu.address, ioas=0)


def look_at_devices(stream: top.Stream, nest: Nest, queue: FaultQueue) -> None:
    """The test above, with a queue of page faults."""
    reporting = nest.reporting(queue)
    nest.device.replace(reporting)
    for group in range(3):
        nest.device.fault(group=group)
    cookies = [fault.cookie for fault in queue.read()]
    queue.respond(cookies[0])
    with mock.Device(nest.context, nest.ioas) as other:
        report = stream.until(lambda r: len(r["rows"]) == 2 and r["rows"][1]["all_attaches"])
        first, second = (by_id(report, "device_id")[d.device] for d in (nest.device, other))
    assert first["device"].startswith("iommufd_mock")
    assert first["device"] != second["device"]
    assert first["group"] != second["group"]
    has(first, late=False, ended=False, hwpt=reporting, ioas=nest.ioas, all_attaches=2)
    has(first, all_faults=3, faults_waiting=2, all_failed=0, command=COMM)
    has(second, hwpt=other.hwpt, ioas=nest.ioas, all_attaches=1, all_faults=0)
    assert 0 < first["attach_last_ns"] <= first["attach_max_ns"]
    # The totals come from the queues.
    has(report["total"], all_faults=3, faults_waiting=2)
    queue.respond(*cookies[1:])
    stream.until(lambda r: r["total"]["faults_waiting"] == 0)
    assert by_id(stream.last, "device_id")[nest.device.device]["faults_waiting"] == 0
    nest.device.replace(nest.ioas)


def test_failures(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """By reason, with the last failure of each."""

    def body(child: Child) -> None:
        for _ in range(4):
            with fails(errno.EEXIST):
                context.map(ioas, buffer, iova=1 << 20)

    context.map(ioas, buffer, iova=1 << 20)
    with top.Stream(*DELAY, view="failure") as stream:
        assert stream.last["rows"] == []
        for _ in range(3):
            with fails(errno.EEXIST):
                context.map(ioas, buffer, iova=1 << 20)
        with fails(errno.ENOENT):
            context.unmap(ioas, 1 << 30, PAGE)
        with fails(errno.ENOENT):
            context.destroy(ioas + 77)
        with Child(body) as child:
            pass
        report = stream.until(lambda r: sum(row["all_failed"] for row in r["rows"]) == 9)
        rows = {row["reason"]: row for row in report["rows"]}
        mapped, missing, unknown = (rows[x] for x in ("iova_mapped", "not_mapped", "no_object"))
        has(mapped, all_failed=7, pid=child.pid, error="EEXIST", request="IOMMU_IOAS_MAP")
        has(mapped, first=1 << 20, second=(1 << 20) + buffer.size - 1, command=COMM, policy="")
        has(missing, all_failed=1, pid=os.getpid(), error="ENOENT", request="IOMMU_IOAS_UNMAP")
        has(missing, first=1 << 30)
        has(unknown, all_failed=1, request="IOMMU_DESTROY", first=ioas + 77)
        assert len(rows) == 3
        # Those of exited processes, too.
        assert sum(row["all_failed"] for row in stream.next()["rows"]) == 9


def pinning(child: Child) -> None:
    """Pins ten pages as an ordinary user."""
    with Context() as context, mem.anonymous(16 * PAGE) as buffer:
        ioas = context.ioas_alloc()
        other = context.ioas_alloc()
        with mock.Device(context, ioas):
            with unprivileged(LIMIT * PAGE):
                context.map(ioas, buffer, 10 * PAGE)
                context.map(other, buffer, 5 * PAGE)
                with contextlib.suppress(OSError):
                    context.unmap(ioas, 1 << 40, PAGE)
                child.pause()
            child.pause()


@pytest.mark.guest(mock=True)
def test_processes(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Totals and limit of each process; with -p only one, also in the totals; their end."""
    context.map(ioas, buffer)
    with Child(pinning) as child, top.Stream(*DELAY, view="process") as stream:
        child.met()
        report = stream.until(lambda r: r["processes"] == 2)
        rows = {row["pid"]: row for row in report["rows"]}
        mine, other = rows[os.getpid()], rows[child.pid]
        has(other, contexts=1, ioas_live=2, devices=1, mapped_bytes=15 * PAGE, areas=2)
        has(other, pinned_pages=10, limit_pages=LIMIT, ended=False, command=COMM)
        has(mine, contexts=1, ioas_live=1, devices=0, mapped_bytes=buffer.size, limit_pages=None)
        has(report["total"], mapped_bytes=15 * PAGE + buffer.size, pinned_pages=10)
        # Of the existing process: it began before the tool did.
        alone = top.run("--json", "-n", "1", *DELAY, "-p", str(child.pid))
        (row,) = top.parse(alone)["rows"]
        has(row, pid=child.pid, pinned_pages=10)
        has(top.parse(alone)["total"], mapped_bytes=15 * PAGE, pinned_pages=10)
        child.go_on()
        child.met()
        child.go_on()
        report = stream.until(lambda r: any(x["ended"] for x in r["rows"]))
        (gone,) = [row for row in report["rows"] if row["ended"]]
        has(gone, pid=child.pid, ioas_live=0, mapped_bytes=0)
        (left,) = stream.next()["rows"]
        assert left["pid"] == os.getpid()


@pytest.mark.guest(mock=True)
def test_limit_of_a_user() -> None:
    """Two processes of a user who are charged together, and the account of one by itself."""
    with (
        Child(iommufd_pins.pinning("user")) as first,
        Child(iommufd_pins.pinning("user")) as second,
        Child(iommufd_pins.pinning("mm")) as alone,
    ):
        for child in (first, second, alone):
            child.met()
        done = top.run("--json", "-n", "1", *DELAY, "-w", "process")
        rows = {row["pid"]: row for row in top.parse(done)["rows"]}
        for child in (first, second, alone):
            child.go_on()
            child.met()
    for child, used in ((first, 20), (second, 20), (alone, 10)):
        has(rows[child.pid], pinned_pages=10, used_pages=used, limit_pages=LIMIT)


def test_sizes(context: Context, ioas: int) -> None:
    """Maps and unmaps by size, and the current sizes as long as those are known."""
    with (
        top.Stream(*DELAY, view="size") as stream,
        Context() as fresh,
        mem.anonymous(1 << 20) as buffer,
    ):
        space = fresh.ioas_alloc()
        pages = [fresh.map(space, buffer, PAGE) for _ in range(5)]
        large = [fresh.map(space, buffer, 1 << 20) for _ in range(3)]
        odd = fresh.map(space, buffer, 3 * PAGE)
        for iova in pages[:2]:
            fresh.unmap(space, iova, PAGE)
        fresh.unmap(space, large[0], 1 << 20)
        report = stream.until(lambda r: r["total"]["unmap"]["all_count"] == 3)
        rows = by_id(report, "size_min_bytes")
        assert rows.keys() == {PAGE, 2 * PAGE, 1 << 20}
        has(rows[PAGE], size_max_bytes=2 * PAGE - 1, all_maps=5, all_unmaps=2, areas=3, ioas=space)
        has(rows[2 * PAGE], all_maps=1, all_unmaps=0, areas=1)
        has(rows[1 << 20], size_max_bytes=(1 << 21) - 1, all_maps=3, all_unmaps=1, areas=2)
        # Several at a time: the event does not tell their sizes.
        fresh.unmap_all(space)
        report = stream.until(lambda r: r["total"]["areas"] == 0)
        assert {row["areas"] for row in report["rows"]} == {None}
        assert odd
        # The sizes of older mappings are not known either.
        context.map(ioas, buffer, PAGE)
        report = stream.until(lambda r: any(row["late"] for row in r["rows"]))
        (late,) = [row for row in report["rows"] if row["late"]]
        has(late, all_maps=1, areas=None)


def test_cost_is_measured(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    with top.Stream(*DELAY, "--cost", view="process") as stream:
        for _ in range(50):
            context.unmap(ioas, context.map(ioas, buffer), buffer.size)
        report = stream.until(lambda r: r["total"]["map"]["all_count"] == 50)
        assert report["cpu_ns"] > 0
        assert report["bpf_ns"] > 0
        assert stream.last["lost_events"] == 0


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("-p", "4194000"), 1, "there is no process 4194000"),
        (("-w", "moon"), 64, "the views are process, ioas, hwpt, device, failure and size"),
        (("-s", "group"), 64, "the view process has no column 'group'"),
        (("-d", "0"), 64, "the delay must be from 0.01 to 86400 seconds, not '0'"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], status: int, says: str) -> None:
    done = top.run("-b", "-n", "1", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr


def test_filter(context: Context, ioas: int) -> None:
    """By any text in a row, ignoring case."""
    assert ioas
    for text, rows in ((COMM.upper(), 1), ("moon", 0)):
        shown = top.run("--json", "-n", "1", *DELAY, "-f", text)
        assert len(top.parse(shown)["rows"]) == rows
