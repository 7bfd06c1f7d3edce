# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Real time: a median and its confidence interval."""

from math import comb

from .results import Case
from .table import number

CONFIDENCE = 0.95


def interval(values: list[int]) -> tuple[int, int] | None:
    """Two of the values that enclose the true median with 95 % confidence.

    The distribution does not matter. None if there are too few values.
    """
    ordered, count = sorted(values), len(values)
    outside = 0.0
    found = None
    for k in range(count // 2):
        # Each value is below the median with probability 1/2: the number below it is binomial.
        outside += 2 * comb(count, k) / 2**count
        if outside > 1 - CONFIDENCE:
            break
        found = ordered[k], ordered[count - 1 - k]
    return found


def grid(cases: list[Case]) -> list[list[str]]:
    """Each case with its median and interval, in nanoseconds per unit."""
    lines = [["case", "unit", "kernel", "backend", "rounds", "median", "95 % interval"]]
    for case in cases:
        bounds = interval(case.value)
        text = "too few rounds"
        if bounds:
            text = f"{number(bounds[0] / case.units)} to {number(bounds[1] / case.units)}"
        cells = [case.case, case.unit, case.kernel, case.backend, str(len(case.value))]
        lines.append([*cells, number(case.per_unit(wall=True)), text])
    return lines
