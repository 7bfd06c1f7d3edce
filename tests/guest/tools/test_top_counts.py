# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-top's numbers for loads of known size, and its options."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap

import iommufd_top as top
import pytest
from bpfobject import programs
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.trace import Tracer
from tool_runner import environment, load_command
from waiting import until

# The numbers are the same under sanitizers, which are slow.
pytestmark = pytest.mark.guest(kernels=["tools", "builtin"])

PAGE = mem.PAGE
# TOP_MAX_ROWS and TOP_PLACES in bpf/iommufd_top.h.
ROWS, PLACES = 8192, 32


@pytest.fixture(autouse=True)
def nothing_left():
    yield
    # The kernel frees them after a grace period.
    until(lambda: "ioas_map" not in programs())


def python(body: str) -> list[str]:
    """A command that runs Python code."""
    return [sys.executable, "-c", textwrap.dedent(body)]


def row_of(report: dict, pid: int, ioas: int) -> dict:
    """The only row of an IOAS."""
    [row] = [r for r in report["rows"] if (r["pid"], r["ioas"]) == (pid, ioas)]
    return row


@pytest.mark.parametrize(
    "options",
    [
        "--maps 1 --size 4K",
        "--maps 37 --size 64K",
        "--maps 40 --size 4K,2M,64K --ioas 2 --keep 3",
        "--maps 12 --size 2M --kind hugetlb",
        "--maps 8 --size 4M --kind thp --hold",
        "--maps 25 --size 128K --kind shared --no-dma",
        "--maps 1000 --size 4K",
    ],
)
def test_counts(options):
    """The exact maps, unmaps, bytes and pages of each IOAS."""
    report, out = top.watch(*load_command(*options.split()))
    load = json.loads(out)
    assert report["lost_events"] == 0
    for done in load["ioas"]:
        row = row_of(report, load["pid"], done["id"])
        dma_maps = done["dma_bytes"] // PAGE
        mapped = done["mapped_bytes"] + done["dma_bytes"]
        assert (row["command"], row["uid"]) == ("dma-load", 0)
        assert (row["late"], row["ended"]) == (False, True)
        assert row["map"]["count"] == done["maps"] + dma_maps
        assert row["map"]["bytes"] == mapped
        assert row["unmap"]["count"] == done["unmaps"]
        assert row["unmap"]["bytes"] == mapped
        # Mappings left when the device goes are unpinned without a request.
        assert row["newly_pinned_pages"] == mapped // PAGE
        assert row["newly_unpinned_pages"] == done["unmapped_bytes"] // PAGE
        assert (row["mapped_bytes"], row["pinned_pages"]) == (0, 0)
        assert (row["map"]["failed"], row["unmap"]["failed"]) == (0, 0)
        assert row["map"]["timed"] == row["map"]["count"]
        assert 0 < row["map"]["p50_ns"] <= row["map"]["p99_ns"] <= row["map"]["max_ns"]
    assert len(report["rows"]) == report["ioas_ended"] == len(load["ioas"])
    assert (report["contexts"], report["ioas_live"]) == (0, 0)
    for member in ("newly_pinned_pages", "newly_unpinned_pages", "mapped_bytes"):
        assert report["total"][member] == sum(r[member] for r in report["rows"])
    for kind in ("map", "unmap"):
        for member in ("count", "failed", "bytes", "timed", "all_count", "all_bytes"):
            assert report["total"][kind][member] == sum(r[kind][member] for r in report["rows"])


def test_nothing_pinned_without_device():
    report, out = top.watch(*load_command("--maps", "9", "--no-device"))
    row = row_of(report, json.loads(out)["pid"], json.loads(out)["ioas"][0]["id"])
    assert (row["map"]["count"], row["map"]["bytes"]) == (9, 9 << 16)
    assert row["newly_pinned_pages"] == 0


