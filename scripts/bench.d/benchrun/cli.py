# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of scripts/bench."""

import argparse
import signal
import sys
from pathlib import Path

from . import bundle, gate, programs, report
from .baseline import chosen
from .errors import BenchError
from .kernels import BACKENDS, HERE, WATCHED, Subject, subjects
from .paths import OUT
from .results import Run, load
from .session import Settings, current_commit, measure, new_run

SIZE = 512
# The size for which the workload has all cases.
LEAST_SIZE = 32
ROUNDS = 3
WALL_ROUNDS = 15
MOST_THREADS = 64
# Threads of --locks, each of which has a CPU: NR_CPUS of its kernels.
LOCKS_MOST = 8
LOCKS_KERNELS = ("lockstat", "peer-lockstat")
# Of the guest's time.
LOCKS_SECONDS = 0.05
# A turn of all CPUs, in instructions (tests/bench/locks/short_turns.c).
TURN = 838
# What --threads measures: ours, then the peer.
THREADS_KERNELS = ("main", "peer")
THREADS_BACKENDS = ("iommufd", "type1", "floor")
MOVED, FAILED = 1, 2

EPILOG = f"""\
Without options, the whole matrix is measured: on the kernels bench and peer-bench,
and on main and peer for cases that need the mock IOMMU. The guest has one emulated
CPU whose clock is its instruction counter: results do not depend on the machine,
and repeat to about one in a thousand. They cover whole system calls: iommufd, the
IOMMU driver's page tables, pinning. A plugin of the emulator counts the instructions
by function.

NAME is one of build/kernel (scripts/build-kernel), or a directory with a slash in
its name; with {WATCHED} iommufd-top watches it. {HERE} is the running machine, for
--wall; it needs root, and devices bound to vfio-pci.

--threads measures throughput instead: threads of one process map and unmap memory of
their own in one address space. A guest has a CPU for each thread (NR_CPUS of the
kernels here is 8). type1 and floor are measured on the first kernel. --bundle packs
the same measurement with QEMU and the kernels: it runs on any x86-64 Linux machine.

--locks counts, with lockstat, how often and how long such threads hold each lock and
wait for it, on the kernels lockstat and peer-lockstat. The guest has a CPU for each
thread. They take turns in one thread of the emulator, {TURN} instructions for all of
them, so that threads meet at locks on any machine, and results repeat. A lock is
listed if at least every other operation (a map and its unmap) takes it, and if another
CPU had it before in at least one of ten times. Columns: how often an operation takes
it; how many of these times another CPU had it before, and how many have to wait; the
mean and the longest wait and hold, in instructions of one CPU; the part of a thread's
time that it waits.

--check compares each kernel with its file in tests/bench/baseline and lists the
cases that moved by more than 1 %, and the functions that account for it.

Results go to build/bench/result: results.json, table.txt, bench.svg, bench.png.

Exit status: 0 on success; {MOVED} if a case failed or moved; {FAILED} if nothing could be
measured or compared.
"""


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measures what iommufd costs: instructions for each page, by function.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--kernels", metavar="NAME[,NAME...]", help="what to measure")
    add("--backends", metavar="NAME[,NAME...]", help=f"with what: {', '.join(BACKENDS)}")
    add("--only", default="", metavar="PATTERN", help="cases whose name matches the shell pattern")
    add("--repeat", type=int, metavar="N", help=f"rounds ({ROUNDS}, {WALL_ROUNDS} with --wall)")
    add("--size", type=int, metavar="MIB", help=f"memory that a large case maps ({SIZE})")
    add("--wall", action="store_true", help="real time, on this machine by default")
    add("--threads", metavar="N[,N...]", help="with --wall: how throughput grows with threads")
    add(
        "--seconds",
        type=float,
        metavar="S",
        help=f"how long each case runs, with --threads (1) and --locks ({LOCKS_SECONDS})",
    )
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--check", action="store_true", help="compare with the baseline")
    does.add_argument(
        "--update-baseline", action="store_true", help="make the results the baseline"
    )
    does.add_argument("--profile", metavar="CASE", help="instructions by function, side by side")
    does.add_argument(
        "--docs", action="store_true", help="write table and chart of the whole matrix to docs"
    )
    does.add_argument(
        "--locks",
        type=int,
        nargs="?",
        const=LOCKS_MOST,
        metavar="N",
        help=f"the locks that N threads take and wait for ({LOCKS_MOST} threads)",
    )
    does.add_argument(
        "--bundle", type=Path, metavar="FILE", help="pack --threads for another machine"
    )
    add("--baseline", type=Path, metavar="FILE", help="the baseline, for one kernel")
    add(
        "--from",
        dest="results",
        type=Path,
        metavar="FILE",
        help="results of another run, in place of one",
    )
    add("--workload", type=Path, metavar="FILE", help="program instead of that of tests/bench")
    add("--out", type=Path, default=OUT / "result", metavar="DIR", help="output directory")
    return parser


def _names(text: str | None) -> list[str]:
    return [x for x in (text or "").split(",") if x]


