# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The generated part of a file that is written by hand otherwise."""

from collections.abc import Iterable
from pathlib import Path

from .paths import TOP, Mistake

BEGIN = "begin: generated from"
END = "end: generated"


def replaced(path: Path, lines: Iterable[str]) -> str:
    """The text of the file with these lines between its two markers."""
    old = path.read_text().splitlines()
    begin = [i for i, line in enumerate(old) if BEGIN in line]
    end = [i for i, line in enumerate(old) if END in line]
    if len(begin) != 1 or len(end) != 1 or begin > end:
        raise Mistake(f"{path.relative_to(TOP)}: no single pair of '{BEGIN}' and '{END}'")
    return "\n".join([*old[: begin[0] + 1], *lines, *old[end[0] :]]) + "\n"