def test_now():
    """The memory that is mapped and pinned at the moment drops to zero."""
    with top.Stream("-d", "0.2") as stream, Context() as context, mem.anonymous(1 << 20) as buffer:
        ioas = context.ioas_alloc()
        with Edu(context, ioas, 0):
            iovas = [context.map(ioas, buffer) for _ in range(3)]
            report = stream.until(lambda r: r["total"]["map"]["all_count"] == 3)
            [row] = report["rows"]
            assert (row["mapped_bytes"], row["pinned_pages"]) == (3 << 20, 3 * 256)
            assert (row["ended"], row["late"], report["contexts"]) == (False, False, 1)
            context.unmap(ioas, iovas[0], 1 << 20)
            [row] = stream.until(lambda r: r["total"]["unmap"]["all_count"])["rows"]
            assert (row["mapped_bytes"], row["pinned_pages"]) == (2 << 20, 2 * 256)
            [row] = stream.next()["rows"]
            assert (row["unmap"]["count"], row["unmap"]["all_count"]) == (0, 1)
        context.destroy(ioas)
        [row] = stream.until(lambda r: not r["ioas_live"])["rows"]
        assert (row["ended"], row["mapped_bytes"], row["pinned_pages"]) == (True, 0, 0)
        report = stream.next()
        assert (report["rows"], report["contexts"]) == ([], 1)
        # A new IOAS, perhaps with the same id.
        context.map(context.ioas_alloc(), buffer)
        report = stream.until(lambda r: r["total"]["map"]["all_count"] == 4)
        [row] = report["rows"]
        assert (row["mapped_bytes"], row["ended"], row["map"]["all_count"]) == (1 << 20, False, 1)


def test_short_lived():
    """A process that came and went between two refreshes is in one of them, completely."""
    with top.Stream("-d", "0.5") as stream:
        out = subprocess.run(
            load_command("--maps", "50"),
            check=True,
            capture_output=True,
            text=True,
            env=environment(),
        ).stdout
        pid = json.loads(out)["pid"]
        count = 0
        while not (report := stream.next())["ioas_ended"]:
            count += report["total"]["map"]["count"]
        [row] = report["rows"]
        assert (row["pid"], row["ended"]) == (pid, True)
        assert count + row["map"]["count"] == row["map"]["all_count"] == 51
        report = stream.next()
        assert (report["rows"], report["total"]["map"]["all_count"]) == ([], 51)


def test_late():
    """Older contexts are listed from the start, and marked; only counts begin at 0."""
    with Context() as context, mem.anonymous(1 << 20) as buffer:
        ioas = context.ioas_alloc()
        first = context.map(ioas, buffer)
        with top.Stream("-d", "0.2") as stream:
            [row] = stream.last["rows"]
            assert (row["late"], row["mapped_bytes"]) == (True, 1 << 20)
            assert (row["pid"], row["map"]["all_count"]) == (os.getpid(), 0)
            context.unmap(ioas, first, 1 << 20)
            context.map(ioas, buffer, 4096)
            [row] = stream.until(lambda r: r["total"]["map"]["all_count"] == 1)["rows"]
            assert (row["late"], row["mapped_bytes"]) == (True, 4096)
            # A new IOAS of an old context is known from its beginning.
            context.map(context.ioas_alloc(), buffer)
            report = stream.until(lambda r: r["total"]["map"]["all_count"] == 2)
            [row] = [r for r in report["rows"] if not r["late"]]
            assert row["mapped_bytes"] == 1 << 20
            context.destroy(ioas)
            report = stream.until(lambda r: r["ioas_live"] == 1)
            [row] = [r for r in report["rows"] if r["ended"]]
            assert (row["late"], row["mapped_bytes"]) == (True, 0)


def map_times(context: Context, ioas: int, buffer: mem.Buffer, times: int) -> None:
    """Maps a buffer several times, and unmaps it as often."""
    for _ in range(times):
        context.unmap(ioas, context.map(ioas, buffer), len(buffer))


