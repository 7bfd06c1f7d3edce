# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command lines of iommufd-maplat, iommufd-pins and iommufd-faults, on the host."""

import os
import subprocess
from pathlib import Path

import pytest
from test_tools_lib import build

__all__ = ["build"]

TOOLS = Path(__file__).resolve().parent.parent / "tools"
NAMES = ["iommufd-maplat", "iommufd-pins", "iommufd-faults"]


def run(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [folder / "bin" / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["0"], "the interval must be from 0.01 to 86400 seconds, not '0'"),
        (["soon"], "the interval must be from"),
        (["1", "0"], "the count must be 1 or more, not '0'"),
        (["1", "2", "3"], "unexpected argument '3'"),
        (["-p", "0"], "there is no process '0'"),
        (["-p", "4294967297"], "there is no process '4294967297'"),
        (["--frobnicate"], "unrecognized option"),
    ],
)
def test_usage(build: Path, name: str, arguments: list[str], says: str) -> None:
    """An invalid command line is refused before anything else is checked."""
    refused(build, name, arguments, says)


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("iommufd-maplat", ["-b", "moon"], "histograms are by ioas, process or size, not 'moon'"),
        ("iommufd-maplat", ["-s", "-1"], "'-1' is not a valid duration"),
        ("iommufd-maplat", ["-s", "18446744073709552"], "is not a valid duration"),
        ("iommufd-maplat", ["-s", "5", "1"], "--slower lists requests one by one"),
        ("iommufd-maplat", ["-s", "5", "-b", "size"], "no INTERVAL and no --by"),
        ("iommufd-faults", ["-H"], "a histogram needs an INTERVAL"),
        ("iommufd-faults", ["-n", "5"], "only --dma has a history"),
        ("iommufd-faults", ["-D", "-n", "-1"], "the number of unmaps is 0 to 16777216, not '-1'"),
        ("iommufd-faults", ["-D", "-n", "16777217"], "not '16777217'"),
    ],
)
def test_usage_of_one(build: Path, name: str, arguments: list[str], says: str) -> None:
    refused(build, name, arguments, says)


def test_sanitized_in_guest(build: Path, any_kernel: str) -> None:
    """All of them at work next to a load, as text and as JSON."""
    load = "/usr/bin/python3 -m iommufd.load --pause 0.001 --size 4K,2M --ioas 2"
    runs = [
        "iommufd-maplat -T 0.2 2",
        "iommufd-maplat -j -b ioas 0.2 2",
        "iommufd-maplat -b process 0.2 2",
        "iommufd-maplat -b size 0.2 2",
        "iommufd-maplat -s 0 | head -n 5",
        "iommufd-maplat -j -s 0 | head -n 5",
        "iommufd-pins -T 0.2 3",
        "iommufd-pins -j 0.2 3",
        "iommufd-faults -H 0.2 2",
        "iommufd-faults -j 0.2 2",
    ]
    script = f"set -e -o pipefail\n{load} >/dev/null &\n"
    script += "".join(f"{build}/bin/{command} 2>&1 | cat\n" for command in runs)
    vm = [TOOLS.parent / "scripts" / "vm", "--kernel", any_kernel, "--"]
    done = subprocess.run(
        [*vm, "bash", "-c", script + "kill $!; wait"],
        capture_output=True,
        text=True,
        cwd=TOOLS.parent,
        timeout=300,
        env={**os.environ, "PYTHONPATH": "tests/lib"},
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("Watching ") for line in done.stderr.splitlines()), done.stderr
    assert done.stdout.count('"rows":[{') == 2
    assert done.stdout.count('"op":"map","iova"') + done.stdout.count('"op":"unmap","iova"') == 5
    assert done.stdout.count('"pinned_pages"') >= 9


def refused(folder: Path, name: str, arguments: list[str], says: str) -> None:
    done = run(folder, name, *arguments)
    assert done.returncode == 64
    assert says in done.stderr
    assert done.stdout == ""
