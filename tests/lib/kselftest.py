# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The base kernel's own tests of iommufd and VFIO: lists their cases and runs one of them.

The programs' option -r selects a single case. A case that hangs or crashes the
kernel thus does not affect the results of others.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from vmrun.paths import BUILD, built

PROGRAMS = ("iommufd", "iommufd_fail_nth")
# The programs end a case after 30 s themselves. A case stuck in the kernel takes longer.
LIMIT = 45.0

# The exit status of a program that has nothing to test.
SKIP = 4

# The beginning of a continuation line in the list of cases.
VARIANT = 21
RESULT = re.compile(r"^(not ok|ok) \d+ (\S+)(?: # (SKIP|XFAIL|XPASS|ERROR) ?(.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """How a case ended: passed, failed or skipped, and its output."""

    how: str
    output: str
    reason: str = ""


def parse_list(text: str) -> list[str]:
    """The names of cases, in the form of the results, from the output of a program for -l.

    The list has a fixture's variants and tests side by side; each test runs with each
    variant.
    """
    cases: list[str] = []
    for block in re.split(r"^-{20,}\n", text.partition("\n")[2], flags=re.MULTILINE):
        lines = block.splitlines()
        fixture, *rest = lines[0].split()
        # Long names shift the columns of the first line, which has all three.
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
    """The program of each case, as listed when it was built; empty if that was not done."""
    found = {}
    for name in PROGRAMS:
        listed = BUILD / "selftests" / f"{name}.cases"
        if not listed.exists():
            return {}
        found.update(dict.fromkeys(parse_list(listed.read_text()), name))
    return found


def vfio_cases() -> dict[str, str]:
    """The same for the tests of VFIO, as listed when they were built."""
    found = {}
    for path in sorted((BUILD / "selftests" / "vfio").glob("*.cases")):
        found.update(dict.fromkeys(parse_list(path.read_text()), f"vfio/{path.stem}"))
    return found


def parse_result(case: str, output: str) -> Result:
    """The result of a case in a program's output. A case without a result has failed."""
    for line in RESULT.finditer(output):
        ok, name, directive, reason = line.groups()
        if name == case:
            if directive:
                how = "skipped" if directive == "SKIP" else "failed"
            else:
                how = "passed" if ok == "ok" else "failed"
            return Result(how, output, reason or "")
    return Result("failed", output + "\nthe program ended without a result for the case")


def run(program: str, case: str, patience: int = 1, devices: Sequence[str] = ()) -> Result:
    """Runs one case; on a slow kernel it may take `patience` times as long."""
    limit = LIMIT * patience
    environment = dict(os.environ)
    if patience > 1:
        environment["LD_PRELOAD"] = str(built("selftests") / "patience.so")
        environment["PATIENCE"] = str(patience)
    with tempfile.TemporaryFile("w+") as output:
        # A file, not a pipe: a child stuck in the kernel would keep a pipe open.
        process = subprocess.Popen(
            [built("selftests") / program, "-r", case, *devices],
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
        # The program did not reach the case.
        return Result("skipped", text, text.strip().rpartition("\n")[2])
    return parse_result(case, text)
