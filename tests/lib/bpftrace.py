# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs scripts of bpftrace, and reads the maps that they print."""

import os
import re
import select
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "bpftrace"
# Kernel headers are in the source, which no guest has; BTF is all that is needed.
ENVIRONMENT = {**os.environ, "BPFTRACE_KERNEL_SOURCE": ""}
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
COMPLAINT = re.compile(r"WARNING|ERROR|^Lost \d+", re.MULTILINE)
VALUE = re.compile(r"^@(\w*)(?:\[(.*)\])?: (-?\d+)$", re.MULTILINE)
HISTOGRAM = re.compile(r"^@(\w*)(?:\[(.*)\])?: *\n((?:[\[(].*\|\n?)+)", re.MULTILINE)
SLOT = re.compile(r"^[\[(](?:\.\.\.|(\d+)([KMGT]?))[^\])]*[\])]\s+(\d+) \|", re.MULTILINE)


class Script:
    """One at work; it is attached once attached() has returned.

    A child is started when all is attached: it says so, and what it watched is
    over when it ends. A signal would not do, as bpftrace 0.17 forgets one that
    comes while it is not waiting for events.
    """

    def __init__(self, name: str, *arguments: str, fifo: Path) -> None:
        self.name = name
        self.text = ""
        os.mkfifo(fifo)
        # For reading, too: else it would wait here for the child.
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
        """What it has said since, if it says something in time; false once that is all."""
        if not select.select([self._fd], [], [], timeout)[0]:
            return True
        data = os.read(self._fd, 1 << 16)
        self.text += data.decode()
        return bool(data)

    def attached(self) -> None:
        """Waits until it sees all that happens."""
        while "attached\n" not in self.text:
            assert self.read(None), f"{self.name}: {self.text}"
        self.text = self.text.replace("attached\n", "", 1)

    def stop(self) -> None:
        """It has seen enough."""
        if self._child_input >= 0:
            os.close(self._child_input)
            self._child_input = -1

    def finish(self) -> str:
        """All that it has printed, once it has ended in order."""
        while self.read(None):
            pass
        assert self._process.wait(60) == 0, f"{self.name}: {self.text}"
        assert not COMPLAINT.search(self.text), f"{self.name}: {self.text}"
        return self.text

    def kill(self) -> None:
        """In whatever state it is."""
        self.stop()
        self._process.kill()
        self._process.wait()


def values(text: str, name: str) -> dict[str, int]:
    """The numbers of a map, by key as it is printed; of each the last one."""
    return {key: int(value) for found, key, value in VALUE.findall(text) if found == name}


def histogram(text: str, name: str, key: str = "") -> dict[int, int]:
    """What is in the slots that are not empty, by their lower end."""
    for found, of, body in HISTOGRAM.findall(text):
        if (found, of) == (name, key):
            slots = [(int(n or 0) * UNITS[u], int(count)) for n, u, count in SLOT.findall(body)]
            return {low: count for low, count in slots if count}
    return {}


def powers(numbers: Iterable[int]) -> dict[int, int]:
    """The histogram of powers of two that these make."""
    return Counter(1 << number.bit_length() - 1 if number else 0 for number in numbers)
