# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""--threads: how the number of operations a second grows with the number of threads."""

from statistics import median

from .results import Case

SECOND = 1e9
OP = "threads="


def is_scaling(case: Case) -> bool:
    """Whether it is one of the cases that --threads measures."""
    return case.op.startswith(OP) and case.unit == "call"


def grid(cases: list[Case]) -> list[list[str]]:
    """A line for each case, kernel and backend; a column for each number of threads."""
    rows: dict[tuple[str, str], dict[int, float]] = {}
    for case in filter(is_scaling, cases):
        what = case.case.partition("/")[2]
        who = case.kernel if case.backend == "iommufd" else f"{case.kernel} {case.backend}"
        rate = case.units * SECOND / median(case.value)
        rows.setdefault((what, who), {})[int(case.op.removeprefix(OP))] = rate
    counts = sorted({count for row in rows.values() for count in row})
    lines = [["operations a second", "kernel", *map(str, counts), "last / first"]]
    order = list(dict.fromkeys(what for what, _ in rows))
    for what, who in sorted(rows, key=lambda row: order.index(row[0])):
        row = rows[what, who]
        cells = [f"{row[c]:.0f}" if c in row else "" for c in counts]
        first, last = row.get(counts[0]), row.get(counts[-1])
        lines.append([what, who, *cells, f"{last / first:.2f}" if first and last else ""])
    return lines
