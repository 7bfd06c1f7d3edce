# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The results of a run: JSON, a table, a chart."""

import sys
from pathlib import Path

from . import chart, locks, scaling, table, wall
from .baseline import chosen
from .errors import BenchError
from .kernels import MATRIX
from .paths import TOP
from .results import Run

PAGE = TOP / "docs" / "performance.md"
IMAGES = TOP / "docs" / "images"
BEGIN, END = "<!-- table: scripts/bench --docs -->\n", "<!-- end of table -->\n"
# The values of a table.
LEAST_ROUND = "the least of the rounds, for each unit"
LOCK_TIMES = "times in instructions"
# A function below this part of the total is left out.
LEAST = 0.001


def write(run: Run, folder: Path) -> None:
    """Writes them into a directory; prints the table, too."""
    run.write(folder / "results.json")
    if any(map(locks.has_locks, run.cases)):
        text = _heading(run, LOCK_TIMES) + locks.as_page(list(filter(locks.has_locks, run.cases)))
    elif any(map(scaling.is_scaling, run.cases)):
        text = table.as_text(scaling.grid(run.cases))
    elif run.wall:
        text = table.as_text(wall.grid(run.cases))
    else:
        text = _heading(run, LEAST_ROUND) + table.as_text(table.grid(run))
    (folder / "table.txt").write_text(text)
    print(text, end="")
    if not (run.wall or any(map(scaling.is_scaling, run.cases))):
        chart.draw(run, folder)


def _heading(run: Run, values: str) -> str:
    lines = [f"commit {run.commit}; {run.emulator}; {values}\n"]
    for kernel in run.kernels:
        lines.append(f"{kernel.name}: Linux {kernel.release}, configuration {kernel.config}\n")
    return "".join(lines) + "\n"


def profile(run: Run, pattern: str) -> None:
    """The functions of each case, kernels side by side."""
    found = [c for c in run.cases if c.functions and chosen(c.case, pattern)]
    names = dict.fromkeys((c.case, c.backend == "mock") for c in found)
    if not names:
        raise BenchError(f"{pattern}: nothing there was counted by function")
    for name, mock in names:
        cases = [c for c in found if c.case == name and (c.backend == "mock") == mock]
        print(f"{name}: instructions a {cases[0].unit}, by function")
        print(table.as_text(table.profile_grid(cases, LEAST), words=1))


def publish(run: Run) -> None:
    """Writes table and chart of the whole matrix into docs/."""
    if {k.name for k in run.kernels} != MATRIX.keys() or run.failures or run.wall:
        raise BenchError("docs show the whole matrix, without a failure")
    text = PAGE.read_text()
    head, found, rest = text.partition(BEGIN)
    _, ended, tail = rest.partition(END)
    if not (found and ended):
        raise BenchError(f"{PAGE} lacks the lines that enclose the table")
    PAGE.write_text(head + BEGIN + "\n" + table.as_markdown(table.grid(run)) + "\n" + END + tail)
    chart.draw(run, IMAGES)
    print(f"written: {PAGE}, {IMAGES}/bench.svg, bench.png", file=sys.stderr)
