# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/tracepoints.md is a contract, which the running kernel has to keep."""

import re

import pytest
from iommufd import trace
from vmrun.paths import ROOT

PAGE = ROOT / "docs" / "tracepoints.md"
# Size and alignment.
LAYOUT = {"u32": (4, 4), "s32": (4, 4), "u64": (8, 8), "char[16]": (16, 1), "char[32]": (32, 1)}
COMMON_HEADER = 8

pytestmark = pytest.mark.guest(kernels=["tools", "builtin"])


def documented() -> dict[str, list[tuple[str, str]]]:
    """(name, type) of the fields of each event, in order."""
    sections = re.split(r"^### (\w+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    row = re.compile(r"^\| `(\w+)` \| ([\w\[\]]+) \|", re.MULTILINE)
    return {
        name: row.findall(text) for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


def running(event: str) -> list[tuple[str, str, int]]:
    """(name, type, offset) of the fields of an event of this kernel, in order."""
    fields = []
    for declaration, offset, size in trace.format_fields("iommufd", event):
        kind, name, array = re.fullmatch(r"(\w+) (\w+)(\[\w+\])?", declaration).groups()
        # Some kernels print the name of the constant.
        fields.append((name, kind + (f"[{size}]" if array else ""), offset))
    return fields


def test_events():
    """Every event is on the page, and no other."""
    assert trace.available("iommufd") == sorted(documented())


@pytest.mark.parametrize("event", documented())
def test_fields(event):
    """The same fields of the same types, at the offsets that readers expect."""
    expected, at = [], COMMON_HEADER
    for name, kind in documented()[event]:
        size, alignment = LAYOUT[kind]
        at = -(-at // alignment) * alignment
        expected.append((name, kind, at))
        at += size
    assert running(event) == expected
