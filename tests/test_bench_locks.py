# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""scripts/bench --locks: what it reads from lockstat, and what it measures."""

import subprocess
from pathlib import Path

import pytest
from benchrun import locks
from benchrun.errors import BenchError
from benchrun.lockstat import Lock, Parser
from benchrun.results import Case, load
from vmrun.paths import ROOT

BENCH = ROOT / "scripts" / "bench"
LIMIT = 900
FAILED = 2

# As the kernel prints it, with fewer spaces.
STATISTICS = """\
lock_stat version 0.4
-----------------------------------------------------------------------------------------------
  class name  con-bounces  contentions  waittime-min  waittime-max  waittime-total  waittime-avg
-----------------------------------------------------------------------------------------------

    &a->rwsem-W:  30  40  0.26  5.10  60.50  1.51  46  50  0.16  7.25  80.00  1.60
    &a->rwsem-R:  0  0  0.00  0.00  0.00  0.00  10  20  0.10  0.20  3.00  0.15
    -----------
    &a->rwsem  10  [<00000000b1a5e55e>] take_it+0x57/0x280 [some_module]
    &a->rwsem  30  [<00000000b1a5e55e>] take_it+0x90/0x280 [some_module]
    -----------
    &a->rwsem  40  [<00000000b1a5e55e>] keep_it+0x3a/0x2f0

...............................................................................................

    (work_completion)(&x->w)#2/1:  0  0  0.00  0.00  0.00  0.00  1  2  0.10  0.20  0.30  0.15
"""


def parsed(text: str) -> list[Lock]:
    parser = Parser()
    for line in text.splitlines():
        parser.line(line)
    return parser.locks


def test_statistics_are_read() -> None:
    """Microseconds become nanoseconds; places belong to the class above them."""
    write, read, other = parsed(STATISTICS)
    assert (write.name, write.taken, write.moved, write.contended) == ("&a->rwsem-W", 50, 46, 40)
    assert [write.wait, write.wait_max, write.hold, write.hold_max] == [60500, 5100, 80000, 7250]
    assert (read.name, read.taken, read.contended) == ("&a->rwsem-R", 20, 0)
    assert read.waiters == {"take_it+0x57": 10, "take_it+0x90": 30}
    assert read.holders == {"keep_it+0x3a": 40}
    assert (other.name, other.taken) == ("(work_completion)(&x->w)#2/1", 2)


def test_lockdep_that_gave_up() -> None:
    """It has not counted since then."""
    with pytest.raises(BenchError, match="stopped counting"):
        parsed("*WARNING* lock debugging disabled!! - possibly due to a lockdep warning")


def counted(kernel: str, name: str, **numbers: float) -> Case:
    """A case with one lock: 100 operations of 1000 instructions by 4 threads."""
    usual = {"taken": 200, "moved": 200, "contended": 50, "wait_max": 400, "hold_max": 800}
    lock = Lock(name, **(usual | {"wait": 10000, "hold": 80000} | numbers))
    case = Case(kernel, "iommufd", "threads=4/x", "threads=4", 1000, "call", 0, [1000000], [])
    case.calls, case.threads, case.locks = 100, 4, [lock]
    return case


def test_table() -> None:
    """The guest's time is that of the CPUs which do not wait; the longest waits are on top."""
    head, first, second, *totals = locks.grid(
        [counted("ours", "short", wait=10000), counted("theirs", "long", wait=40000)]
    )
    assert first[:2] == ["long", "theirs"]
    row = dict(zip(head[:7], second, strict=False))
    assert row == {
        "lock": "short",
        "kernel": "ours",
        "taken": "2.00",
        "moved": "100.0 %",
        "waits": "25.0 %",
        "wait": "51.28",
        "longest": "102.6",
    }
    assert second[7:] == ["102.6", "205.1", "2.5 %"]
    assert [(line[1], line[-1]) for line in totals] == [("ours", "2.5 %"), ("theirs", "10.0 %")]


@pytest.mark.parametrize(
    ("numbers", "listed"),
    [
        ({}, True),
        ({"taken": 50}, True),
        ({"taken": 49}, False),
        ({"moved": 20}, True),
        ({"moved": 19}, False),
    ],
)
def test_locks_that_threads_share(numbers: dict[str, int], listed: bool) -> None:
    """Without a list of names."""
    lines = locks.grid([counted("ours", "lock", **numbers)])
    assert ("lock" in [line[0] for line in lines[1:]]) is listed


def bench(*words: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BENCH, *words], capture_output=True, text=True, timeout=LIMIT, check=False
    )


@pytest.mark.parametrize("words", [["1"], ["9"], ["--wall"], ["--check"], ["--repeat", "2"]])
def test_options_that_do_not_go_with_it(words: list[str]) -> None:
    done = bench("--locks", *words)
    assert done.returncode == FAILED
    assert "--locks" in done.stderr


def test_kernel_without_statistics(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("CONFIG_IOMMUFD=m\n")
    (tmp_path / "release").write_text("7.3.4\n")
    done = bench("--locks", "--kernels", tmp_path)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert "CONFIG_LOCK_STAT" in done.stderr


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Case, str]:
    """Eight threads that map and unmap a page, and the table."""
    out = tmp_path_factory.mktemp("locks")
    words = ["--kernels", "lockstat", "--seconds", "0.02", "--only", "*/scale/4k"]
    done = bench("--locks", *words, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    (case,) = load(out / "results.json").cases
    return case, done.stdout


IOVA_LOCK = "&ioas->iova_lock"


@pytest.mark.full
def test_each_lock_is_counted(measured: tuple[Case, str]) -> None:
    """One page: an area, the page tables, a flush of the IOTLB."""
    case, page = measured
    assert case.calls > 100
    taken = {lock.name: lock.taken / case.calls for lock in case.locks}
    assert taken[IOVA_LOCK] == pytest.approx(3, rel=0.01)
    assert taken["&ioas->counts_lock"] == pytest.approx(2, rel=0.01)
    assert taken["&ioas->domains_rwsem-R"] == pytest.approx(2, rel=0.01)
    assert taken["&qi->q_lock"] == pytest.approx(1, rel=0.01)
    assert f"\n{IOVA_LOCK} " in page


@pytest.mark.full
def test_threads_meet(measured: tuple[Case, str]) -> None:
    """CPUs that took long turns would hardly ever find a lock taken."""
    case, page = measured
    lock = next(x for x in case.locks if x.name == IOVA_LOCK)
    assert lock.contended > lock.taken / 5
    assert sum(lock.holders.values()) == pytest.approx(lock.contended, rel=0.05)
    assert 0 < sum(x.wait for x in case.locks) < case.threads * case.calls * case.per_unit()
    assert f"{IOVA_LOCK} (lockstat): " in page


@pytest.mark.full
def test_waiting_is_not_holding(measured: tuple[Case, str]) -> None:
    """A lock that one thread can hold at a time is not held for longer than the measurement."""
    case, _ = measured
    for lock in case.locks:
        if lock.name in (IOVA_LOCK, "&domain->cache_lock", "&qi->q_lock"):
            assert lock.hold < case.calls * case.per_unit()
