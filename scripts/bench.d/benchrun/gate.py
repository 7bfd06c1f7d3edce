# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The regression gate: compares runs with their baselines, and writes new baselines."""

from dataclasses import replace
from pathlib import Path

from .baseline import Baseline, check_kernel, load
from .compare import TOLERANCE, compare
from .errors import BenchError
from .kernels import Subject, subjects
from .paths import BASELINES
from .results import Kernel, Run
from .session import Settings, measure, new_run

SIZE = 512
ROUNDS = 3
# The floor separates our cost from that of the rest of the kernel.
BACKENDS = {"bench": ["iommufd", "floor"], "main": ["iommufd", "mock"]}


def _file(name: str) -> Path:
    return BASELINES / f"{Path(name).name}.json"


def _all() -> list[str]:
    names = sorted(f.stem for f in BASELINES.glob("*.json"))
    if not names:
        raise BenchError(f"no baseline in {BASELINES}")
    return names


def _load(name: str, file: Path | None, kernel: Kernel, only: str) -> Baseline:
    """A baseline with at least one case to compare."""
    baseline = load(file or _file(name))
    check_kernel(baseline, kernel)
    if not baseline.matching(only):
        raise BenchError(f"no case of {baseline.file} matches {only!r}")
    return baseline


def check(names: list[str], file: Path | None, only: str, workload: Path | None) -> bool:
    """Whether no kernel has moved; prints the differences."""
    wanted = []
    # Check all baselines before the first kernel is measured.
    for name in names or _all():
        (subject,) = subjects([name], [])
        baseline = _load(name, file, subject.describe(), only)
        wanted.append((replace(subject, backends=tuple(baseline.backends)), baseline))
    good = True
    for subject, baseline in wanted:
        settings = Settings(baseline.size, baseline.repeat, only, False, workload)
        good = _judge(subject.name, baseline, _run(subject, settings), only) and good
    return good


def check_results(run: Run, names: list[str], file: Path | None, only: str) -> bool:
    """The same for existing results: of all kernels in them, or of those named."""
    if run.wall:
        raise BenchError("real time is never compared with a baseline")
    kernels = [k for k in run.kernels if not names or k.name in names]
    if not kernels:
        raise BenchError("the results are of other kernels than those named")
    good = True
    for kernel in kernels:
        baseline = _load(kernel.name, file, kernel, only)
        if run.size != baseline.size:
            raise BenchError(
                f"the results are of {run.size} MiB, {baseline.file} is of {baseline.size}"
            )
        good = _judge(kernel.name, baseline, run, only) and good
    return good


def _run(subject: Subject, settings: Settings) -> Run:
    run = new_run([subject], settings)
    measure([subject], settings, run)
    return run


def _judge(name: str, baseline: Baseline, run: Run, only: str) -> bool:
    """Prints how the results of a kernel compare; returns whether they are unchanged."""
    cases = [c for c in run.cases if c.kernel == name and c.backend in baseline.backends]
    failures = [f for f in run.failures if f.kernel == name and f.backend in baseline.backends]
    verdict = compare(baseline, cases, only)
    count = verdict.compared
    print(
        f"{name}: {count} {'case' if count == 1 else 'cases'} compared with"
        f" {baseline.file.name} of {baseline.commit},"
        f" {len(verdict.moved)} moved by more than {TOLERANCE:.0%}"
    )
    if run.emulator != baseline.emulator:
        print(f"  (the emulator is {run.emulator}, it was {baseline.emulator})")
    for moved in verdict.moved:
        print(f"  {moved}")
    for failure in failures:
        print(f"  failed: {failure}")
    failed = {(f.backend, f.case) for f in failures}
    for case in verdict.missing:
        if (case.backend, case.case) not in failed:
            print(f"  not measured: {case.case} ({case.backend}), which the baseline has")
    for case in verdict.unknown:
        print(f"  new: {case.case} ({case.backend}), which the baseline lacks")
    good = verdict.good and not failures
    if not good:
        print(
            f"  If that is meant: scripts/bench --update-baseline --kernels {name},"
            " and say why in the commit."
        )
    return good


def update(
    names: list[str],
    file: Path | None,
    backends: list[str],
    size: int | None,
    repeat: int | None,
) -> None:
    """Measures the kernels and writes their baselines; settings not given stay as they were."""
    for name in names or _all():
        target = file or _file(name)
        old = load(target) if target.exists() else None
        chosen = backends or (old.backends if old else BACKENDS.get(name, []))
        (subject,) = subjects([name], chosen)
        rounds = repeat or (old.repeat if old else ROUNDS)
        mib = size or (old.size if old else SIZE)
        run = _run(subject, Settings(mib, rounds, "", False))
        if run.failures:
            failures = "\n  ".join(map(str, run.failures))
            raise BenchError(f"no baseline of a run with failures:\n  {failures}")
        (kernel,) = run.kernels
        cases = {(c.backend, c.case): c for c in run.cases}
        new = Baseline(
            target,
            run.commit,
            run.emulator,
            kernel,
            mib,
            rounds,
            list(subject.backends),
            cases,
        )
        new.write()
        print(f"{target}: {len(cases)} cases")