@pytest.mark.parametrize("late", [False, True])
def test_many_spaces(late):
    """Each of many IOASes has its own counts, whether it has a place of its own or shares one."""
    spaces = range(2 * PLACES + 5)
    with contextlib.ExitStack() as stack:
        buffer = stack.enter_context(mem.anonymous(PAGE))
        if not late:
            stream = stack.enter_context(top.Stream("-d", "0.2"))
        context = stack.enter_context(Context())
        ids = [context.ioas_alloc() for _ in spaces]
        if late:
            stream = stack.enter_context(top.Stream("-d", "0.2"))
        for i in spaces:
            map_times(context, ids[i], buffer, i + 1)
        report = stream.until(lambda r: r["total"]["unmap"]["all_count"] == sum(spaces) + len(ids))
        assert report["lost_events"] == 0
        for i in spaces:
            row = row_of(report, os.getpid(), ids[i])
            assert (row["late"], row["ended"]) == (late, False)
            assert row["map"]["all_count"] == row["unmap"]["all_count"] == i + 1


def test_places_are_reused():
    """The counts of a new IOAS begin at 0, whatever was counted in its place before."""
    with top.Stream("-d", "0.2") as stream, mem.anonymous(PAGE) as buffer:
        for times in (3, 1, 2):
            with Context() as context:
                ids = [context.ioas_alloc() for _ in range(PLACES + 5)]
                for ioas in ids:
                    map_times(context, ioas, buffer, times)
                report = stream.until(
                    lambda r: (
                        len(r["rows"]) == len(ids)
                        and all(row["unmap"]["all_count"] >= times for row in r["rows"])
                    )
                )
                for row in report["rows"]:
                    assert row["map"]["all_count"] == row["unmap"]["all_count"] == times
            stream.until(lambda r: not r["rows"])


def test_failures():
    """Failed requests are counted, and change nothing else."""
    report, _ = top.watch(
        *python("""
            import contextlib
            from iommufd import mem
            from iommufd.ctx import Context
            with Context() as context:
                ioas = context.ioas_alloc()
                buffer = mem.anonymous(8192)
                context.map(ioas, buffer, iova=1 << 20)
                for _ in range(7):
                    with contextlib.suppress(OSError):
                        context.map(ioas, buffer, iova=1 << 20)
                for _ in range(3):
                    with contextlib.suppress(OSError):
                        context.unmap(ioas, 4096, 4096)
                context.unmap_all(ioas)
        """)
    )
    [row] = report["rows"]
    assert (row["map"]["count"], row["map"]["failed"], row["map"]["bytes"]) == (1, 7, 8192)
    assert (row["unmap"]["count"], row["unmap"]["failed"], row["unmap"]["bytes"]) == (1, 3, 8192)


def test_cleared_at_the_end():
    """Mappings that a process leaves count as unmapped bytes, not as requests."""
    report, _ = top.watch(
        *python("""
            import os
            from iommufd import mem
            from iommufd.ctx import Context
            context = Context()
            buffer = mem.anonymous(1 << 20)
            ioas = context.ioas_alloc()
            for _ in range(5):
                context.map(ioas, buffer)
            os._exit(0)
        """)
    )
    [row] = report["rows"]
    assert (row["map"]["count"], row["unmap"]["count"]) == (5, 0)
    assert (row["unmap"]["bytes"], row["mapped_bytes"]) == (5 << 20, 0)


def test_burst_of_spaces():
    """A thousand IOASes at once all fit."""
    report, _ = top.watch(
        *python("""
            from iommufd.ctx import Context
            with Context() as context:
                for _ in range(1000):
                    context.ioas_alloc()
        """)
    )
    assert (len(report["rows"]), report["lost_events"]) == (1000, 0)


