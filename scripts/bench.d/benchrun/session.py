# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One boot of one kernel, and all its measurements."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import profile, programs
from .errors import BenchError
from .kernels import HERE, Subject
from .lockstat import Parser
from .paths import OUT, PARTS, TOP
from .progress import Progress
from .results import Case, Failure, Run, parse_case
from .symbols import kernel_symbols, module_files

HUGE_MIB = 2
# Cases with this in their name map both of two pages of 1 GiB.
GIGANTIC = "/gigantic/"
GIGANTIC_PAGES = 2
# Memory besides the mapped one: for programs, and for pages that no case gets.
ROOM_MIB = 1024
# One device per page table of the cases with the most page tables.
DEVICES = 8
# The files that affect results.
MEASURED = ("kernel", "scripts/config", "tests/bench", ":!tests/bench/baseline")
SECTION = re.compile(r"/sys/module/(\w+)/sections/(\S+) 0x([0-9a-f]+)")
# Sections whose memory is freed and reused.
FREED = ".init.text"


@dataclass(frozen=True)
class Settings:
    """The arguments of the workload."""

    size: int
    repeat: int
    only: str
    wall: bool
    # None: the program of tests/bench.
    workload: Path | None = None
    # For --threads: their numbers, and the seconds for each.
    threads: tuple[int, ...] = ()
    seconds: float = 1
    # For --locks: the number of threads and of CPUs.
    locks: int = 0

    def arguments(self) -> list[str]:
        """As command line options."""
        words = ["--size", str(self.size), "--repeat", str(self.repeat)]
        words += ["--only", self.only] if self.only else []
        if self.threads:
            words += ["--scaling", ",".join(map(str, self.threads))]
            words += ["--seconds", str(self.seconds)]
        if self.locks:
            words += ["--locks", str(self.locks), "--seconds", str(self.seconds)]
        return words + (["--wall"] if self.wall else [])


