# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The names in the JSON output of the tools, without running them.

tests/lib/tool_runner.py compares the output that the tests in guests get.
"""

import re
from pathlib import Path

import json_names

TOP = Path(__file__).resolve().parent.parent
SOURCES = sorted((TOP / "tools").glob("*/*.c"))
# A call that adds a member, up to its name.
ADDED = re.compile(r"\b(?:json_)?add(?:_u64|_s64|_bool|_text|_number|_ns)?\(\s*\w+,\s*\"(\w+)\"")
UNITS = ("_ns", "_bytes", "_pages")


def added() -> set[str]:
    return {name for source in SOURCES for name in ADDED.findall(source.read_text())}


def test_names_are_documented() -> None:
    """Every name that a tool adds is in the list."""
    assert len(added()) > 100
    assert added() <= json_names.documented().keys()


def test_list() -> None:
    """In order, each with a known type; numbers with a unit are numbers."""
    names = json_names.documented()
    assert list(names) == sorted(names)
    for name, types in names.items():
        assert set(types) <= json_names.TYPES.keys(), name
        if name.endswith(UNITS):
            assert types[0] == "integer", name


def test_no_synonyms() -> None:
    """Names that were used for something else, or for the same by another tool."""
    gone = {"ret", "lost_entries", "pages_pinned", "pages_unpinned", "addr", "length", "ns", "on"}
    assert not gone & (added() | json_names.documented().keys())
