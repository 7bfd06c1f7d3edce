# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Tables and paragraphs of Markdown."""

import textwrap
from collections.abc import Iterable

WIDTH = 100


def row(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    columns = [*columns]
    return [row(columns), "|---" * len(columns) + "|", *map(row, rows)]


def paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
