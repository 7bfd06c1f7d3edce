# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The host's side: starts guests for the tests, and passes on the reports."""

import traceback
from collections.abc import Callable

import pytest

from .config import GuestConfig, config_of, nodeid_of, runs_in_guest
from .machine import GuestDied, Machine

LIMIT = 60.0
DEBUG_FACTOR = 6.0


def _failure(item: pytest.Item, when: str, text: str) -> pytest.TestReport:
    keywords = dict.fromkeys(item.keywords, 1)
    return pytest.TestReport(item.nodeid, item.location, keywords, "failed", text, when)


class Host:
    """Runs guest tests in guests, one guest at a time."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._machine: Machine | None = None
        self._broken: dict[GuestConfig, str] = {}
        self._files: dict[GuestConfig, list[str]] = {}
        self._last: pytest.Item | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if runs_in_guest(item):
                files = self._files.setdefault(config_of(item), [])
                if str(item.path) not in files:
                    files.append(str(item.path))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        if not runs_in_guest(item):
            return None
        hook = item.ihook
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._run(item, nextitem):
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _run(self, item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
        reports: list[pytest.TestReport] = []
        config = config_of(item)
        try:
            reports += self._switch(config)
            assert self._machine
            reports += self._run_in(self._machine, item, nextitem)
        except GuestDied as died:
            if self._machine is None:
                self._broken.setdefault(config, str(died))
            else:
                self._machine.kill()
                self._machine = None
            reports.append(_failure(item, "call", str(died)))
        self._last = item
        if nextitem is None or not runs_in_guest(nextitem):
            reports += self._finish()
        return reports

    def _switch(self, config: GuestConfig) -> list[pytest.TestReport]:
        """Makes sure that the running guest is the right one."""
        reports = []
        if self._machine and self._machine.config != config:
            reports = self._finish()
        if config in self._broken:
            raise GuestDied(self._broken[config])
        if not self._machine:
            self._machine = Machine(config, self._files[config])
        return reports

    def _run_in(
        self, machine: Machine, item: pytest.Item, nextitem: pytest.Item | None
    ) -> list[pytest.TestReport]:
        for error in self._host_hooks(machine, item, "before"):
            return [_failure(item, "setup", error)]
        after = None
        if nextitem and runs_in_guest(nextitem) and config_of(nextitem) == machine.config:
            after = nodeid_of(nextitem)
        answer = machine.run_test(nodeid_of(item), after, self._limit(item, machine.config))
        reports = [self._from_wire(data, item) for data in answer["reports"]]
        if all(r.passed for r in reports):
            for error in self._host_hooks(machine, item, "after"):
                reports.append(_failure(item, "teardown", error))
        if answer["dirty"]:
            # Lockdep reports only once, and other state may be corrupt as well: boot a new guest.
            machine.kill()
            self._machine = None
        return reports

    def _from_wire(self, data: dict, item: pytest.Item) -> pytest.TestReport:
        hook = self._config.hook.pytest_report_from_serializable
        report = hook(config=self._config, data=data)
        report.nodeid = item.nodeid
        if report.skipped and isinstance(report.longrepr, list):
            # JSON has no tuples, but pytest expects one for the location of a skip.
            report.longrepr = tuple(report.longrepr)
        return report

    def _host_hooks(self, machine: Machine, item: pytest.Item, when: str) -> list[str]:
        """Calls the functions of on_host; returns the traceback of the first one that fails."""
        for mark in item.iter_markers("on_host"):
            function: Callable[[Machine], None] | None = mark.kwargs.get(when)
            try:
                if function:
                    function(machine)
            except Exception:
                return [f"on the host, {when} the test:\n{traceback.format_exc()}"]
        return []

    def _limit(self, item: pytest.Item, config: GuestConfig) -> float:
        mark = item.get_closest_marker("limit")
        limit = mark.args[0] if mark else LIMIT
        return limit * (DEBUG_FACTOR if config.sanitized else 1)

    def _finish(self) -> list[pytest.TestReport]:
        """Ends the guest. If that goes wrong, the last test in it fails."""
        machine, self._machine = self._machine, None
        if not machine:
            return []
        said = machine.finish()
        if said and self._last:
            text = f"at the end of the guest {machine.config}:\n{said}"
            return [_failure(self._last, "teardown", text)]
        return []

    def pytest_unconfigure(self) -> None:
        """Also called after Ctrl-C, or with -x."""
        if self._machine:
            self._machine.kill()
