# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Results side by side, each as a multiple of the floor; functions of one case."""

from collections.abc import Callable, Iterable

from .kernels import MATRIX
from .results import Case, Run

FLOOR = "floor"
TYPE1 = "type1"
OURS, PEER = "ours", "peer"
# Backends whose cases have rows of their own.
FAMILIES = ("mock", "pinlimit")
# The titles of the matrix's kernels.
SIDES = {"bench": OURS, "main": OURS, "peer-bench": PEER, "peer": PEER}


def number(value: float) -> str:
    """A number with its significant digits."""
    if value >= 1000:
        return f"{value:.0f}"
    if value >= 100:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def ratio(value: float) -> str:
    """The ratio of two numbers."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


class Rows:
    """The results by case and column."""

    def __init__(self, run: Run) -> None:
        self._wall = run.wall
        names = {k.name for k in run.kernels}
        sides = {SIDES.get(name) for name in names}
        # All kernels of the matrix, or one of each side.
        self._sides = names == MATRIX.keys() or (None not in sides and len(sides) == len(names) > 1)
        self.cases: dict[tuple[str, str], dict[str, Case]] = {}
        for case in run.cases:
            family = case.backend if case.backend in FAMILIES else ""
            self.cases.setdefault((case.case, family), {})[self._column(case)] = case
        found = {column for row in self.cases.values() for column in row}
        order = [OURS, *(k.name for k in run.kernels), PEER, TYPE1, FLOOR]
        self.columns = [c for c in dict.fromkeys(order) if c in found]

    def _column(self, case: Case) -> str:
        if case.backend in (TYPE1, FLOOR):
            return case.backend
        return SIDES[case.kernel] if self._sides else case.kernel

    def value(self, row: dict[str, Case], column: str) -> float | None:
        """Per unit."""
        return row[column].per_unit(self._wall) if column in row else None

    def of_floor(self, row: dict[str, Case], column: str) -> float | None:
        """As a multiple of the floor."""
        return self.ratio(row, column, FLOOR)

    def ratio(self, row: dict[str, Case], column: str, other: str) -> float | None:
        """Of two columns, if both exist and are not zero."""
        value, least = self.value(row, column), self.value(row, other)
        return value / least if value is not None and least else None


def _cell(value: float | None, form: Callable[[float], str] = number) -> str:
    return "" if value is None else form(value)


def grid(run: Run) -> list[list[str]]:
    """The table, headings first: results, multiples of the floor, our ratio to the other kernel."""
    rows = Rows(run)
    measured = [c for c in rows.columns if c != FLOOR]
    multiples = measured if FLOOR in rows.columns else []
    pair = measured[:2] if len(measured) > 1 else []
    head = ["case", "unit", "pieces", *rows.columns]
    head += [f"{c} / floor" for c in multiples]
    head += [f"{pair[0]} / {pair[1]}"] if pair else []
    lines = [head]
    for (name, family), row in rows.cases.items():
        first = next(iter(row.values()))
        cells = [f"{name} ({family})" if family else name, first.unit]
        cells.append(str(first.runs) if first.runs else "")
        cells += [_cell(rows.value(row, c)) for c in rows.columns]
        cells += [_cell(rows.of_floor(row, c), ratio) for c in multiples]
        if pair:
            cells.append(_cell(rows.ratio(row, *pair), ratio))
        lines.append(cells)
    return lines


def as_text(lines: list[list[str]], words: int = 2) -> str:
    """Aligned columns, the first of which are words."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ""
    for line in lines:
        cells = [
            cell.ljust(w) if i < words else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        ]
        text += "  ".join(cells).rstrip() + "\n"
    return text


def as_markdown(lines: list[list[str]]) -> str:
    """As a Markdown table."""
    ruler = ["---", "---"] + ["---:"] * (len(lines[0]) - 2)
    return "".join(f"| {' | '.join(line)} |\n" for line in [lines[0], ruler, *lines[1:]])


def profile_grid(cases: Iterable[Case], least: float) -> list[list[str]]:
    """The functions of one case, one column per kernel and backend, without those below `least`."""
    columns = list(cases)
    head = ["function", *(f"{c.kernel} {c.backend}" for c in columns)]
    names = {name for case in columns for name in case.functions}

    def per_unit(case: Case, name: str) -> float:
        return case.functions.get(name, 0) / case.units

    ordered = sorted(names, key=lambda n: (-max(per_unit(c, n) for c in columns), n))
    limit = least * min(c.per_unit() for c in columns)
    lines = [head, ["all", *(number(c.per_unit()) for c in columns)]]
    for name in ordered:
        counts = [per_unit(case, name) for case in columns]
        if max(counts) >= limit:
            lines.append([name, *(number(x) if x else "" for x in counts)])
    return lines
