# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traits of the mock IOMMU that its operations cannot set: kernel/mock/knobs.c."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/sys/kernel/debug/iommufd_mock")


@contextmanager
def knob(name: str, value: bool = True) -> Iterator[None]:
    """Sets a knob for the duration of the body."""
    path = FOLDER / name
    path.write_text(f"{value:d}")
    try:
        yield
    finally:
        path.write_text(f"{not value:d}")


def held(what: str) -> int:
    """The number of requests held by `hold_vdevices`, `hold_pins` or `hold_revokes`."""
    return int((FOLDER / f"held_{what}").read_text())
