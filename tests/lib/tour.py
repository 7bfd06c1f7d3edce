# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/tour.md: the commands that it shows, and their output."""

import os
import re
import select
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from iommufd.openfile import Closing

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "tour.md"
# Commands that are typed in the guest; those typed on the host begin with a $.
PROMPT = "# "
BLOCK = re.compile(r"^```console\n((?:# .*\n)(?:.*\n)*?)```\n", re.MULTILINE)
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
DONE = re.compile(r"^DONE (\d+)\n", re.MULTILINE)
# Commands in the background print one of these when they are ready.
READY = re.compile(r"^Watching |^The VM starts", re.MULTILINE)
QUIET = 0.5


@dataclass
class Step:
    """A command, and the output shown below it."""

    command: str
    output: str = ""


@dataclass
class Stop:
    """A screen of the page: its chapter, its place, and its commands."""

    chapter: str
    start: int
    end: int
    steps: list[Step] = field(default_factory=list)


def stops(page: str) -> list[Stop]:
    """All screens of the page."""
    found = []
    for block in BLOCK.finditer(page):
        chapter = HEADING.findall(page, 0, block.start())[-1]
        stop = Stop(chapter, block.start(1), block.end(1))
        for line in block[1].splitlines():
            if line.startswith(PROMPT):
                stop.steps.append(Step(line.removeprefix(PROMPT)))
            else:
                stop.steps[-1].output += line + "\n"
        found.append(stop)
    return found


def chapters(page: str) -> list[list[Step]]:
    """The commands of each chapter."""
    found: dict[str, list[Step]] = {}
    for stop in stops(page):
        found.setdefault(stop.chapter, []).extend(stop.steps)
    return [*found.values()]


def words(steps: list[Step]) -> Counter[str]:
    """The words that are the same each time, in any order."""
    text = "\n".join(step.output for step in steps)
    return Counter(re.findall(r"\b[A-Za-z][A-Za-z_-]{2,}\b", text))


class Shell(Closing):
    """Types commands one after the other, with the tools in its PATH."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, "PATH": f"{ROOT / 'build' / 'bin'}:{os.environ['PATH']}"},
        )
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout
        self._text = ""

    def close(self) -> None:
        self._in.close()
        self._process.wait(30)
        self._out.close()

    def _type(self, line: str) -> None:
        self._in.write(line.encode() + b"\n")
        self._in.flush()

    def _until(self, holds: Callable[[str], object]) -> None:
        while not holds(self._text):
            data = self._out.read1(1 << 16)
            assert data, self._text
            self._text += data.decode()

    def do(self, command: str, settle: float = 0) -> tuple[int, str]:
        """Returns status and output; with `settle`, reads until it has been quiet for that long."""
        self._type(command)
        if command.endswith("&"):
            self._until(READY.search)
        self._type('echo "DONE $?"')
        self._until(DONE.search)
        while settle and select.select([self._out], [], [], settle)[0]:
            self._text += self._out.read1(1 << 16).decode()
        (status,) = DONE.findall(self._text)
        text, self._text = DONE.sub("", self._text), ""
        return int(status), text and text.rstrip("\n") + "\n"


def retell(page: str) -> str:
    """The page with the current output of its commands."""
    out, at = "", 0
    with Shell() as shell:
        for stop in stops(page):
            out += page[at : stop.start]
            for step in stop.steps:
                _, text = shell.do(step.command, QUIET)
                out += PROMPT + step.command + "\n" + re.sub(r" +$", "", text, flags=re.MULTILINE)
            at = stop.end
    return out + page[at:]
