# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Starts the tools of build/bin, to their end or in the background, and reads their output."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import json_names
from iommufd.openfile import Closing
from vmrun.paths import ROOT, built

BIN = built("bin")
LIB = ROOT / "tests" / "lib"


def environment(**more: str) -> dict[str, str]:
    """An environment in which a tool's command, or another program, can import tests/lib."""
    return {**os.environ, "PYTHONPATH": str(LIB), "PYTHONDONTWRITEBYTECODE": "1", **more}


def load_command(*options: str) -> list[str]:
    """The command line of a load, which needs environment()."""
    return [sys.executable, "-m", "iommufd.load", *options]


def load(line: str) -> dict[str, Any]:
    """An object of JSON that a tool wrote; its names are those of docs/json.md."""
    found = json.loads(line)
    json_names.check(found)
    return found


def has(found: dict[str, Any], **members: object) -> None:
    """Checks that an object has these values."""
    assert {name: found[name] for name in members} == members


def run(
    name: str,
    *arguments: str,
    prefix: tuple[str, ...] = (),
    timeout: float | None = 60,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Runs a tool to its end."""
    command = [*prefix, str(BIN / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)


class Running(Closing):
    """A tool in the background. A subclass waits until it is ready, that is, sees all events."""

    def __init__(
        self, name: str, *arguments: str, prefix: tuple[str, ...] = (), **options: Any
    ) -> None:
        command = [*prefix, str(BIN / name), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
        assert self.process.stdout
        self.out = self.process.stdout

    def close(self) -> None:
        """Ends it, which must succeed."""
        self.process.terminate()
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0

    def next(self) -> dict[str, Any]:
        """The next line of its output, which is an object of JSON."""
        return load(self.out.readline())


class Tool(Running):
    """A tool that says when it is ready, or is once its first report is there (`quiet`)."""

    def __init__(
        self, name: str, *arguments: str, quiet: bool = False, prefix: tuple[str, ...] = ()
    ) -> None:
        super().__init__(name, *arguments, prefix=prefix, stderr=subprocess.PIPE)
        assert self.process.stderr
        self.errors = self.process.stderr
        if not quiet:
            first = self.errors.readline()
            assert first.startswith("Watching "), first + self.errors.read()

    def close(self) -> None:
        """Kills it if it is still running."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.out.close()
        self.errors.close()

    def until(self, holds: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
        """The objects up to the first one that satisfies a condition."""
        found = [self.next()]
        while not holds(found[-1]):
            found.append(self.next())
        return found

    def text(self, signum: int = signal.SIGINT) -> str:
        """Ends it, which must succeed; returns the rest of its output."""
        self.process.send_signal(signum)
        text = self.out.read()
        assert (self.process.wait(30), self.errors.read()) == (0, "")
        return text

    def rest(self) -> list[dict[str, Any]]:
        """The same as objects."""
        return [load(line) for line in self.text().splitlines()]