class Session:
    """Collects the output of the guest."""

    def __init__(
        self, subject: Subject, settings: Settings, expected: dict[str, list[str]]
    ) -> None:
        """`expected` are the cases by backend."""
        self._subject = subject
        self._settings = settings
        self._expected = expected
        self._backend = ""
        self._sections: dict[tuple[str, str], int] = {}
        self._programs: list[list[Case]] = []
        self._parser = Parser()
        self.failures: list[Failure] = []

    @property
    def cases(self) -> list[Case]:
        """Whether all were measured."""
        return [case for program in self._programs for case in program]

    def run(self, workload: Path) -> None:
        """Boots, unless it is this machine; returns when all results are known."""
        count = sum(map(len, self._expected.values()))
        backends = ", ".join(self._expected)
        progress = Progress(f"{self._subject.name}: {count} cases of {backends}")
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            counted = not (self._settings.wall or self._settings.locks)
            dump = Path(folder, "profile") if counted else None
            self._boot(self._command(workload, dump), progress)
            self._note_silence()
            if dump:
                self._attribute(dump)

    def _boot(self, command: list[str | Path], progress: Progress) -> None:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for line in process.stdout:
                self._line(line.rstrip("\n"), progress)
        progress.end()
        if process.returncode:
            raise BenchError(f"{self._subject.name}: exit status {process.returncode} of the run")
        if len(self._programs) != len(self._expected):
            raise BenchError(f"{self._subject.name}: the run ended before all was measured")

    def _note_silence(self) -> None:
        told = {(c.backend, c.case) for c in self.cases} | {
            (f.backend, f.case) for f in self.failures
        }
        for backend, names in self._expected.items():
            for name in names:
                if (backend, name) not in told:
                    self._fail(backend, name, "the workload did not come to it")

    def _command(self, workload: Path, dump: Path | None) -> list[str | Path]:
        subject, mib = self._subject, self._settings.size
        floor = programs.floor(subject.kernel) if "floor" in self._expected else ""
        tools = TOP / "build" / "bin"
        top = tools / "iommufd-top" if subject.watched else ""
        policy = tools / "iommufd-policy" if "pinlimit" in self._expected else ""
        modules = programs.lock_modules(subject.kernel) if self._settings.locks else []
        inner = ["sh", PARTS / "session", " ".join(map(str, modules))]
        inner += [floor, top, policy, " ".join(self._expected)]
        inner += [workload, *self._settings.arguments()]
        if subject.kernel == HERE:
            return inner
        command = [TOP / "scripts" / "vm", "--kernel", subject.kernel]
        command += ["--hugepages", str(mib // HUGE_MIB)]
        room = 3 * mib + ROOM_MIB
        if any(GIGANTIC in name for names in self._expected.values() for name in names):
            room += GIGANTIC_PAGES * 1024
            command += ["--append", f"hugepagesz=1G hugepages={GIGANTIC_PAGES}"]
        command += ["--memory", f"{room}M"]
        command += ["--device", "edu"] * DEVICES
        if self._settings.threads:
            command += ["--smp", str(max(self._settings.threads))]
        if dump:
            # The alignment of buffers must not depend on chance.
            command += ["--append", "norandmaps"]
            command += ["--icount", "--qemu=-plugin", f"--qemu={programs.PLUGIN},out={dump}"]
        elif self._settings.locks:
            # --icount alone is for one CPU.
            command += ["--icount", "--qemu=-smp", f"--qemu={self._settings.locks}"]
            command += ["--append", "norandmaps"]
        elif not subject.watched:
            # Threads need CPUs of their own. iommufd-top would switch tracing on.
            command.append("--parallel")
        return [*command, "--", *inner]

    def _line(self, line: str, progress: Progress) -> None:
        if line.startswith("= "):
            _, what, *words = line.split(" ")
            self._control(what, " ".join(words))
        else:
            found = parse_case(self._subject.name, self._backend, line)
            if isinstance(found, Failure):
                self.failures.append(found)
                progress.case(found.case)
                return
            self._programs[-1].append(found)
            progress.case(found.case)

    def _control(self, what: str, value: str) -> None:
        if what == "backend":
            self._backend = value
            self._programs.append([])
        elif what == "status" and value != "0":
            said = [f for f in self.failures if f.backend == self._backend]
            if value != "1" or not said:
                self._fail(self._backend, "", f"the workload ended with status {value}")
        elif what == "locks":
            case = self._programs[-1][-1]
            case.calls, case.threads = map(int, value.split())
            self._parser = Parser()
            case.locks = self._parser.locks
        elif what == "lock":
            self._parser.line(value)
        elif what == "section":
            found = SECTION.fullmatch(value)
            if found and found[2] != FREED:
                self._sections[found[1], found[2]] = int(found[3], 16)

    def _fail(self, backend: str, case: str, error: str) -> None:
        self.failures.append(Failure(self._subject.name, backend, case, error))

    def _attribute(self, dump: Path) -> None:
        folder = self._subject.folder
        files = module_files(folder / "modroot") | module_files(OUT / folder.name)
        symbols = kernel_symbols(folder / "vmlinux", files, self._sections)
        regions = profile.read_regions(dump, symbols)
        if not any(case.regions for case in self.cases):
            return
        if len(regions) != len(self._programs):
            raise BenchError(f"{dump} has {len(regions)} programs: marks were missed")
        for mine, cases in zip(regions, self._programs, strict=True):
            for case in cases:
                if case.regions:
                    case.functions = profile.of_case(mine, case.regions, case.value)


def _said(*command: str | Path) -> str:
    """The first line that a program prints; empty if it cannot be run."""
    try:
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.partition("\n")[0] if done.returncode == 0 else ""


def current_commit() -> str:
    """Of what is measured; marked if it has changed since."""
    commit = _said("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    if _said("git", "status", "--porcelain", "--", *MEASURED):
        commit += "-dirty"
    return commit


def new_run(subjects: list[Subject], settings: Settings) -> Run:
    """Prints what is about to be measured."""
    emulated = any(s.kernel != HERE for s in subjects)
    emulator = _said("qemu-system-x86_64", "--version") if emulated else ""
    return Run(
        settings.wall, settings.size, current_commit(), emulator, [s.describe() for s in subjects]
    )


def _listed(workload: Path, backend: str, settings: Settings) -> list[str]:
    """The cases of the workload with a backend."""
    command = [workload, "--backend", backend, *settings.arguments(), "--list"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BenchError(f"{workload}: {error.strerror}") from None
    if done.returncode:
        raise BenchError(f"{workload} --list: {done.stderr.strip()}")
    return done.stdout.splitlines()


def measure(subjects: list[Subject], settings: Settings, run: Run) -> None:
    """Runs one kernel after the other; skips kernels without a case."""
    for subject in subjects:
        if settings.locks and not subject.has("CONFIG_LOCK_STAT"):
            raise BenchError(f"{subject.name}: --locks is for kernels with CONFIG_LOCK_STAT")
    floors = [s.kernel for s in subjects if "floor" in s.backends or settings.locks]
    if floors or not (settings.workload and settings.wall):
        programs.build(floors, any(s.on_arm64 for s in subjects))
    # For the list of cases, which is the same on all machines.
    lister = settings.workload or programs.WORKLOAD
    for subject in subjects:
        listed = {b: _listed(lister, b, settings) for b in subject.backends}
        expected = {backend: names for backend, names in listed.items() if names}
        if expected:
            session = Session(subject, settings, expected)
            usual = programs.WORKLOAD_ARM64 if subject.on_arm64 else programs.WORKLOAD
            session.run(settings.workload or usual)
            run.cases += session.cases
            run.failures += session.failures
