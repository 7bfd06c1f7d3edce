# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-maplat: every request once, in the right place, with the kernel's own times."""

import errno
import itertools
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from child_process import Child
from errnos import fails
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.trace import Event, Stream
from tool_runner import Tool, environment, load_command

pytestmark = pytest.mark.guest(kernels="bpf")

NAME = "iommufd-maplat"
PARTS = {
    "map": {"lock": "lock_ns", "pin": "pin_ns", "iommu": "map_ns"},
    "unmap": {
        "lock": "lock_ns",
        "iommu": "unmap_ns",
        "sync": "sync_ns",
        "unpin": "unpin_ns",
    },
}
IOVA = mock.START
COMM = Path("/proc/self/comm").read_text().strip()


def load(*options: str) -> dict[str, Any]:
    """Runs a load, which must do what it reports."""
    done = subprocess.run(
        load_command(*options), check=True, capture_output=True, text=True, env=environment()
    )
    return json.loads(done.stdout)


def row_of(report: dict[str, Any], **key: object) -> dict[str, Any]:
    """The only row of this kind; its numbers must be consistent."""
    (row,) = [r for r in report["rows"] if {k: r[k] for k in key} == key]
    for name in ("total", *PARTS[row["op"]]):
        part = row[name]
        assert sum(count for _, _, count in part["slots"]) == row["timed"]
        low, high = (sum(slot[i] * slot[2] for slot in part["slots"]) for i in (0, 1))
        assert low <= part["sum_ns"] <= high
        assert part["max_ns"] <= part["sum_ns"]
        assert part["max_ns"] <= row["total"]["max_ns"]
    assert sum(row[name]["sum_ns"] for name in PARTS[row["op"]]) <= row["total"]["sum_ns"]
    return row


def check_slots(row: dict[str, Any]) -> None:
    """Powers of two, in order, none of them empty."""
    for name in ("total", *PARTS[row["op"]]):
        ends = [end for first, last, _ in row[name]["slots"] for end in (first, last)]
        assert ends == sorted(ends)
        for first, last, count in row[name]["slots"]:
            assert count > 0
            assert (first, last) == (0, 0) or (first & (first - 1) == 0 and last == 2 * first - 1)


def test_counts() -> None:
    """The exact maps and unmaps of each IOAS."""
    with Tool(NAME, "-j", "--by", "ioas") as tool:
        done = load("--maps", "60", "--size", "4K,64K,1M", "--ioas", "2")
        (report,) = tool.rest()
    assert report["lost_events"] == 0
    assert len(report["rows"]) == 4
    for space in done["ioas"]:
        dma = space["dma_bytes"]
        row = row_of(report, op="map", ioas=space["id"])
        check_slots(row)
        assert row["timed"] == space["maps"] + dma // PAGE
        assert row["bytes"] == space["mapped_bytes"] + dma
        assert (row["untimed"], row["failed"]) == (0, 0)
        row = row_of(report, op="unmap", ioas=space["id"])
        check_slots(row)
        # Destroying the IOAS unmaps the rest, which counts as one more.
        assert row["timed"] == space["unmaps"] + (dma > 0)
        assert row["bytes"] == space["unmapped_bytes"] + dma


def maps(count: int) -> Callable[[Child], None]:
    """Makes a number of maps without a device."""

    def body(_: Child) -> None:
        with Context() as context, mem.anonymous(PAGE) as buffer:
            ioas = context.ioas_alloc()
            for _ in range(count):
                context.map(ioas, buffer)

    return body


def test_processes() -> None:
    """Each process by itself, by name; with a filter, only one."""
    counts = {}
    with (
        Context() as context,
        mem.anonymous(PAGE) as buffer,
        Tool(NAME, "-j", "-b", "process") as each,
        Tool(NAME, "-j", "-p", str(os.getpid())) as mine,
    ):
        for count in (7, 20):
            with Child(maps(count)) as child:
                counts[child.pid] = count
        context.map(context.ioas_alloc(), buffer)
        (report,) = each.rest()
        for pid, count in counts.items():
            row = row_of(report, op="map", pid=pid)
            assert (row["command"], row["timed"]) == (COMM, count)
        (report,) = mine.rest()
        assert row_of(report, op="map")["timed"] == 1
        assert len(report["rows"]) == 1