@pytest.mark.limit(180)
def test_losses_are_told():
    """More IOASes than fit: the missing ones are counted."""
    shown = top.run(
        "-w",
        "ioas",
        "-s",
        "ioas",
        "--",
        *python(f"""
            from iommufd.ctx import Context
            with Context() as context:
                for _ in range({ROWS + PLACES + 8}):
                    context.ioas_alloc()
        """),
    )
    lines = shown.stdout.splitlines()
    [lost] = [x for x in lines if x.startswith("LOST: ")]
    rows = len([x for x in lines if " python3 " in x])
    # An IOAS without room has two events; for the second there may be room again.
    assert rows >= ROWS + PLACES
    assert int(lost.split()[1]) == 2 * 8 - (rows - ROWS - PLACES)


def test_latency():
    """Compared with another tracer."""
    names = ("iommufd_ioas_map_brief", "iommufd_ioas_unmap_brief")
    with Tracer("iommufd", *names) as tracer:
        report, out = top.watch(*load_command("--maps", "300", "--size", "4K,1M"))
        assert tracer.lost() == 0
        row = row_of(report, json.loads(out)["pid"], json.loads(out)["ioas"][0]["id"])
        for kind, event in zip(("map", "unmap"), names, strict=True):
            events = [e for e in tracer.events(event) if e.number("length") < 1 << 60]
            times = sorted(e.number("ns") for e in events)
            shown = row[kind]
            assert shown["count"] == len(times)
            # By rank: the small maps and the large ones differ by a factor.
            for name, percent in (("p50_ns", 50), ("p99_ns", 99), ("max_ns", 100)):
                near = len(times) * percent // 100
                low, high = times[max(0, near - 9)], times[min(len(times) - 1, near + 9)]
                assert low * 0.9 <= shown[name] <= high * 1.1, name


def test_text():
    """Text has the same numbers, rounded."""
    shown = top.run("-w", "ioas", "--", *load_command("--maps", "37", "--size", "64K"))
    assert shown.returncode == 0
    assert '"maps": 37' in shown.stdout
    assert (
        "38 maps of 2.32M, 37 unmaps of 2.32M, 593 pages pinned, 592 unpinned, 0 failed"
        in shown.stdout
    )
    [row] = [x for x in shown.stdout.splitlines() if " dma-load " in x]
    assert row.split()[1:3] == ["dma-load", "x"]
    assert row.split()[5:10] == ["0B", "0B", "0", "38", "37"]


def test_sorted():
    """-s and -r order the rows."""
    command = load_command("--maps", "30", "--ioas", "2", "--size", "4K,64K", "--no-dma")
    report, _ = top.watch(*command, options=("-s", "ioas"))
    ids = [r["ioas"] for r in report["rows"]]
    assert ids == sorted(ids)
    report, _ = top.watch(*command, options=("-s", "ioas", "-r"))
    ids = [r["ioas"] for r in report["rows"]]
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 137),
        (["no-such-program"], 127),
        (["/"], 126),
    ],
)
def test_status_of_command(command, status):
    assert top.run("--", *command).returncode == status


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal(signum):
    """A signal ends it cleanly."""
    with subprocess.Popen(
        [top.TOP, "-b", "-d", "0.2"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline()
        process.send_signal(signum)
        assert process.wait(30) == 0


def test_signal_goes_to_command():
    with subprocess.Popen(
        [top.TOP, "-b", "--", "sleep", "1000"], stdout=subprocess.PIPE, text=True
    ) as process:
        while not subprocess.run(["pgrep", "-x", "sleep"], capture_output=True).stdout:
            pass
        process.send_signal(signal.SIGTERM)
        assert "0 maps" in process.stdout.read()
        assert process.wait(30) == 128 + signal.SIGTERM


def test_closed_pipe():
    """A closed pipe is no error."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{top.TOP} -d 0.1 | head -n 1"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_full_disk():
    done = top.run("-n", "1", "-d", "0.1", "-o", "/dev/full")
    assert done.returncode == 1
    assert "can't write: No space left on device" in done.stderr


def test_no_such_output():
    done = top.run("-n", "1", "-o", "/nowhere/file")
    assert done.returncode == 1
    assert "can't write /nowhere/file: No such file or directory" in done.stderr
