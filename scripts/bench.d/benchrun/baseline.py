# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The earlier results of a kernel, to compare a run with."""

import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from .errors import BenchError
from .results import Case, Kernel, write_lines
from .symbols import REST

FORMAT = 1
# Limits for the functions that a baseline lists: their number, and their part of the total.
NAMED = 30
WORTH = 1 / 2000
FIELDS = {"backend", "case", "functions", "op", "runs", "unit", "units", "value"}


def chosen(name: str, pattern: str) -> bool:
    """Whether --only selects a case."""
    return not pattern or fnmatchcase(name, pattern)


@dataclass
class Baseline:
    """The baseline of one kernel."""

    file: Path
    commit: str
    emulator: str
    kernel: Kernel
    size: int
    repeat: int
    backends: list[str]
    cases: dict[tuple[str, str], Case]

    def write(self) -> None:
        """Writes one line per case."""
        head = {
            "format": FORMAT,
            "commit": self.commit,
            "emulator": self.emulator,
            "kernel": asdict(self.kernel),
            "size": self.size,
            "repeat": self.repeat,
            "backends": self.backends,
        }
        entries = [_entry(self.cases[key]) for key in sorted(self.cases)]
        write_lines(self.file, head, "cases", entries)

    def matching(self, pattern: str) -> dict[tuple[str, str], Case]:
        """The cases that a pattern selects."""
        return {key: case for key, case in self.cases.items() if chosen(case.case, pattern)}


def _entry(case: Case) -> dict:
    value = min(case.value)
    return {
        "backend": case.backend,
        "case": case.case,
        "op": case.op,
        "unit": case.unit,
        "units": case.units,
        "runs": case.runs,
        "value": value,
        "functions": shorten(case.functions, value),
    }


def shorten(functions: dict[str, int], value: int) -> dict[str, int]:
    """The functions that take the most, and the sum of the others."""
    ordered = sorted(functions, key=lambda name: (-functions[name], name))
    kept = [name for name in ordered[:NAMED] if functions[name] > value * WORTH]
    short = {name: functions[name] for name in kept}
    rest = sum(functions.values()) - sum(short.values())
    return short | ({REST: rest} if rest else {})


def load(file: Path) -> Baseline:
    """Reads a baseline, or raises an error that explains the problem."""
    try:
        data = json.loads(file.read_text())
        if data["format"] != FORMAT:
            raise BenchError(f"{file}: format {data['format']}, this is for {FORMAT}")
        kernel = Kernel(**data["kernel"])
        cases = {}
        for entry in data["cases"]:
            if entry.keys() != FIELDS or entry["value"] < 0 or entry["units"] < 1:
                raise BenchError(f"{file}: what is this? {json.dumps(entry)[:200]}")
            value = entry.pop("value")
            case = Case(kernel=kernel.name, value=[value], regions=[], **entry)
            cases[case.backend, case.case] = case
        return Baseline(
            file,
            data["commit"],
            data["emulator"],
            kernel,
            int(data["size"]),
            int(data["repeat"]),
            list(data["backends"]),
            cases,
        )
    except OSError as error:
        raise BenchError(
            f"no baseline at {file} ({error.strerror}):"
            " scripts/bench --update-baseline --kernels NAME makes one"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"{file} is no baseline: {type(error).__name__}: {error}") from None


def check_kernel(baseline: Baseline, kernel: Kernel) -> None:
    """Results of another kernel are not comparable with ours."""
    differences = [
        f"{what} is {now or 'not known'}, the baseline's was {then or 'not known'}"
        for what, now, then in (
            ("the version", kernel.release, baseline.kernel.release),
            ("the configuration's hash", kernel.config, baseline.kernel.config),
            ("the compiler", kernel.compiler, baseline.kernel.compiler),
        )
        if now != then
    ]
    if differences:
        text = "\n  ".join(differences)
        raise BenchError(
            f"{baseline.file} is of another kernel than {kernel.name}:\n  {text}\n"
            "Nothing was compared. Measure a commit whose figures are known to be good on this"
            " kernel,\nand make them the baseline: scripts/bench --update-baseline"
            f" --kernels {kernel.name}"
        )
