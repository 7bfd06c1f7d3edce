# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads whose failures fail the test."""

import threading
from collections.abc import Callable


class Workers:
    """Runs functions in threads. Each receives a function that returns true when it has to stop."""

    def __init__(self, *calls: Callable[[Callable[[], bool]], object]) -> None:
        self.stop = threading.Event()
        self._errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(call,)) for call in calls]

    def _run(self, call: Callable[[Callable[[], bool]], object]) -> None:
        try:
            call(self.stop.is_set)
        except BaseException as error:
            self._errors.append(error)
            self.stop.set()

    def __enter__(self) -> "Workers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop.set()
        self.join(quiet=kind is not None)

    def alive(self) -> bool:
        """Whether a thread is still running."""
        return any(thread.is_alive() for thread in self._threads)

    def check(self) -> None:
        """Raises the exception of a thread, if there was one."""
        if self._errors:
            raise self._errors[0]

    def join(self, quiet: bool = False) -> None:
        """Waits for all threads."""
        for thread in self._threads:
            thread.join()
        if not quiet:
            self.check()