def _threads(text: str | None, parser: argparse.ArgumentParser) -> list[int]:
    try:
        counts = [int(word) for word in _names(text)]
    except ValueError:
        counts = [0]
    if any(not 0 < count <= MOST_THREADS for count in counts):
        parser.error(f"--threads: numbers from 1 to {MOST_THREADS}, separated by commas")
    return counts


def parse(argv: list[str]) -> argparse.Namespace:
    """The options in the form that the other modules use."""
    parser = make_parser()
    options = parser.parse_args(argv)
    gated = options.check or options.update_baseline
    options.kernels = _names(options.kernels)
    options.backends = _names(options.backends)
    options.threads = _threads(options.threads, parser)
    if options.threads and not options.wall:
        parser.error("--threads: in real time, with --wall")
    if options.locks and (options.wall or options.repeat or options.results):
        parser.error("--locks: without --wall, --repeat and --from")
    if options.locks is not None and not 1 < options.locks <= LOCKS_MOST:
        parser.error(f"--locks: from 2 to {LOCKS_MOST} threads")
    if options.seconds is not None and not (options.threads or options.locks):
        parser.error("--seconds: with --threads or --locks")
    unknown = [b for b in options.backends if b not in BACKENDS]
    if unknown:
        parser.error(f"--backends: {', '.join(unknown)}: there is {', '.join(BACKENDS)}")
    if options.size is not None and (
        options.size < LEAST_SIZE or options.size & (options.size - 1)
    ):
        parser.error(f"--size: a power of two, {LEAST_SIZE} or more")
    if options.repeat is not None and options.repeat < 1:
        parser.error("--repeat: 1 or more")
    if gated and options.wall:
        parser.error("--wall: real time is never compared with a baseline")
    if options.check and (options.size or options.repeat or options.backends):
        parser.error("--check: the baseline says what is measured; --only chooses from it")
    if options.update_baseline and options.only:
        parser.error("--update-baseline: of all cases, not --only some")
    if options.baseline and (not gated or len(options.kernels) != 1):
        parser.error("--baseline: to --check or --update-baseline, with one of --kernels")
    if HERE in options.kernels and not options.wall:
        parser.error(f"--kernels {HERE}: only with --wall, instructions are counted in guests")
    if options.results and (options.update_baseline or options.wall):
        parser.error("--from: nothing is measured")
    if options.profile:
        options.only = options.profile
    if options.locks:
        options.kernels = options.kernels or list(LOCKS_KERNELS)
        options.backends = options.backends or ["iommufd"]
    if (options.threads or options.bundle) and not options.kernels:
        options.kernels = list(THREADS_KERNELS)
    if options.wall and not options.kernels:
        options.kernels = [HERE]
    return options


def _chosen(options: argparse.Namespace) -> list[Subject]:
    wanted = options.backends
    if options.profile and not options.kernels:
        # Our kernel and the peer, where both have the case.
        wanted = wanted or ["iommufd", "mock"]
    if options.threads:
        first, *others = options.kernels
        wanted = wanted or list(THREADS_BACKENDS)
        return subjects([first], wanted) + (subjects(others, ["iommufd"]) if others else [])
    return subjects(options.kernels, wanted)


def _measured(options: argparse.Namespace) -> Run:
    if options.results:
        return load(options.results)
    chosen = _chosen(options)
    few = bool(options.threads or options.locks)
    usual = 1 if few else WALL_ROUNDS if options.wall else ROUNDS
    settings = Settings(
        options.size or (LEAST_SIZE if few else SIZE),
        options.repeat or usual,
        options.only,
        options.wall,
        options.workload,
        tuple(options.threads),
        options.seconds or (LOCKS_SECONDS if options.locks else 1),
        options.locks or 0,
    )
    run = new_run(chosen, settings)
    measure(chosen, settings, run)
    return run


def _bundle(options: argparse.Namespace) -> None:
    chosen = subjects(options.kernels, ["iommufd"])
    first = chosen[0]
    programs.build([first.kernel] if "/" not in first.kernel else [])
    bundle.make(chosen, options.bundle, options.workload or programs.WORKLOAD, current_commit())


def _check(options: argparse.Namespace) -> bool:
    if options.results:
        run = load(options.results)
        return gate.check_results(run, options.kernels, options.baseline, options.only)
    return gate.check(options.kernels, options.baseline, options.only, options.workload)


def _say_failures(run: Run, only: str) -> int:
    failures = [f for f in run.failures if not f.case or chosen(f.case, only)]
    for failure in failures:
        print(f"bench: failed: {failure}", file=sys.stderr)
    if not run.cases:
        raise BenchError("no case was measured; build/bench/workload --list says what there is")
    return MOVED if failures else 0


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status."""
    options = parse(sys.argv[1:] if argv is None else argv)
    # For example, to head.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        if options.bundle:
            _bundle(options)
            return 0
        if options.check:
            good = _check(options)
            return 0 if good else MOVED
        if options.update_baseline:
            size = options.size, options.repeat
            gate.update(options.kernels, options.baseline, options.backends, *size)
            return 0
        run = _measured(options)
        status = _say_failures(run, options.only)
        if options.profile:
            report.profile(run, options.profile)
        else:
            report.write(run, options.out)
        if options.docs:
            report.publish(run)
        return status
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 130
