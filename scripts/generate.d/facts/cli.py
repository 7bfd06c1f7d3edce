# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The command line of scripts/generate."""

import argparse
import difflib
import sys
from pathlib import Path

from . import fail_script, failures_page, tracepoints_page, why_tables
from .paths import TOP, Mistake

# The generated files that are checked in.
OUTPUTS = (failures_page, fail_script, tracepoints_page)

DESCRIPTION = """\
Writes the generated parts of documents and scripts: docs/failures.md and
bpftrace/iommufd_fail.bt from docs/reasons.toml, docs/tracepoints.md from the
kernel-doc in kernel/trace/*events.h.
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a file is out of date"
    )
    group.add_argument(
        "--table", choices=why_tables.TABLES, help="print this table of iommufd-why, as C"
    )
    return parser.parse_args()


def show_difference(path: Path, old: str, new: str) -> None:
    name = str(path.relative_to(TOP))
    lines = difflib.unified_diff(
        old.splitlines(True), new.splitlines(True), name, f"{name} (generated)", n=0
    )
    sys.stderr.writelines(lines)


def check() -> int:
    stale = 0
    for output in OUTPUTS:
        old, new = output.PATH.read_text(), output.text()
        if old != new:
            show_difference(output.PATH, old, new)
            stale = 1
    if stale:
        print("error: out of date; run scripts/generate", file=sys.stderr)
    return stale


def write() -> int:
    for output in OUTPUTS:
        new = output.text()
        if output.PATH.read_text() != new:
            output.PATH.write_text(new)
            print(f"wrote {output.PATH.relative_to(TOP)}")
    return 0


def main() -> int:
    args = arguments()
    try:
        if args.table:
            sys.stdout.write(why_tables.text(args.table))
            return 0
        return check() if args.check else write()
    except Mistake as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return 1
