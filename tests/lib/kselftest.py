# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The base kernel's own tests of iommufd and VFIO: which cases there are, and running one.

A run of a single case is what the programs' option -r does; a case that hangs, or
that brings the kernel down, takes no other's result with it.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from vmrun.paths import BUILD

PROGRAMS = ("iommufd", "iommufd_fail_nth")
# The programs end a case after 30 s themselves; what is stuck in the kernel outlives that.
LIMIT = 45.0

# What they end with when they have nothing to test.
SKIP = 4

# In the list of cases: where a line goes on that doesn't begin with a fixture.
VARIANT = 21
RESULT = re.compile(r"^(not ok|ok) \d+ (\S+)(?: # (SKIP|XFAIL|XPASS|ERROR) ?(.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """How a case ended: passed, failed or skipped, and what it said."""

    how: str
    output: str
    reason: str = ""


def parse_list(text: str) -> list[str]:
    """Names of cases, as results have them, from what a program prints for -l.

    A fixture's variants and tests are listed side by side, and each is run with each.
    """
    cases: list[str] = []
    for block in re.split(r"^-{20,}\n", text.partition("\n")[2], flags=re.MULTILINE):
        lines = block.splitlines()
        fixture, *rest = lines[0].split()
        # Long names move the columns of the first line, which has all that there are.
        tests = rest[-1:]
        variants = rest[:-1]
        for line in lines[1:]:
            words = line.split()
            if not line[VARIANT:].startswith(" "):
                variants.append(words.pop(0))
            tests += words
        for variant in variants or [""]:
            cases += [".".join(filter(None, (fixture, variant, test))) for test in tests]
    return cases


def cases() -> dict[str, str]:
    """Each case's program; empty if they are not built."""
    found = {}
    for name in PROGRAMS:
        program = BUILD / "selftests" / name
        if not program.exists():
            return {}
        listed = subprocess.run([program, "-l"], stderr=subprocess.PIPE, text=True, check=False)
        found.update(dict.fromkeys(parse_list(listed.stderr), name))
    return found


def vfio_cases() -> dict[str, str]:
    """The same of the tests of VFIO, as they were listed when they were built."""
    found = {}
    for path in sorted((BUILD / "selftests" / "vfio").glob("*.cases")):
        found.update(dict.fromkeys(parse_list(path.read_text()), f"vfio/{path.stem}"))
    return found


def parse_result(case: str, output: str) -> Result:
    """The line about a case in a program's output; without one it has failed."""
    for line in RESULT.finditer(output):
        ok, name, directive, reason = line.groups()
        if name == case:
            if directive:
                how = "skipped" if directive == "SKIP" else "failed"
            else:
                how = "passed" if ok == "ok" else "failed"
            return Result(how, output, reason or "")
    return Result("failed", output + "\nthe program ended without a word about the case")


def run(program: str, case: str, patience: int = 1, devices: Sequence[str] = ()) -> Result:
    """Runs one case; on a slow kernel it may take `patience` times as long."""
    limit = LIMIT * patience
    environment = dict(os.environ)
    if patience > 1:
        environment["LD_PRELOAD"] = str(BUILD / "selftests" / "patience.so")
        environment["PATIENCE"] = str(patience)
    with tempfile.TemporaryFile("w+") as output:
        # Not a pipe: a child stuck in the kernel would keep that open.
        process = subprocess.Popen(
            [BUILD / "selftests" / program, "-r", case, *devices],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        hung, status = "", 0
        try:
            status = process.wait(limit)
            if status < 0:
                hung = f"\nthe program was ended by {signal.Signals(-status).name}"
        except subprocess.TimeoutExpired:
            process.kill()
            hung = f"\nthe program did not end in {limit:g} s"
        output.seek(0)
        text = output.read() + hung
    if hung:
        return Result("failed", text)
    if status == SKIP and not any(found[2] == case for found in RESULT.finditer(text)):
        # It did not come as far as the case.
        return Result("skipped", text, text.strip().rpartition("\n")[2])
    return parse_result(case, text)
