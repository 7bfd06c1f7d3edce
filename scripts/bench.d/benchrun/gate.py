# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The regression gate: runs of kernels against their baselines, and new baselines."""

from pathlib import Path

from .baseline import Baseline, check_kernel, load
from .compare import TOLERANCE, Verdict, compare
from .errors import BenchError
from .kernels import Subject, subjects
from .paths import BASELINES
from .results import Run
from .session import Settings, measure, new_run

SIZE = 512
ROUNDS = 3
# The floor tells apart what is ours from what the rest of the kernel does.
BACKENDS = {"bench": ["iommufd", "floor"], "main": ["iommufd", "mock"]}


def _file(name: str) -> Path:
    return BASELINES / f"{Path(name).name}.json"


def _all() -> list[str]:
    names = sorted(f.stem for f in BASELINES.glob("*.json"))
    if not names:
        raise BenchError(f"no baseline in {BASELINES}")
    return names


def check(names: list[str], file: Path | None, only: str, workload: Path | None) -> bool:
    """Whether all kernels are where they were; says where not."""
    wanted = []
    for name in names or _all():
        baseline = load(file or _file(name))
        (subject,) = subjects([name], baseline.backends)
        # Before anything is measured: a difference here means that there is nothing to compare.
        check_kernel(baseline, subject.describe())
        if not baseline.matching(only):
            raise BenchError(f"no case of {baseline.file} matches {only!r}")
        wanted.append((subject, baseline))
    good = True
    for subject, baseline in wanted:
        run = _run(subject, Settings(baseline.size, baseline.repeat, only, False, workload))
        verdict = compare(baseline, run.cases, only)
        _tell(subject, baseline, run, verdict)
        good = good and verdict.good and not run.failures
    return good


def _run(subject: Subject, settings: Settings) -> Run:
    run = new_run([subject], settings)
    measure([subject], settings, run)
    return run


def _tell(subject: Subject, baseline: Baseline, run: Run, verdict: Verdict) -> None:
    count = verdict.compared
    print(
        f"{subject.name}: {count} {'case' if count == 1 else 'cases'} compared with those of"
        f" {baseline.commit}, {len(verdict.moved)} moved by more than {TOLERANCE:.0%}"
    )
    if run.emulator != baseline.emulator:
        print(f"  (the emulator is {run.emulator}, it was {baseline.emulator})")
    for moved in verdict.moved:
        print(f"  {moved}")
    failed = {(f.backend, f.case) for f in run.failures}
    for failure in run.failures:
        print(f"  failed: {failure}")
    for case in verdict.missing:
        if (case.backend, case.case) not in failed:
            print(f"  not measured: {case.case} ({case.backend}), which the baseline has")
    for case in verdict.unknown:
        print(f"  new: {case.case} ({case.backend}), which the baseline lacks")
    if not verdict.good or run.failures:
        print(
            "  If that is meant: scripts/bench --update-baseline"
            f" --kernels {subject.name}, and say why in the commit."
        )


def update(
    names: list[str],
    file: Path | None,
    backends: list[str],
    size: int | None,
    repeat: int | None,
) -> None:
    """Measures, and makes it the baseline; what is not said stays as it was."""
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
