# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Tests of what only an SMMUv3 shows: nested translation in hardware, on ours and on the peer."""

from collections.abc import Iterator

import pytest
from iommufd.smmu import Guest


@pytest.fixture
def guest() -> Iterator[Guest]:
    """A guest whose device is not attached yet."""
    with Guest() as guest:
        yield guest


@pytest.fixture
def nested(guest: Guest) -> Guest:
    """A guest whose device is attached to both stages; no virtual address is mapped."""
    guest.vdevice()
    guest.translate()
    return guest
