# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs iommufd-top next to a load, and reads its output."""

import json
import subprocess
import tempfile
from collections.abc import Callable
from typing import Any

import tool_runner
from tool_runner import BIN, Running, environment

NAME = "iommufd-top"
TOP = str(BIN / NAME)


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return tool_runner.run(NAME, *arguments, env=environment(), timeout=120, **options)


def watch(*command: str, options: tuple[str, ...] = (), view: str = "ioas") -> tuple[dict, str]:
    """Watches a command; returns the report and the command's output."""
    with tempfile.NamedTemporaryFile("r") as report:
        done = run("--json", "-o", report.name, "-w", view, *options, "--", *command)
        assert done.returncode == 0, done.stderr
        return json.load(report), done.stdout


def parse(done: subprocess.CompletedProcess[str]) -> dict:
    """The only report that it wrote."""
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


class Stream(Running):
    """An iommufd-top that writes JSON; it sees everything from the first refresh on."""

    def __init__(self, *arguments: str, view: str = "ioas") -> None:
        super().__init__(NAME, "--json", "-w", view, *arguments, env=environment())
        self.last = self.next()

    def next(self) -> dict:
        """The next refresh."""
        self.last = super().next()
        return self.last

    def until(self, holds: Callable[[dict], object]) -> dict:
        """The first refresh, this one included, that satisfies a condition."""
        while not holds(self.last):
            self.next()
        return self.last
