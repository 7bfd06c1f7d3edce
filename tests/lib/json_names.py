# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Compares the JSON output of a tool with the list of names in docs/json.md."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from vmrun.paths import ROOT

ROW = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| .+ \|$", re.MULTILINE)


def is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_array(of: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(of, value))


TYPES: dict[str, Callable[[object], bool]] = {
    "any": lambda _: True,
    "array": is_array(lambda _: True),
    "array of objects": is_array(lambda value: isinstance(value, dict)),
    "array of texts": is_array(lambda value: isinstance(value, str)),
    "boolean": lambda value: isinstance(value, bool),
    "data": lambda value: isinstance(value, dict),
    "integer": is_integer,
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "text": lambda value: isinstance(value, str),
}


@cache
def documented() -> dict[str, list[str]]:
    """The types that each name may have."""
    text = (ROOT / "docs" / "json.md").read_text()
    return {name: types.split(", ") for name, types in ROW.findall(text)}


def check(value: Any) -> None:
    """Checks an object, and the objects in it."""
    if isinstance(value, list):
        for member in value:
            check(member)
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        assert name in documented(), f"docs/json.md does not have the name {name}"
        types = documented()[name]
        assert any(TYPES[kind](member) for kind in types), f"{name} is {member!r}, not {types}"
        if types not in (["data"], ["any"]):
            check(member)