def test_sizes(context: Context, ioas: int) -> None:
    sizes = (PAGE, 3 * PAGE, 2 << 20)
    with mem.anonymous(2 << 20) as buffer, Tool(NAME, "-j", "-b", "size") as tool:
        for size in sizes * 3:
            context.unmap(ioas, context.map(ioas, buffer, size), size)
        (report,) = tool.rest()
    for op in ("map", "unmap"):
        for first, size in zip((PAGE, 2 * PAGE, 2 << 20), sizes, strict=True):
            row = row_of(report, op=op, size_min_bytes=first, size_max_bytes=2 * first - 1)
            assert (row["timed"], row["bytes"]) == (3, 3 * size)


def test_failures(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Failures are counted as such, and appear nowhere else."""
    with Tool(NAME, "-j") as tool:
        context.map(ioas, buffer, iova=IOVA)
        for _ in range(3):
            with fails(errno.EEXIST):
                context.map(ioas, buffer, iova=IOVA)
        with fails(errno.ENOENT):
            context.unmap(ioas, IOVA, PAGE)
        (report,) = tool.rest()
    row = row_of(report, op="map")
    assert (row["timed"], row["failed"], row["bytes"]) == (1, 3, buffer.size)
    row = row_of(report, op="unmap")
    assert (row["timed"], row["failed"], row["total"]["slots"]) == (0, 1, [])


def test_intervals(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """However short the intervals are, each request is in one of them."""
    requests = 3000
    with Tool(NAME, "-j", "0.02") as tool:
        for _ in range(requests):
            context.unmap(ioas, context.map(ioas, buffer), buffer.size)
        reports = tool.rest()
    assert len(reports) > 1
    for op in ("map", "unmap"):
        rows = [r for report in reports for r in report["rows"] if r["op"] == op]
        assert sum(r["timed"] for r in rows) == requests
        assert sum(r["bytes"] for r in rows) == requests * buffer.size
    assert reports[-1]["lost_events"] == 0
    for before, after in itertools.pairwise(reports):
        took = after["time_ns"] - before["time_ns"]
        assert took == pytest.approx(after["interval_ns"], abs=1e9)


def test_count_ends_it() -> None:
    with Tool(NAME, "-j", "0.01", "3") as tool:
        assert len(tool.out.readlines()) == 3
        assert tool.process.wait() == 0


def check_call(call: dict[str, Any], event: Event) -> None:
    """Checks that a call matches its event."""
    op = call["op"]
    assert event.name == f"iommufd_ioas_{op}"
    for name in ("ctx", "ioas", "iova", "runs"):
        assert call[name] == event.number(name)
    assert call["errno"] == -event.number("ret")
    assert call["bytes"] == event.number("length" if op == "map" else "unmapped")
    assert call["pages"] == event.number("pinned" if op == "map" else "unpinned")
    for part, field in PARTS[op].items():
        assert call[f"{part}_ns"] == event.number(field)
    # The clock is read once for each consumer, one after the other.
    assert call["total_ns"] >= event.number("ns")


@pytest.fixture
def events() -> Any:
    """Listens before the tool does."""
    with Stream("iommufd", "iommufd_ioas_map", "iommufd_ioas_unmap") as stream:
        yield stream


@pytest.mark.guest(mock=True)
def test_single_requests(events: Stream, context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The times of the trace events, within the time that the caller has measured."""
    with mock.Device(context, ioas), Tool(NAME, "-j", "--slower", "0") as tool:
        took = []
        for size in (PAGE, 16 * PAGE, 3 * PAGE):
            for request in (
                lambda size=size: context.map(ioas, buffer, size, iova=IOVA),
                lambda size=size: context.unmap(ioas, IOVA, size),
            ):
                begin = time.monotonic_ns()
                request()
                took.append(time.monotonic_ns() - begin)
        with fails(errno.ENOENT):
            context.unmap(ioas, IOVA, PAGE)
        calls = tool.rest()
    told = events.read()
    assert len(calls) == len(told) == len(took) + 1
    for call, event in zip(calls, told, strict=True):
        check_call(call, event)
        assert call["pid"] == os.getpid()
        assert call["command"] == COMM
    for call, ns in zip(calls, took, strict=False):
        parts = sum(call[f"{part}_ns"] for part in PARTS[call["op"]])
        assert 0 < parts <= call["total_ns"] <= ns


@pytest.mark.guest(mock=True)
def test_slow_requests(events: Stream, context: Context, ioas: int) -> None:
    """The requests that took at least this long, no others."""
    limit_us = 100
    with mem.anonymous(1024 * PAGE) as buffer, mock.Device(context, ioas):
        with Tool(NAME, "-j", "-s", str(limit_us)) as tool:
            for _ in range(20):
                context.unmap(ioas, context.map(ioas, buffer, PAGE), PAGE)
                context.unmap(ioas, context.map(ioas, buffer), buffer.size)
            calls = tool.rest()
    assert all(call["total_ns"] >= limit_us * 1000 for call in calls)
    slow = [e for e in events.read() if e.number("ns") >= limit_us * 1000]
    assert slow
    # The tool's clock is read a moment later, so it may have some more.
    found = {(c["iova"], c["op"], c["lock_ns"], c["iommu_ns"]) for c in calls}
    for event in slow:
        op = event.name.removeprefix("iommufd_ioas_")
        numbers = [event.number(x) for x in ("lock_ns", PARTS[op]["iommu"])]
        assert (event.number("iova"), op, *numbers) in found


def test_losses_are_told(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Requests that the reader is too slow for are not listed, but counted."""
    rounds = 4500
    with Tool(NAME, "-j", "-s", "0") as tool:
        tool.process.send_signal(signal.SIGSTOP)
        for _ in range(rounds):
            context.unmap(ioas, context.map(ioas, buffer), buffer.size)
        tool.process.send_signal(signal.SIGINT)
        tool.process.send_signal(signal.SIGCONT)
        listed = len(tool.out.readlines())
        assert tool.process.wait() == 0
        said = tool.errors.read().splitlines()[-1]
    lost = int(re.fullmatch(f"{NAME}: (\\d+) requests were lost( so far)?", said)[1])
    assert lost > 0
    assert listed + lost == 2 * rounds


def test_text(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The same numbers as text."""
    with Tool(NAME, "-T", "-b", "ioas") as tool:
        for _ in range(30):
            context.map(ioas, buffer)
        lines = tool.text().splitlines()
    assert time.strptime(lines[1], "%H:%M:%S")
    (heading,) = [x for x in lines if x.startswith("map, context ")]
    assert heading.endswith(f", IOAS {ioas}: 30 requests of 1.88M")
    (titles,) = [x for x in lines if "nsecs" in x]
    assert titles.split() == ["nsecs", ":", "total", "lock", "pin", "iommu", "|total", "|"]
    rows = [x.split(":")[1].split() for x in lines if x.endswith("|") and x != titles]
    for column in range(4):
        assert sum(int(row[column]) for row in rows) == 30
    # The longest bar belongs to the row with the largest count.
    bars = [
        (int(row[0]), line.count("*")) for row, line in zip(rows, lines[-len(rows) :], strict=True)
    ]
    assert max(bars) == (max(count for count, _ in bars), 40)


def test_list_as_text(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    with Tool(NAME, "-T", "-s", "0") as tool:
        context.map(ioas, buffer, iova=IOVA)
        titles, row = (line.split() for line in tool.text().splitlines())
    row = dict(zip(titles, row, strict=True))
    assert time.strptime(row["TIME"], "%H:%M:%S")
    shown = [row[x] for x in ("PID", "IOAS", "OP", "IOVA", "BYTES", "RET", "SYNC", "UNPIN")]
    assert shown == [str(os.getpid()), str(ioas), "map", f"{IOVA:x}", "64.0K", "0", "-", "-"]
    assert float(row["TOTAL(us)"]) > 0
