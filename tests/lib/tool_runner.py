# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs one of the monitoring tools and reads its output."""

import json
import signal
import subprocess
from collections.abc import Callable
from types import TracebackType
from typing import Any

from vmrun.paths import BUILD

BIN = BUILD / "bin"


def run(name: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    command = [str(BIN / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


def programs() -> set[str]:
    """The BPF programs in the kernel."""
    listed = subprocess.run(
        ["/usr/sbin/bpftool", "-j", "prog"], check=True, capture_output=True, text=True
    )
    return {program.get("name", "") for program in json.loads(listed.stdout)}


class Tool:
    """A running tool. It sees all events once this is made, or once its first report is there."""

    def __init__(
        self, name: str, *arguments: str, quiet: bool = False, prefix: tuple[str, ...] = ()
    ) -> None:
        self.process = subprocess.Popen(
            [*prefix, str(BIN / name), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        assert self.process.stderr
        self.out, self.errors = self.process.stdout, self.process.stderr
        if not quiet:
            first = self.errors.readline()
            assert first.startswith("Watching "), first + self.errors.read()

    def __enter__(self) -> "Tool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.out.close()
        self.errors.close()

    def next(self) -> dict[str, Any]:
        """The next object."""
        return json.loads(self.out.readline())

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
        return [json.loads(line) for line in self.text().splitlines()]
