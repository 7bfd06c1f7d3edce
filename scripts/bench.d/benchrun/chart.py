# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The chart: the cost of map and unmap, as multiples of the floor."""

import sys
from dataclasses import dataclass
from pathlib import Path

from .results import Run
from .table import FLOOR, TYPE1, Rows, ratio

# Others need 50,000 times the floor: next to that, no other bar could be read.
OFF_SCALE = "gigantic"
# Each operation and the one that undoes it.
PAIRS = (("map", "unmap"), ("map-file", "unmap-file"), ("one/map", "one/unmap"))
# The palette of Okabe and Ito, which differs in brightness too; type1 is also hatched.
COLOURS = ("#0072B2", "#E69F00", "#56B4E9", "#009E73")
TYPE1_COLOUR, TYPE1_HATCH = "#BBBBBB", "////"
BAR = 0.27
INCHES_A_ROW = 0.5
LEGEND_INCHES = 0.3


@dataclass
class Row:
    """One kind of memory; the multiples of the floor by side (do, undo) and column."""

    label: str
    sides: tuple[dict[str, float], dict[str, float]]


def _sizes(run: Run) -> str:
    mib = run.size
    return f"{mib // 1024}G" if mib % 1024 == 0 else f"{mib}M"


def rows_of(run: Run) -> list[Row]:
    """The kinds with a floor; if one has several sizes, the main size of the run."""
    rows = Rows(run)
    found: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for do, undo in PAIRS:
        for name, family in rows.cases:
            rest = name.removeprefix(f"{do}/")
            if family or name == rest or FLOOR not in rows.cases[name, ""]:
                continue
            sides = tuple(
                {
                    column: value
                    for column in rows.columns
                    if column != FLOOR and (value := rows.of_floor(row, column))
                }
                for row in (rows.cases.get((f"{op}/{rest}", ""), {}) for op in (do, undo))
            )
            kind, _, size = rest.partition("/")
            if kind == OFF_SCALE:
                continue
            label = {"map": rest, "one/map": "one page"}.get(do, f"file, {rest}")
            found.setdefault((do, kind), []).append((size, Row(label, sides)))
    chosen = []
    for sizes in found.values():
        fitting = [row for size, row in sizes if size == _sizes(run)]
        chosen += fitting or [row for _, row in sizes]
    return chosen


def draw(run: Run, folder: Path) -> None:
    """Writes bench.svg and bench.png, if there are results and matplotlib."""
    rows = rows_of(run)
    if not rows:
        return
    try:
        import matplotlib
    except ImportError:
        print("bench: no chart: python3-matplotlib is missing", file=sys.stderr)
        return
    matplotlib.use("svg")
    # The same run yields the same file.
    matplotlib.rcParams.update({"svg.hashsalt": "bench", "font.size": 9, "hatch.linewidth": 0.6})
    figure = _figure(run, rows)
    figure.savefig(folder / "bench.svg", metadata={"Date": None, "Creator": None})
    figure.savefig(folder / "bench.png", dpi=110, metadata={"Software": None})


def _figure(run: Run, rows: list[Row]):
    from matplotlib.figure import Figure

    columns = [c for c in Rows(run).columns if any(c in s for row in rows for s in row.sides)]
    figure = Figure(figsize=(9.5, 1.4 + INCHES_A_ROW * len(rows)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for side, (panel, title) in enumerate(zip(panels, ("map", "unmap"), strict=True)):
        _panel(panel, title, [row.sides[side] for row in rows], columns)
    panels[0].set_yticks(range(len(rows)), [row.label for row in rows])
    panels[0].invert_yaxis()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(labels), frameon=False)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - LEGEND_INCHES / figure.get_figheight()))
    figure.supxlabel(
        "instructions, as a multiple of the floor: pin, map and flush alone"
        " (less is better; logarithmic)",
        fontsize=9,
    )
    return figure


def _panel(panel, title: str, rows: list[dict[str, float]], columns: list[str]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for index, column in enumerate(columns):
        shift = (index - (len(columns) - 1) / 2) * BAR
        style = {"color": COLOURS[index % len(COLOURS)]}
        if column == TYPE1:
            style = {"facecolor": TYPE1_COLOUR, "edgecolor": "#555555", "hatch": TYPE1_HATCH}
        drawn = [(y + shift, row[column]) for y, row in enumerate(rows) if column in row]
        panel.barh(
            [y for y, _ in drawn],
            [value - 1 for _, value in drawn],
            left=1,
            height=BAR * 0.9,
            label=column,
            linewidth=0.4 if column == TYPE1 else 0,
            **style,
        )
        for y, value in drawn:
            panel.annotate(
                ratio(value),
                (value, y),
                xytext=(3 if value >= 1 else -3, 0),
                textcoords="offset points",
                va="center",
                ha="left" if value >= 1 else "right",
                fontsize=7,
            )
    panel.set_title(title)
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    values = [1.0, *(value for row in rows for value in row.values())]
    panel.set_xlim(min(values) * 0.5, max(values) * 2)
    panel.axvline(1, color="black", linewidth=1)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(axis="y", length=0)
