# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A child process of a test, synchronized with its parent."""

import os
import sys
import traceback
from collections.abc import Callable


class Child:
    """Runs a function in a forked child; it must return for the test to pass.

    with Child(body) as child: the body calls pause() and waits there. In the parent,
    met() returns when the child waits; go_on(), or the end of the with, resumes it.
    """

    def __init__(self, body: Callable[["Child"], None]) -> None:
        self._up, up = os.pipe()
        down, self._down = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                os.close(self._up)
                os.close(self._down)
                self._up, self._down = up, down
                body(self)
                status = 0
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(status)
        os.close(up)
        os.close(down)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        os.close(self._down)
        os.close(self._up)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        assert kind or status == 0, f"the child ended with {status}"

    def pause(self) -> None:
        """Called in the child: announces that it has got here, and waits."""
        os.write(self._up, b".")
        os.read(self._down, 1)

    def met(self) -> None:
        """Called in the parent: returns when the child waits."""
        assert os.read(self._up, 1) == b".", "the child ended early"

    def go_on(self) -> None:
        """Called in the parent: ends one pause."""
        os.write(self._down, b".")
