# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Finds problems in a kernel log.

Every report of a sanitizer, of lockdep or of a crash counts. A plain WARN() counts
if our code is in its trace. Each report also has a list of modules and the name of
the process; these are ignored.
"""

import re
from dataclasses import dataclass

STAMP = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])?\s?")
OURS = re.compile(r"\[iommufd\]|\biommufd_\w+|\biopt_\w+|drivers/iommu/iommufd")
NOT_A_TRACE = re.compile(r"Modules linked in:|Comm: |/dev/|Hardware name:")

WARN = re.compile(r"WARNING: (?:CPU: \d+ PID: |\S+:\d+ at )")
PANIC = re.compile(r"Kernel panic - not syncing")
ALWAYS = re.compile(
    r"\bBUG: |kernel BUG at |Oops: |general protection fault|KASAN: |KFENCE: |UBSAN: "
    r"|KCSAN: |WARNING: (?:possible |inconsistent |bad unlock |suspicious |lock held|held lock"
    r"|Nested lock|nested lock|invalid wait|stack recursion)"
    r"|INFO: possible |INFO: trying to register"
    r"|ODEBUG: |refcount_t: |list_(?:add|del) corruption|DMA-API: |page_table_check"
    r"|INFO: task .* blocked for more than|kmemleak: \d+ new suspected"
)
CUT = "[ cut here ]"
END = re.compile(r"---\[ end ")
LONGEST = 70


@dataclass
class Problem:
    """One report of the kernel."""

    title: str
    lines: list[str]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def strip(line: str) -> str:
    """The line without time stamp and caller."""
    return STAMP.sub("", line.rstrip("\r\n"))


def _block(lines: list[str], start: int) -> int:
    """The index after the last line of the report that begins at `start`."""
    for i in range(start + 1, min(len(lines), start + LONGEST)):
        text = strip(lines[i])
        if END.search(text):
            return i + 1
        if CUT in text:
            return i
        # A separator line ends a report too; the first ones of a long report belong to its head.
        if text.startswith("=====") and i > start + 8:
            return i + 1
        if text.strip() == "</TASK>" and not any(
            END.search(x) or "=====" in x for x in lines[i : i + 40]
        ):
            return i + 1
    return min(len(lines), start + LONGEST)


def find_problems(log: str) -> list[Problem]:
    """All reports in a log, in order."""
    lines = log.splitlines()
    found = []
    i = 0
    while i < len(lines):
        text = strip(lines[i])
        warn = WARN.search(text)
        if not warn and not ALWAYS.search(text) and not PANIC.search(text):
            i += 1
            continue
        end = _block(lines, i)
        block = lines[i:end]
        ours = any(OURS.search(x) for x in map(strip, block) if not NOT_A_TRACE.search(x))
        if not warn or ours or OURS.search(text):
            found.append(Problem(text, block))
        i = end
    return found


def tail(log: str, count: int = 30) -> str:
    """The last lines of a log."""
    return "\n".join(log.splitlines()[-count:])
