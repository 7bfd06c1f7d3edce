# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The results of a run, and their JSON format."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from .errors import BenchError
from .lockstat import Lock

FORMAT = 1


@dataclass
class Case:
    """One case on one kernel."""

    kernel: str
    backend: str
    case: str
    op: str
    units: int
    unit: str
    runs: int
    value: list[int]
    # The first and the last marked region; or none.
    regions: list[int]
    # Of the fastest round; instructions for all units together.
    functions: dict[str, int] = field(default_factory=dict)
    # For --locks: the operations and the threads during which locks were counted.
    calls: int = 0
    threads: int = 0
    locks: list[Lock] = field(default_factory=list)

    def per_unit(self, wall: bool = False) -> float:
        """The minimum, as timer interrupts only add to it; for real time, the median."""
        return (median(self.value) if wall else min(self.value)) / self.units


@dataclass
class Failure:
    """A case that did not finish, or a program that failed (with an empty case)."""

    kernel: str
    backend: str
    case: str
    error: str

    def __str__(self) -> str:
        what = f"{self.case} " if self.case else ""
        return f"{what}({self.kernel}, {self.backend}): {self.error}"


@dataclass
class Kernel:
    """The measured kernel: version, configuration without the compiler, and compiler."""

    name: str
    release: str
    config: str
    compiler: str


@dataclass
class Run:
    """All results of one call of scripts/bench."""

    wall: bool
    size: int
    commit: str
    emulator: str
    kernels: list[Kernel]
    cases: list[Case] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def write(self, file: Path) -> None:
        """Writes JSON with one line per case."""
        head = {"format": FORMAT} | asdict(self)
        del head["cases"]
        write_lines(file, head, "cases", (asdict(case) for case in self.cases))


def write_lines(file: Path, head: dict, name: str, entries: Iterable[dict]) -> None:
    """JSON for line-by-line comparison: the last member is a list with one line per entry."""
    lines = ",\n".join(json.dumps(entry, sort_keys=True) for entry in entries)
    text = json.dumps(head, indent=1, sort_keys=True).removesuffix("\n}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'{text},\n "{name}": [\n{lines}\n ]\n}}\n')


def load(file: Path) -> Run:
    """Reads what Run.write() has written."""
    try:
        data = json.loads(file.read_text())
        if data.pop("format") != FORMAT:
            raise BenchError(f"{file} is of another format than {FORMAT}")
        for name, kind in (("kernels", Kernel), ("cases", Case), ("failures", Failure)):
            data[name] = [kind(**entry) for entry in data[name]]
        for case in data["cases"]:
            case.locks = [Lock(**lock) for lock in case.locks]
        return Run(**data)
    except OSError as error:
        raise BenchError(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(f"{file} has no results: {type(error).__name__}: {error}") from None


def parse_case(kernel: str, backend: str, line: str) -> Case | Failure:
    """Parses a line of the workload's output."""
    try:
        said = json.loads(line)
        if "error" in said:
            return Failure(kernel, backend, said["case"], said["error"])
        case = Case(
            kernel,
            backend,
            said["case"],
            said["op"],
            said["units"],
            said["unit"],
            said.get("runs", 0),
            said["value"],
            said.get("regions", []),
        )
        case.per_unit()
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise BenchError(f"the workload said what is no result: {line!r} ({error})") from None
    return case
