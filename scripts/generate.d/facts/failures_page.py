# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The list of docs/failures.md."""

from collections.abc import Iterator

from . import between, reasons
from .markdown import paragraph, table
from .paths import TOP

PATH = TOP / "docs" / "failures.md"
COLUMNS = ("reason", "errno", "first", "second", "what it means", "what to do")


def cells(reason: reasons.Reason) -> list[str]:
    errnos = ", ".join(f"`{name}`" for name in reason.errnos) or "any"
    first, second = (*reason.numbers, "", "")[:2]
    return [f"`{reason.name}`", errnos, first, second, reason.meaning, reason.remedy]


def lines(facts: reasons.Facts) -> Iterator[str]:
    for section in facts.sections:
        yield from ("", f"### {section.title}", "")
        if section.text:
            yield from (*paragraph(section.text), "")
        yield from table(COLUMNS, map(cells, section.reasons))
    yield ""


def text() -> str:
    return between.replaced(PATH, lines(reasons.load()))
