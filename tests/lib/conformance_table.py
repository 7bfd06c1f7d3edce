# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A plugin: the results of the conformance tests side by side, one column per kernel.

It writes build/log/conformance.txt and prints the totals at the end of the run.
"""

import re
from collections import Counter

import conformance_known
import pytest
from _pytest.terminal import TerminalReporter
from vmrun.paths import ROOT, writable_dir

CASE = re.compile(
    r"test_(?:conformance|vfio_suite)\.py::test_\w+\[(?P<kernel>.+)-\w+-(?P<case>[\w.]+)\](?:@\w+)?$"
)
# The peer comes first, for comparison. Further kernels follow in any order.
FIRST = ("peer", "main", "debug")
KNOWN = "peer*"


def outcome(report: pytest.TestReport) -> str:
    """One word for a report; empty if the report says nothing about the case."""
    if report.failed:
        return "FAIL" if report.when == "call" else "ERROR"
    if report.skipped:
        return "xfail" if hasattr(report, "wasxfail") else "skip"
    return "pass" if report.when == "call" else ""


def known_of_peer(case: str) -> str:
    """How a case ends on the peer according to conformance_known."""
    if conformance_known.reason(case, "peer"):
        return "xfail"
    return "skip" if conformance_known.may_skip(case) else "pass"


class Table:
    """Results by case and kernel."""

    def __init__(self) -> None:
        self._results: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        match = CASE.search(report.nodeid)
        if match and (word := outcome(report)):
            row = self._results.setdefault(match["case"], {})
            # The last report counts: a case that passed but left something behind is an error.
            row[match["kernel"]] = word

    def _kernels(self) -> list[str]:
        found = {kernel: None for row in self._results.values() for kernel in row}
        return sorted(found, key=lambda k: FIRST.index(k) if k in FIRST else len(FIRST))

    def _sums(self) -> list[str]:
        lines = []
        for kernel in self._kernels():
            counts = Counter(row[kernel] for row in self._results.values() if kernel in row)
            lines.append(f"{kernel}: " + ", ".join(f"{n} {word}" for word, n in counts.items()))
        return lines

    def _text(self) -> str:
        kernels = self._kernels()
        rows = self._results
        notes = []
        if "peer" not in kernels:
            kernels.insert(0, KNOWN)
            rows = {case: {KNOWN: known_of_peer(case), **row} for case, row in rows.items()}
            notes.append("* expected results: the peer was not run, make test-full runs it")
        width = max(map(len, rows))
        head = {"case": dict(zip(kernels, kernels, strict=True))}
        lines = [
            f"{case:{width}}" + "".join(f"  {row.get(k, '-'):7}" for k in kernels)
            for case, row in {**head, **rows}.items()
        ]
        return "\n".join([*map(str.rstrip, lines), "", *self._sums(), *notes, ""])

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        if self._results:
            path = writable_dir("log") / "conformance.txt"
            path.write_text(self._text())
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            terminalreporter.section("conformance")
            for line in self._sums():
                terminalreporter.line(line)
            terminalreporter.line(f"case by case: {shown}")


def pytest_configure(config: pytest.Config) -> None:
    """The guest's pytest needs no table: its summary is not shown."""
    if not config.getoption("--guest-worker"):
        config.pluginmanager.register(Table(), "conformance-table")
