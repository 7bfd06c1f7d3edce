# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traits that no operation of the mock IOMMU gives it: kernel/mock/knobs.c."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/sys/kernel/debug/iommufd_mock")


@contextmanager
def knob(name: str) -> Iterator[None]:
    """It is so in the body."""
    path = FOLDER / name
    path.write_text("1")
    try:
        yield
    finally:
        path.write_text("0")


def held(what: str) -> int:
    """Requests that wait because of `hold_vdevices` or `hold_pins`."""
    return int((FOLDER / f"held_{what}").read_text())
