# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Reads kernel-doc comments, as far as the headers of events use them."""

import re
from dataclasses import dataclass

COMMENT = re.compile(r"^/\*\*\n((?: \*.*\n)*?) \*/\n(.*)$", re.MULTILINE)
TITLE = re.compile(r"(?:(DOC): (.+)|(?:(struct|enum) )?(\w+) - (.+))")
# A parameter or member, or an item of a list: a field that is no parameter.
MEMBER = re.compile(r"(?:@|- )(\w+): (.+)")
CONTEXT = "Context: "
# Where an event fires unless its comment says otherwise: the page says so for all.
USUAL = "Process context. "


@dataclass(frozen=True)
class Comment:
    """A comment; @before is the line that follows it."""

    kind: str
    name: str
    brief: str
    members: dict[str, str]
    body: str
    context: str
    before: str

    def text(self) -> str:
        """All of it except for the members, as sentences."""
        brief = self.brief and f"{self.brief[0].upper()}{self.brief[1:]}."
        context = self.context.removeprefix(USUAL)
        return " ".join(part for part in (brief, self.body, context) if part)


def joined(lines: list[str]) -> str:
    """One line, with the markup of Markdown."""
    return " ".join(lines).replace("``", "`")


def read(text: str, before: str) -> Comment:
    first, *rest = [line.removeprefix(" *").strip() for line in text.splitlines()]
    title = TITLE.fullmatch(first)
    doc, heading, kind, name, start = title.groups() if title else ("", "", "", "", "")
    brief, body, context = [start] if start else [], [], []
    members: dict[str, list[str]] = {}
    current = brief
    for line in rest:
        if member := MEMBER.fullmatch(line):
            current = members.setdefault(member[1], [])
            current.append(member[2])
        elif line.startswith(CONTEXT):
            current = context
            current.append(line.removeprefix(CONTEXT))
        elif not line:
            current = body
        else:
            current.append(line)
    return Comment(
        kind=doc or kind or "",
        name=heading or name or "",
        brief=joined(brief),
        members={key: joined(lines) for key, lines in members.items()},
        body=joined(body),
        context=joined(context),
        before=before,
    )


def comments(source: str) -> list[Comment]:
    return [read(text, before) for text, before in COMMENT.findall(source)]
