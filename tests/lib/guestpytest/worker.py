# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The guest's side: runs the tests that the host names, until it says quit.

Messages are lines of JSON. They arrive on descriptor 4 and leave on descriptor 3,
which machine.py sets up.
"""

import gc
import json
import os

import pytest
from _pytest.runner import runtestprotocol

from .checks import Checks

TO_HOST = 3
FROM_HOST = 4


class Worker:
    """A plugin that replaces pytest's own loop."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._checks = Checks()
        # Children of a test must not inherit these.
        for fd in (TO_HOST, FROM_HOST):
            os.set_inheritable(fd, False)

    def _send(self, **message: object) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(TO_HOST, data) :]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        # Exempt all objects that exist now from garbage collection: scanning them after each test
        # would take long.
        gc.collect()
        gc.freeze()
        self._send(ready=True)
        with os.fdopen(FROM_HOST, "rb", closefd=False) as lines:
            for line in lines:
                message = json.loads(line)
                if "quit" in message:
                    self._send(leaks=self._checks.leaks())
                    break
                self._run(items, message["run"], message["next"])
        return True

    def _run(self, items: dict[str, pytest.Item], nodeid: str, after: str | None) -> None:
        item = items.get(nodeid)
        if not item:
            self._send(unknown=nodeid)
            return
        reports = runtestprotocol(item, log=False, nextitem=items.get(after or ""))
        complaints, dirty = self._checks.after_test()
        if complaints:
            last = reports[-1]
            before = f"{last.longrepr}\n" if last.longrepr else ""
            last.outcome = "failed"
            last.longrepr = before + "after the test: " + "\n".join(complaints)
        to_wire = self._config.hook.pytest_report_to_serializable
        wire = [to_wire(config=self._config, report=report) for report in reports]
        self._send(reports=wire, dirty=dirty)
