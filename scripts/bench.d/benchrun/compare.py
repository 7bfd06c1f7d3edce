# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Finds the cases that moved, and the functions that account for the difference."""

from dataclasses import dataclass
from math import inf

from .baseline import Baseline, chosen
from .results import Case
from .symbols import REST
from .table import number

TOLERANCE = 0.01
# Memory is allocated and freed in pages, partly by others: differences up to this mean nothing.
PAGES, PAGE = 16, 4096
GIB_IN_MIB = 1024
# Functions are listed until they account for this part of the difference, up to a number.
ACCOUNTED = 0.9
NAMED = 6


@dataclass
class Moved:
    """A case whose result differs from the baseline."""

    before: Case
    after: Case

    @property
    def change(self) -> float:
        """Relative to the old value; infinite if that is 0."""
        before, after = self.before.per_unit(), self.after.per_unit()
        if not before:
            return inf if after else 0
        return after / before - 1

    def functions(self) -> list[tuple[str, float, float]]:
        """Name, before and after, per unit; the largest differences first."""
        before, after = self.before, self.after
        # The rest of the baseline includes functions that it does not list, or that no longer
        # exist.
        named = before.functions.keys() - {REST}
        now = {n: c for n, c in after.functions.items() if n in named or not _small(before, c)}
        now[REST] = sum(after.functions.values()) - sum(now.values())
        rows = [
            (name, before.functions.get(name, 0) / before.units, now.get(name, 0) / after.units)
            for name in named | now.keys()
        ]
        rows.sort(key=lambda row: (-abs(row[2] - row[1]), row[0]))
        return rows

    def __str__(self) -> str:
        before, after = self.before, self.after
        text = (
            f"{after.case} ({after.kernel}, {after.backend}): {number(before.per_unit())} ->"
            f" {number(after.per_unit())} {_measure(after)} ({self.change:+.1%})"
        )
        if abs(after.runs - before.runs) > TOLERANCE * before.runs:
            text += (
                f"\n    the guest's memory was in {after.runs} pieces,"
                f" the baseline's in {before.runs}: that alone makes a difference"
            )
        rows = self.functions()
        total = sum(abs(now - then) for _, then, now in rows)
        told = 0.0
        for name, then, now in rows[:NAMED]:
            if told >= ACCOUNTED * total:
                break
            told += abs(now - then)
            text += f"\n    {_signed(now - then):>9}  {name}: {number(then)} -> {number(now)}"
        return text


def _small(case: Case, count: int) -> bool:
    """Whether the baseline would have left out a function of this size."""
    return count <= min((c for n, c in case.functions.items() if n != REST), default=0)


def _measure(case: Case) -> str:
    return "bytes" if case.unit == "byte" else f"instructions a {case.unit}"


def _signed(difference: float) -> str:
    return ("+" if difference >= 0 else "-") + number(abs(difference))


@dataclass
class Verdict:
    """One kernel compared with its baseline."""

    compared: int
    moved: list[Moved]
    missing: list[Case]
    unknown: list[Case]

    @property
    def good(self) -> bool:
        """All cases were compared, and none has moved."""
        return self.compared > 0 and not (self.moved or self.missing or self.unknown)


def compare(baseline: Baseline, cases: list[Case], pattern: str) -> Verdict:
    """Compares the results with the expected cases."""
    # Bytes are per GiB, whatever size was mapped.
    slack = PAGES * PAGE * GIB_IN_MIB / baseline.size

    def by_chance(pair: Moved) -> bool:
        difference = pair.after.per_unit() - pair.before.per_unit()
        return pair.after.unit == "byte" and abs(difference) <= slack

    before = baseline.matching(pattern)
    after = {(c.backend, c.case): c for c in cases if chosen(c.case, pattern)}
    both = [Moved(before[key], after[key]) for key in before if key in after]
    both.sort(key=lambda pair: -abs(pair.change))
    return Verdict(
        len(both),
        [pair for pair in both if abs(pair.change) > TOLERANCE and not by_chance(pair)],
        [before[key] for key in before if key not in after],
        [after[key] for key in after if key not in before],
    )
