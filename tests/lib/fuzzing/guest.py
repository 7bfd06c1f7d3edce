# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the program from the host, in a guest of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vmrun.paths import ROOT, built

PROGRAM = built("selftests") / "fuzz"
LIB = ROOT / "tests" / "lib"
# Seconds that a guest takes to boot, to scan for leaks and to end.
AROUND = 400
# The first report of the kernel ends the guest, so that the sequence at fault is known.
STRICT = "panic_on_warn=1 kasan.fault=panic"


@dataclass
class Outcome:
    """How a guest ended."""

    status: int
    output: str
    errors: str
    # The seed of the last sequence.
    seed: int | None

    @property
    def died(self) -> bool:
        """Whether the guest ended before the program did."""
        return self.status not in (0, 1)


@dataclass
class Guest:
    """A kernel, and whether to use a real device in place of the mock."""

    kernel: str = "main"
    vfio: bool = False
    # Whether the first report of the kernel ends the guest.
    strict: bool = True

    def _command(self, words: tuple[str, ...]) -> list[str]:
        vm = [str(ROOT / "scripts" / "vm"), "--kernel", self.kernel, "--hugepages", "8"]
        vm += ["--device", "edu" if self.vfio else "none"]
        vm += [f"--append={STRICT}"] if self.strict else []
        inside = [sys.executable, "-m", "fuzzing.inside", "--progress", *words]
        return [*vm, "--", *inside, *(["--vfio"] if self.vfio else [])]

    def run(self, *words: str, limit: float, show: Callable[[str], None] | None = None) -> Outcome:
        """Runs the program with these arguments; `show` is called with each line of output."""
        path = f"{LIB}:{ROOT / 'scripts' / 'vm.d'}"
        process = subprocess.Popen(
            ["timeout", str(limit + AROUND), *self._command(words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert process.stdout and process.stderr
        seed, lines = None, []
        for line in process.stdout:
            if line.startswith("@ "):
                seed = int(line[2:])
                continue
            lines.append(line)
            if show:
                show(line)
        errors = process.stderr.read()
        return Outcome(process.wait(), "".join(lines), errors, seed)


def findings(output: str) -> Iterator[str]:
    """The lines that report a finding."""
    return (line for line in output.splitlines() if line.startswith("FINDING "))
