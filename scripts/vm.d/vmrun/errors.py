# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What can go wrong apart from the command itself."""


class VmError(Exception):
    """The guest could not be run, or did not stay well; the text says why."""


class Interrupted(Exception):
    """A signal asked us to stop."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"signal {signum}")
        self.signum = signum
