# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Reads the plugin's output: the instructions of each marked region, by function."""

from array import array
from collections import Counter
from pathlib import Path

from .errors import BenchError
from .symbols import Symbols

# The record types of tests/bench/plugin/profile.c.
REGION, PROGRAM = 0, 1
WORD = 8


def read_regions(file: Path, symbols: Symbols) -> list[list[Counter[str]]]:
    """The regions of each program in the run."""
    size = file.stat().st_size
    if size % WORD:
        raise BenchError(f"{file} is cut short: QEMU did not end by itself")
    words = array("Q")
    words.frombytes(file.read_bytes())
    programs: list[list[Counter[str]]] = []
    at = 0
    while at < len(words):
        kind, count = words[at], words[at + 1]
        at += 2
        if kind == PROGRAM:
            programs.append([])
            continue
        region: Counter[str] = Counter()
        for i in range(at, at + 2 * count, 2):
            region[symbols.name(words[i])] += words[i + 1]
        at += 2 * count
        if programs:
            programs[-1].append(region)
    return programs


def of_case(regions: list[Counter[str]], span: list[int], values: list[int]) -> dict[str, int]:
    """The functions of the fastest round; with several regions per round, the mean of these.
    `span` is the first and the last region.
    """
    first, last = span
    mine = regions[first : last + 1]
    if len(mine) != last - first + 1:
        raise BenchError(f"regions {first} to {last} of {len(regions)}: markers were missed")
    if len(mine) == len(values):
        return dict(mine[values.index(min(values))])
    total: Counter[str] = Counter()
    for region in mine:
        total.update(region)
    return {name: round(count / len(values)) for name, count in total.items()}
