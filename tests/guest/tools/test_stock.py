# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tools on a kernel with the stock iommufd: exact numbers from system calls."""

import errno
import json
import os
import re
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from errnos import fails
from iommufd import mem, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.mem import PAGE
from iommufd.pins import NOBODY, unprivileged
from screen import Screen
from tool_runner import BIN, Tool, environment, run

# Like test_conformance.py, so that both share a boot.
pytestmark = pytest.mark.guest(kernels="upstream", devices=(), hugepages=80)

MAPLAT = "iommufd-maplat"
IOVA = 1 << 20
COMM = Path("/proc/self/comm").read_text().strip()
# Linux 6.12 has no IOMMU_IOAS_MAP_FILE.
MAPS_FILES = not os.uname().release.startswith("6.12.")
# Successful maps of work(), and their size.
MAPS = 4 + MAPS_FILES
SIZE = (7 + 4 * MAPS_FILES) * PAGE
# Fails, as others do that it leads to: run by iommufd-why.
SCRIPT = """
import os, threading
from iommufd.ctx import Context, NO_ID
from iommufd import mem

def attempt(call, *arguments, **more):
    try:
        call(*arguments, **more)
    except OSError:
        pass

with Context() as context, mem.anonymous(1 << 16) as buffer:
    ioas = context.ioas_alloc()
    context.map(ioas, buffer, iova=1 << 20)
    attempt(context.map, ioas, buffer, iova=1 << 20)
    attempt(context.map, NO_ID, buffer)
    # Asks for the number of ranges first, which is no failure.
    context.iova_ranges(ioas)
    thread = threading.Thread(target=attempt, args=(context.destroy, NO_ID))
    thread.start()
    thread.join()
    child = os.fork()
    if not child:
        attempt(context.unmap, ioas, 1 << 30, 1 << 16)
        os._exit(0)
    os.waitpid(child, 0)
"""


def row_of(report: dict[str, Any], may_lose: bool = False, **key: object) -> dict[str, Any]:
    """The only row of this kind: each of its requests is once in its histogram."""
    assert report["stock"] is True
    assert may_lose or report["lost_events"] == 0
    (row,) = [r for r in report["rows"] if {k: r[k] for k in key} == key]
    total = row["total"]
    assert sum(count for _, _, count in total["slots"]) == row["timed"]
    low, high = (sum(slot[i] * slot[2] for slot in total["slots"]) for i in (0, 1))
    assert low <= total["sum_ns"] <= high
    assert total["max_ns"] <= total["sum_ns"]
    # The rest is unknown, and is left out.
    assert not {"lock", "sync", "ctx"} & row.keys()
    return row


