# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The reasons of failures: those in docs/failures.md, and those of the running kernel."""

import errno
import re
from pathlib import Path

from .trace import TRACEFS

PAGE = Path(__file__).resolve().parent.parent.parent.parent / "docs" / "failures.md"
ROW = re.compile(r"^\| `(\w+)` \| ([^|]*) \|(?: [^|]*\|){4}$", re.MULTILINE)


def documented() -> dict[str, list[int]]:
    """The errnos of each reason on the page, in order. An empty list stands for any errno."""
    return {
        name: [getattr(errno, e) for e in re.findall(r"`(\w+)`", errnos)]
        for name, errnos in ROW.findall(PAGE.read_text())
    }


def printed() -> list[tuple[int, str]]:
    """(number, name) of the reasons that this kernel knows."""
    text = (TRACEFS / "events" / "iommufd" / "iommufd_fail" / "format").read_text()
    return [(int(n, 0), name) for n, name in re.findall(r'\{ (\w+), "(\w+)" \}', text)]
