# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Traits that no operation of the mock IOMMU gives it: kernel/mock/knobs.c."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/sys/kernel/debug/iommufd_mock")


@contextmanager
def knob(name: str, value: bool = True) -> Iterator[None]:
    """It is so in the body, or is not."""
    path = FOLDER / name
    path.write_text(f"{value:d}")
    try:
        yield
    finally:
        path.write_text(f"{not value:d}")


def held(what: str) -> int:
    """Requests that wait because of `hold_vdevices`, `hold_pins` or `hold_revokes`."""
    return int((FOLDER / f"held_{what}").read_text())
