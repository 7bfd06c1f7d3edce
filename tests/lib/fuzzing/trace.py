# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Parses what tests/fuzz prints, and finds where two kernels answer differently."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

STEP = re.compile(r"(\d+) (.*)")
# More than one thing is wrong with the request. Which one is reported does not matter.
VAGUE = re.compile(r" = E\w+ ~$")


@dataclass(frozen=True)
class Listed:
    """A known difference: patterns for what a step prints here and there."""

    here: str
    there: str
    reason: str
    # Whether it leaves both kernels in the same state, so that what follows can be compared.
    same_state: bool = True

    def matches(self, here: str, there: str) -> bool:
        """Whether this entry explains the difference."""
        return bool(re.search(self.here, here, re.S) and re.search(self.there, there, re.S))


@dataclass(frozen=True)
class Difference:
    """A step whose outcome differs between here and there."""

    seed: int
    here: str
    there: str

    def __str__(self) -> str:
        return f"seed {self.seed}:\n  here:  {self.here}\n  there: {self.there}"


@dataclass
class Run:
    """The output of the program: the steps of each sequence, and its findings."""

    sequences: dict[int, dict[int, str]] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)


def parse(output: str) -> Run:
    """Parses the output of a run with --trace."""
    run = Run()
    steps: dict[int, str] = {}
    for line in output.splitlines():
        if line.startswith("SEQUENCE "):
            steps = run.sequences.setdefault(int(line.split()[1]), {})
        elif line.startswith("FINDING "):
            run.findings.append(line)
        elif match := STEP.match(line):
            number = int(match[1])
            line = VAGUE.sub(" = refused", line)
            steps[number] = f"{steps[number]}\n{line}" if number in steps else line
    return run


def _of_sequence(
    seed: int, here: dict[int, str], there: dict[int, str], listed: tuple[Listed, ...], met: Counter
) -> Iterator[Difference]:
    for number in sorted({*here, *there}):
        one, other = here.get(number, ""), there.get(number, "")
        if one == other:
            continue
        found = next((x for x in listed if x.matches(one, other)), None)
        if not found:
            yield Difference(seed, one, other)
            return
        met[found.reason] += 1
        if not found.same_state:
            return


def compare(
    here: Run, there: Run, listed: tuple[Listed, ...]
) -> tuple[list[Difference], Counter[str]]:
    """The differences that are not listed, and how often each listed one occurred.

    A difference that is not listed, or that leaves the kernels in different states,
    ends the comparison of a sequence.
    """
    met: Counter[str] = Counter()
    found: list[Difference] = []
    for seed, steps in here.sequences.items():
        if seed in there.sequences:
            found += _of_sequence(seed, steps, there.sequences[seed], listed, met)
    return found, met
