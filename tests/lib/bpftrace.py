# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs bpftrace scripts and reads the maps that they print."""

import os
import re
import select
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "bpftrace"
# The kernel headers are part of the source, which guests do not have. BTF suffices.
ENVIRONMENT = {**os.environ, "BPFTRACE_KERNEL_SOURCE": ""}
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
COMPLAINT = re.compile(r"WARNING|ERROR|^Lost \d+", re.MULTILINE)
VALUE = re.compile(r"^@(\w*)(?:\[(.*)\])?: (-?\d+)$", re.MULTILINE)
HISTOGRAM = re.compile(r"^@(\w*)(?:\[(.*)\])?: *\n((?:[\[(].*\|\n?)+)", re.MULTILINE)
SLOT = re.compile(r"^[\[(](?:\.\.\.|(\d+)([KMGT]?))[^\])]*[\])]\s+(\d+) \|", re.MULTILINE)


class Script:
    """A running bpftrace; its probes are attached once attached() has returned.

    bpftrace starts a child when all probes are attached, and ends when that child ends.
    The child thus signals both. A signal would not work: bpftrace 0.17 loses one that
    arrives while it is not waiting for events.
    """

    def __init__(self, name: str, *arguments: str, fifo: Path) -> None:
        self.name = name
        self.text = ""
        os.mkfifo(fifo)
        # Opened for reading, too: otherwise open() would wait here for the child.
        self._child_input = os.open(fifo, os.O_RDWR)
        os.write(self._child_input, b"attached\n")
        command = [
            "bpftrace",
            "-c",
            f"/usr/bin/cat {fifo}",
            str(SCRIPTS / f"{name}.bt"),
            *arguments,
        ]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
        )
        assert self._process.stdout
        self._fd = self._process.stdout.fileno()

    def read(self, timeout: float | None = 0) -> bool:
        """Reads output that arrives within `timeout` seconds. Returns False once it has ended."""
        if not select.select([self._fd], [], [], timeout)[0]:
            return True
        data = os.read(self._fd, 1 << 16)
        self.text += data.decode()
        return bool(data)

    def attached(self) -> None:
        """Waits until all probes are attached."""
        while "attached\n" not in self.text:
            assert self.read(None), f"{self.name}: {self.text}"
        self.text = self.text.replace("attached\n", "", 1)

    def stop(self) -> None:
        """Ends the tracing."""
        if self._child_input >= 0:
            os.close(self._child_input)
            self._child_input = -1

    def finish(self) -> str:
        """Waits for a successful exit and returns everything that it printed."""
        while self.read(None):
            pass
        assert self._process.wait(60) == 0, f"{self.name}: {self.text}"
        assert not COMPLAINT.search(self.text), f"{self.name}: {self.text}"
        return self.text

    def kill(self) -> None:
        """Kills it, whatever state it is in."""
        self.stop()
        self._process.kill()
        self._process.wait()


def values(text: str, name: str) -> dict[str, int]:
    """The numbers of a map, by key as printed. The last value of each key counts."""
    return {key: int(value) for found, key, value in VALUE.findall(text) if found == name}


def histogram(text: str, name: str, key: str = "") -> dict[int, int]:
    """The non-empty slots of a histogram, by their lower bound."""
    for found, of, body in HISTOGRAM.findall(text):
        if (found, of) == (name, key):
            slots = [(int(n or 0) * UNITS[u], int(count)) for n, u, count in SLOT.findall(body)]
            return {low: count for low, count in slots if count}
    return {}


def powers(numbers: Iterable[int]) -> dict[int, int]:
    """The power-of-two histogram of these values."""
    return Counter(1 << number.bit_length() - 1 if number else 0 for number in numbers)
