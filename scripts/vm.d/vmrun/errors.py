# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Failures other than those of the command itself."""


class VmError(Exception):
    """The guest could not be run, or failed; the text says why."""


class Interrupted(Exception):
    """A signal that asks to stop."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"signal {signum}")
        self.signum = signum
