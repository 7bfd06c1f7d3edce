# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tables of iommufd-why, which its C files include."""

import json

from . import reasons

HEAD = """\
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Generated from docs/reasons.toml by scripts/generate --table {name}.
"""


def entry(*values: str) -> str:
    return "{ " + ", ".join(values) + " },"


def quoted(text: str) -> str:
    """As in C; json.dumps() quotes ASCII in the same way."""
    return json.dumps(text)


def sentences(facts: reasons.Facts) -> list[str]:
    """struct sentence of sentences.h."""
    return [
        entry(quoted(reason.name), s.error or "0", quoted(s.says), quoted(s.advises))
        for reason in facts.reasons
        for s in reason.sentences
    ]


def meanings(facts: reasons.Facts) -> list[str]:
    """An errno and its text, as in meanings.c."""
    return [entry(name, quoted(text)) for name, text in facts.errnos.items()]


TABLES = {"sentences": sentences, "meanings": meanings}


def text(name: str) -> str:
    return HEAD.format(name=name) + "\n".join(TABLES[name](reasons.load())) + "\n"
