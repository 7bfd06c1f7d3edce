# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A second process of a test, in step with the first."""

import os
import sys
import traceback
from collections.abc import Callable


class Child:
    """Runs a function in a fork; it must return for the test to pass.

    with Child(body) as child: the body calls pause(), which returns when the parent has
    called met() and then, or by leaving the with, lets it go on.
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
        """The child's: says that it has come so far, and waits."""
        os.write(self._up, b".")
        os.read(self._down, 1)

    def met(self) -> None:
        """The parent's: returns when the child waits."""
        assert os.read(self._up, 1) == b".", "the child ended early"

    def go_on(self) -> None:
        """The parent's: ends one pause."""
        os.write(self._down, b".")
