# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs iommufd-pins, and processes whose pins it shows."""

from collections.abc import Callable
from typing import Any

from child_process import Child
from iommufd import mem, mock, uapi
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import unprivileged
from tool_runner import load, run

NAME = "iommufd-pins"
# RLIMIT_MEMLOCK of pinning(), in pages.
LIMIT = 64


def report(*arguments: str) -> dict[str, Any]:
    """The only report: nothing was lost, and there is no message."""
    done = run(NAME, "-j", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = map(load, done.stdout.splitlines())
    assert line["lost_events"] == 0
    return line


def pinning(mode: str) -> Callable[[Child], None]:
    """Pins ten pages as an ordinary user, and becomes root again."""

    def body(child: Child) -> None:
        with Context() as context, mem.anonymous(16 * PAGE) as buffer:
            if mode == "mm":
                context.set_option(uapi.OPTION_RLIMIT_MODE, 1)
            ioas = context.ioas_alloc()
            with mock.Device(context, ioas):
                with unprivileged(LIMIT * PAGE):
                    context.map(ioas, buffer, 10 * PAGE)
                    child.pause()
                child.pause()

    return body
