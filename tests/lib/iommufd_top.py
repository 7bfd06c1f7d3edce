# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs iommufd-top next to a load, and reads its output."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TOP = str(ROOT / "build" / "bin" / "iommufd-top")
LIB = str(ROOT / "tests" / "lib")


def environment(**more: str) -> dict[str, str]:
    """An environment in which `python3 -m iommufd.load` works."""
    return {**os.environ, "PYTHONPATH": LIB, "PYTHONDONTWRITEBYTECODE": "1", **more}


def load_command(*options: str) -> list[str]:
    """The command line of a load."""
    return [sys.executable, "-m", "iommufd.load", *options]


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess:
    """Runs iommufd-top to its end."""
    return subprocess.run(
        [TOP, *arguments], capture_output=True, text=True, env=environment(), timeout=120, **options
    )


def watch(*command: str, options: tuple[str, ...] = (), view: str = "ioas") -> tuple[dict, str]:
    """Watches a command; returns the report and the command's output."""
    with tempfile.NamedTemporaryFile("r") as report:
        done = run("--json", "-o", report.name, "-w", view, *options, "--", *command)
        assert done.returncode == 0, done.stderr
        return json.load(report), done.stdout


def parse(done: subprocess.CompletedProcess) -> dict:
    """The only report that it wrote."""
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


class Stream:
    """An iommufd-top that writes JSON; it sees everything from the first refresh on."""

    def __init__(self, *arguments: str, view: str = "ioas") -> None:
        self._process = subprocess.Popen(
            [TOP, "--json", "-w", view, *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.last = self.next()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(30) == 0

    def next(self) -> dict:
        """The next refresh."""
        assert self._process.stdout
        self.last = json.loads(self._process.stdout.readline())
        return self.last

    def until(self, holds: Callable[[dict], object]) -> dict:
        """The first refresh, this one included, that satisfies a condition."""
        while not holds(self.last):
            self.next()
        return self.last