def numbers(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["timed"], row["failed"], row["bytes"]


def work() -> None:
    """Three ways to map: MAPS requests that succeed, 3 that fail; 2 unmaps, 1 fails."""
    fd = os.memfd_create("dma")
    os.ftruncate(fd, 4 * PAGE)
    with Context() as context, mem.anonymous(2 * PAGE) as buffer:
        first, second = context.ioas_alloc(), context.ioas_alloc()
        context.map(first, buffer, iova=IOVA)
        context.map(second, buffer, PAGE)
        context.map(second, buffer)
        if MAPS_FILES:
            context.map_file(second, fd, 0, 4 * PAGE)
        context.copy(second, first, IOVA, 2 * PAGE)
        for _ in range(2):
            with fails(errno.EEXIST):
                context.map(first, buffer, iova=IOVA)
        with fails(errno.ENOENT):
            context.map(NO_ID, buffer)
        with fails(errno.ENOENT):
            context.unmap(first, 64 * IOVA, PAGE)
        context.unmap(first, IOVA, 2 * PAGE)
        # The request asks for everything: the answer has the number.
        assert context.unmap_all(second) == SIZE - 2 * PAGE
    os.close(fd)


def test_processes() -> None:
    """Each with its maps and unmaps of every kind, and how many of them failed."""
    with Tool(MAPLAT, "-j", "-b", "process") as tool:
        pid = os.fork()
        if not pid:
            work()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        work()
        work()
        (report,) = tool.rest()
    for who, times in ((pid, 1), (os.getpid(), 2)):
        row = row_of(report, op="map", pid=who)
        assert row["command"] == COMM
        assert numbers(row) == (MAPS * times, 3 * times, SIZE * times)
        row = row_of(report, op="unmap", pid=who)
        assert numbers(row) == (2 * times, times, SIZE * times)


def test_one_process() -> None:
    with Tool(MAPLAT, "-j", "-p", str(os.getpid())) as tool:
        pid = os.fork()
        if not pid:
            work()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        work()
        (report,) = tool.rest()
    assert len(report["rows"]) == 2
    assert numbers(row_of(report, op="map")) == (MAPS, 3, SIZE)


def test_sizes(context: Context, ioas: int) -> None:
    sizes = (PAGE, 3 * PAGE, 2 << 20)
    with mem.anonymous(2 << 20) as buffer, Tool(MAPLAT, "-j", "-b", "size") as tool:
        for size in sizes * 3:
            context.unmap(ioas, context.map(ioas, buffer, size), size)
        (report,) = tool.rest()
    assert len(report["rows"]) == 6
    for op in ("map", "unmap"):
        for first, size in zip((PAGE, 2 * PAGE, 2 << 20), sizes, strict=True):
            row = row_of(report, op=op, size_min_bytes=first, size_max_bytes=2 * first - 1)
            assert numbers(row) == (3, 0, 3 * size)


def test_threads_and_intervals(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """Many at a time and in short intervals: each request is in one interval, or lost.

    While the tool's own bpf() is preempted, programs miss the events of its CPU. The
    tool reports that.
    """
    each, threads = 400, 4

    def body() -> None:
        for _ in range(each):
            context.unmap(ioas, context.map(ioas, buffer), buffer.size)

    with Tool(MAPLAT, "-j", "0.02") as tool:
        workers = [threading.Thread(target=body) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        reports = tool.rest()
    assert len(reports) > 1
    seen = 0
    for op in ("map", "unmap"):
        rows = [row_of(r, True, op=op) for r in reports if any(x["op"] == op for x in r["rows"])]
        timed = sum(r["timed"] for r in rows)
        assert 0 < timed <= threads * each
        seen += timed
        assert sum(r["bytes"] for r in rows) == timed * buffer.size
    # Counted since the start; a call is two events.
    assert seen + reports[-1]["lost_events"] >= 2 * threads * each


def test_single_requests(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """In their order, and within the time that the caller has measured."""
    with Tool(MAPLAT, "-j", "--slower", "0") as tool:
        took = []
        for size in (PAGE, 16 * PAGE):
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
    shown = [(c["op"], c["bytes"], c["errno"]) for c in calls]
    assert shown == [
        ("map", PAGE, 0),
        ("unmap", PAGE, 0),
        ("map", 16 * PAGE, 0),
        ("unmap", 16 * PAGE, 0),
        ("unmap", 0, errno.ENOENT),
    ]
    assert {(c["ioas"], c["iova"]) for c in calls} == {(ioas, IOVA)}
    for call, ns in zip(calls, took, strict=False):
        assert (call["pid"], call["command"], call["stock"]) == (os.getpid(), COMM, True)
        assert 0 < call["total_ns"] <= ns


def test_text(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """It says at the beginning what kernel this is, and shows what it can."""
    with Tool(MAPLAT, "-b", "process") as tool:
        for _ in range(30):
            context.map(ioas, buffer)
        lines = tool.text().splitlines()
    assert lines[0].startswith("This kernel has no iommufd with trace events:")
    assert f"map, process {os.getpid()} {COMM}: 30 requests of 1.88M" in lines
    (titles,) = [x for x in lines if "nsecs" in x]
    assert titles.split() == ["nsecs", ":", "total", "pin", "iommu", "|total", "|"]
    bars = [x for x in lines if x.endswith("|") and x != titles]
    assert sum(int(x.split(":")[1].split()[0]) for x in bars) == 30


def test_by_ioas(context: Context, buffer: mem.Buffer) -> None:
    """Each of a process, whatever the request is."""
    spaces = [context.ioas_alloc() for _ in range(3)]
    with Tool(MAPLAT, "-j", "-b", "ioas") as tool:
        context.map(spaces[0], buffer, iova=IOVA)
        for ioas in spaces[1:]:
            context.copy(ioas, spaces[0], IOVA, PAGE)
            context.unmap_all(ioas)
        context.map(spaces[1], buffer)
        (report,) = tool.rest()
    for ioas, maps, size in zip(spaces, (1, 2, 1), (16, 17, 1), strict=True):
        row = row_of(report, op="map", pid=os.getpid(), ioas=ioas)
        assert numbers(row) == (maps, 0, size * PAGE)
    unmaps = [row["ioas"] for row in report["rows"] if row["op"] == "unmap"]
    assert sorted(unmaps) == spaces[1:]


def told(*options: str) -> str:
    """The reported failures of the script; its own output is empty."""
    done = run(
        "iommufd-why",
        *options,
        "--",
        "/usr/bin/python3",
        "-c",
        SCRIPT,
        env=environment(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_calls_of_others_are_not_lost(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """The kernel skips events; those of ioctls that are not iommufd's are no loss."""
    body = "\n".join(
        [
            "import fcntl, os, termios",
            "fd = os.openpty()[0]",
            "while True: fcntl.ioctl(fd, termios.FIONREAD, b'1234')",
        ]
    )
    others = [subprocess.Popen(["/usr/bin/python3", "-S", "-c", body]) for _ in range(4)]
    try:
        # Each interval replaces a map, while which the kernel skips events.
        with Tool(MAPLAT, "-j", "0.02") as tool:
            for _ in range(5):
                time.sleep(0.3)
                context.map(ioas, buffer)
            reports = tool.rest()
    finally:
        for other in others:
            other.kill()
            other.wait()
    timed = sum(row["timed"] for report in reports for row in report["rows"])
    assert timed + reports[-1]["lost_events"] == 5


def test_failures() -> None:
    """Those of a command, its threads and its children, with the meanings of their errno."""
    *failures, summary = map(json.loads, told("--json", "--summary").splitlines())
    shown = [
        (f["request"], f["request_number"], f["error"], f.get("length_bytes")) for f in failures
    ]
    assert shown == [
        ("IOMMU_IOAS_MAP", uapi.NUMBER["IOAS_MAP"], "EEXIST", 1 << 16),
        ("IOMMU_IOAS_MAP", uapi.NUMBER["IOAS_MAP"], "ENOENT", 1 << 16),
        ("IOMMU_DESTROY", uapi.NUMBER["DESTROY"], "ENOENT", None),
        ("IOMMU_IOAS_UNMAP", uapi.NUMBER["IOAS_UNMAP"], "ENOENT", 1 << 16),
    ]
    parent = failures[0]["pid"]
    assert [f["pid"] == parent for f in failures] == [True, True, True, False]
    assert [f["tid"] == f["pid"] for f in failures] == [True, True, False, True]
    for failure in failures:
        assert failure["stock"] is True
        assert "iommufd-bpf reports which of these it is" in failure["advice"]
        assert not {"reason", "first", "second", "ctx", "policy"} & failure.keys()
    assert "mapped at that address already" in failures[0]["can_mean"]
    assert summary == {"summary": {"ENOENT": 3, "EEXIST": 1}, "lost_events": 0}


def test_failures_as_text() -> None:
    lines = told("-n", "1", "-s").splitlines()
    assert lines[0].startswith("This kernel has the stock iommufd, which does not report why")
    assert lines[2].endswith("IOMMU_IOAS_MAP: File exists (EEXIST), reason not reported")
    likely = "something is mapped already between IOVA 0x100000 and 0x10ffff"
    assert lines[3] == f"    Likely: {likely}."
    assert lines[4].startswith("    It can mean: something is mapped")
    assert "    What to do: A kernel with iommufd-bpf" in "\n".join(lines)
    assert [line.split() for line in lines[-2:]] == [["COUNT", "ERROR"], ["1", "EEXIST"]]


def test_no_reasons() -> None:
    done = run("iommufd-why", "-r", "memlock")
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not report reasons" in done.stderr


TOP = "iommufd-top"


def top_rows(view: str, *options: str) -> list[dict[str, Any]]:
    """The rows of iommufd-top for the script below, at its end."""
    with tempfile.NamedTemporaryFile("r") as out:
        done = run(
            TOP,
            *("--json", "-w", view, "-o", out.name, *options),
            *("--", "/usr/bin/python3", "-c", SCRIPT),
            env=environment(),
        )
        assert (done.returncode, done.stderr) == (0, "")
        report = json.load(out)
    assert (report["stock"], report["view"], report["lost_events"]) == (True, view, 0)
    assert report["total"]["map"]["count"] == 1
    assert report["source"] == "upstream"
    # The rest is unknown: null, or left out.
    unknown = {"reason"} if view == "process" else {"reason", "contexts", "ioas", "ctx"}
    assert not any(unknown & row.keys() for row in report["rows"])
    assert report["ioas_ended"] is None
    assert report["total"]["newly_pinned_pages"] is None
    return report["rows"]


def test_top_processes() -> None:
    """The child of the script has a failure of its own."""
    parent, child = sorted(top_rows("process"), key=lambda row: -row["map"]["count"])[:2]
    done = [parent[op][name] for op in ("map", "unmap") for name in ("count", "failed", "bytes")]
    assert done == [1, 2, 1 << 16, 0, 0, 0]
    assert (parent["failed"], child["failed"]) == (3, 1)
    assert (child["map"]["count"], child["unmap"]["failed"]) == (0, 1)
    assert 0 < parent["map"]["p50_ns"] <= parent["map"]["max_ns"]
    # It has ended.
    assert (parent["contexts"], parent["mapped_bytes"], parent["limit_pages"]) == (0, 0, None)
    assert (parent["faults"], parent["newly_pinned_pages"]) == (None, None)


def test_top_failures() -> None:
    """By errno: there are no reasons."""
    rows = {row["error"]: row for row in top_rows("failure")}
    assert {name: row["all_failed"] for name, row in rows.items()} == {"ENOENT": 3, "EEXIST": 1}
    assert rows["EEXIST"]["request"] == "IOMMU_IOAS_MAP"


def test_top_sizes() -> None:
    (row,) = top_rows("size")
    assert (row["size_min_bytes"], row["all_maps"], row["all_unmaps"]) == (1 << 16, 1, 0)


def test_top_as_text(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """It says what kernel this is."""
    context.map(ioas, buffer)
    with Tool(TOP, "-b", "-n", "1", "-d", "3", quiet=True) as tool, unprivileged(1 << 20):
        while tool.process.poll() is None:
            context.map(ioas, buffer)
            time.sleep(0.1)
        lines = tool.out.read().splitlines()
    assert lines[0].endswith(": 1 process, 1 context, 1 IOAS; source: upstream")
    assert re.match(r"mapped \d+\S+, pinned 0B, ", lines[1])
    assert "MAPPED   PIN  USED  LIMIT MAP/s" in lines[4]
    (row,) = [line.split() for line in lines[5:] if COMM in line]
    # The user of the process, its contexts, IOAS and devices.
    assert row[:6] == [str(os.getpid()), COMM, str(NOBODY), "1", "1", "0"]


def test_top_on_a_terminal(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """From a process to its IOAS and to sizes; what is not known is marked."""
    with Screen([str(BIN / TOP), "-d", "0.3"], env={**os.environ, "TERM": "xterm"}) as screen:
        screen.wait("^q quit  h help")
        context.map(ioas, buffer)
        screen.wait(f"^ *{os.getpid()} {COMM[:9]} +1 +0 +64.0K +0B +- ")
        screen.key("\r")
        screen.wait(rf"^of {COMM} \({os.getpid()}\)")
        screen.wait(f"^ *{os.getpid()} {COMM[:9]} +{ioas} +64.0K +0B +- +- ")
        screen.key("\r")
        screen.wait(f"^ *{os.getpid()} {COMM[:9]} +- +64.0K +128K +- +1 +0 ")
        screen.key("q")
        assert screen.finish() == 0


@pytest.mark.parametrize("command", [["iommufd-faults"], ["iommufd-policy", "list"]], ids=" ".join)
def test_the_rest_needs_our_events(command: list[str]) -> None:
    done = run(*command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no trace events: it is the stock one" in done.stderr
    assert "iommufd-maplat and iommufd-why show a part" in done.stderr
