# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Generated files are up to date with its sources, and scripts/generate finds mistakes in them."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
REASONS = "docs/reasons.toml"
ENUM = "kernel/trace/reason.h"
FAILURES = "docs/failures.md"
EVENTS = "kernel/trace/events.h"
TRACEPOINTS = "docs/tracepoints.md"
# The files that scripts/generate reads and writes.
PARTS = ("docs", "bpftrace", "kernel/trace", "scripts")


def generate(top: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [top / "scripts" / "generate", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources and outputs, to be changed."""
    for part in PARTS:
        shutil.copytree(TOP / part, tmp_path / part)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def test_up_to_date() -> None:
    checked = generate(TOP, "--check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_reasons_of_the_enum() -> None:
    """The description has those of the enum, in the same order."""
    described = tomllib.loads((TOP / REASONS).read_text())["section"]
    enum = re.findall(r"\b(?:R|LAST)\((\w+), \"(\w+)\"\)", (TOP / ENUM).read_text())
    assert [name for _, name in enum] == [r["name"] for s in described for r in s["reason"]]
    assert [constant.lower() for constant, _ in enum] == [name for _, name in enum]


@pytest.mark.parametrize(
    ("source", "old", "new", "output", "line"),
    [
        (
            REASONS,
            '"Zero the structure first."',
            '"Zero it."',
            FAILURES,
            r"`reserved` .* Zero it\.",
        ),
        (EVENTS, "[by reason] the second", "[count] the 2nd", TRACEPOINTS, "`second` .* the 2nd "),
        (EVENTS, "__field(u64, second)", "__field(s64, second)", TRACEPOINTS, "`second` . s64 "),
    ],
)
def test_stale_output(copy: Path, source: str, old: str, new: str, output: str, line: str) -> None:
    """--check shows the difference and changes nothing; without it, the file is written."""
    change(copy / source, old, new)
    before = (copy / output).read_text()
    checked = generate(copy, "--check")
    assert checked.returncode == 1
    assert re.search(rf"^\+\| {line}", checked.stderr, flags=re.MULTILINE)
    assert (copy / output).read_text() == before
    written = generate(copy)
    assert (written.returncode, written.stdout) == (0, f"wrote {output}\n")
    assert generate(copy, "--check").returncode == 0


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (ENUM, "R(INTERRUPTED, ", "R(SURPRISED, ", "SURPRISED is printed as interrupted"),
        (REASONS, 'name = "bad_fd"', 'name = "bad"', "is bad in reasons.toml, bad_fd in reason.h"),
        (REASONS, 'errnos = ["E2BIG"]', 'errnos = ["E3BIG"]', "there is no errno E3BIG"),
        (REASONS, '"least size"]', '"least size", "2"]', "bad_size: more than two numbers"),
        (REASONS, 'remedy = "Fix the array."', "", "bad_array: missing key: remedy"),
        (REASONS, '"Fix the array."', '"Fix | it."', "bad_array: '|' would end a cell"),
        (EVENTS, "@second: [by reason]", "@second:", "iommufd_fail: second has no unit"),
        (EVENTS, "@second: [by reason]", "@2nd: [by reason]", "iommufd_fail: has no 2nd"),
        (EVENTS, "__field(u64, second)", "__string(second, x)", "does not understand"),
        (EVENTS, "/**\n * iommufd_fail -", "/*\n * iommufd_fail -", "no kernel-doc: iommufd_fail"),
        (EVENTS, " * DOC: Contexts", " * Contexts", "no DOC comment precedes"),
        (FAILURES, "<!-- end: generated -->\n", "", "no single pair"),
    ],
)
def test_mistakes(copy: Path, file: str, old: str, new: str, says: str) -> None:
    """A mistake in a source has a message and changes nothing."""
    change(copy / file, old, new)
    failed = generate(copy, "--check")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ")
    assert says in failed.stderr
