# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Tracepoints through tracefs, in a trace instance of their own."""

import itertools
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .openfile import Closing

TRACEFS = Path("/sys/kernel/tracing")
LINE = re.compile(
    r"^\s*(?P<comm>.*)-(?P<pid>\d+)\s+\[\d+\]\s.*?\s[\d.]+: (?P<name>\w+): (?P<rest>.*)$"
)
FIELD = re.compile(r"(\w+)=(\S*)")
_count = itertools.count(1)


@dataclass
class Event:
    """One event as printed: its `fields`, and the text after its name as `text`."""

    name: str
    pid: int
    fields: dict[str, str]
    text: str

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    def number(self, name: str) -> int:
        """A field as a number."""
        return int(self.fields[name], 0)


def available(system: str) -> list[str]:
    """The events of a system, in order."""
    folder = TRACEFS / "events" / system
    return sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def format_fields(system: str, event: str) -> list[tuple[str, int, int]]:
    """(declaration, offset, size) of each field of an event, without the common fields."""
    text = (TRACEFS / "events" / system / event / "format").read_text()
    found = re.findall(r"field:([^;]+);\s*offset:(\d+);\s*size:(\d+);", text)
    return [(d, int(o), int(s)) for d, o, s in found if not d.split()[-1].startswith("common_")]


def functions(module: str) -> list[str]:
    """Functions of a module that can be traced; not those whose name another one has, too."""
    lines = (TRACEFS / "available_filter_functions").read_text().splitlines()
    counts = Counter(line.split()[0] for line in lines)
    found = [words[0] for line in lines if (words := line.split())[1:] == [f"[{module}]"]]
    return [name for name in found if counts[name] == 1]


def parse(text: str) -> list[Event]:
    """Parses a trace, or a piece of one."""
    found = []
    for line in text.splitlines():
        if match := LINE.match(line):
            fields = dict(FIELD.findall(match["rest"]))
            found.append(Event(match["name"], int(match["pid"]), fields, match["rest"]))
    return found


def _make_instance(folder: Path) -> None:
    """A trace instance whose events do not record the names of tasks.

    To record the names, the kernel would trace sched_switch. Switching an event on or
    off would then patch code that every CPU runs, which CPUs emulated in parallel do
    not survive. An instance inherits the option from the top when it is created.
    """
    (TRACEFS / "options" / "record-cmd").write_text("0")
    folder.mkdir()


class Stream(Closing):
    """Events as they arrive, from now to close(). Starting and stopping takes time."""

    def __init__(self, system: str, *events: str) -> None:
        self._folder = TRACEFS / "instances" / f"stream-{os.getpid()}-{next(_count)}"
        _make_instance(self._folder)
        self._enables = [
            self._folder / "events" / system / event / "enable" for event in events or ("",)
        ]
        for enable in self._enables:
            enable.write_text("1")
        pipe = self._folder / "trace_pipe"
        self._pipe = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        """Stops listening."""
        for enable in self._enables:
            enable.write_text("0")
        os.close(self._pipe)
        self._folder.rmdir()

    def read(self) -> list[Event]:
        """The events since the last call."""
        data = b""
        while True:
            try:
                data += os.read(self._pipe, 1 << 16)
            except BlockingIOError:
                break
        text = data.decode()
        assert "LOST" not in text, "events were lost"
        return parse(text)


class Tracer:
    """Records events for the duration of a with."""

    def __init__(self, system: str, *events: str) -> None:
        self._system = system
        self._events = events
        self._folder = TRACEFS / "instances" / f"test-{os.getpid()}"

    def __enter__(self) -> "Tracer":
        _make_instance(self._folder)
        for event in self._events or ("",):
            (self._folder / "events" / self._system / event / "enable").write_text("1")
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.rmdir()

    def events(self, *names: str) -> list[Event]:
        """The events so far; if names are given, only those."""
        events = parse((self._folder / "trace").read_text())
        return [e for e in events if not names or e.name in names]

    def lost(self) -> int:
        """The number of events that were lost for lack of room."""
        total = 0
        for stats in (self._folder / "per_cpu").glob("cpu*/stats"):
            total += sum(
                int(x) for x in re.findall(r"(?:overrun|dropped events): (\d+)", stats.read_text())
            )
        return total
