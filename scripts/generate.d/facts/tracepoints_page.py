# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The events of docs/tracepoints.md."""

from collections.abc import Iterator

from . import between, events
from .markdown import paragraph, table
from .paths import TOP

PATH = TOP / "docs" / "tracepoints.md"
COLUMNS = ("field", "type", "unit", "meaning")


def lines(sections: list[events.Section]) -> Iterator[str]:
    for section in sections:
        yield from ("", f"## {section.title}", "")
        if section.text:
            yield from (*paragraph(section.text), "")
        for number, event in enumerate(section.events):
            if number:
                yield ""
            yield from (f"### {event.name}", "", *paragraph(event.text), "")
            yield from table(
                COLUMNS, ((f"`{f.name}`", f.type, f.unit, f.meaning) for f in event.fields)
            )
    yield ""


def text() -> str:
    return between.replaced(PATH, lines(events.load()))
