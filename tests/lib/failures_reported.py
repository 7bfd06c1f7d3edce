# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A plugin: iommufd_fail must report each failed request of these tests once, with its reason."""

from collections.abc import Iterator

import pytest
from guestpytest.config import TESTS
from iommufd import trace
from iommufd.ledger import Ledger

MODULES = (
    "test_access",
    "test_bad_*",
    "test_bar",
    "test_change_process",
    "test_copy",
    "test_dirty",
    "test_dma_buf",
    "test_hw_info",
    "test_ioas",
    "test_map_file",
    "test_memlock",
    "test_mock_device",
    "test_object",
    "test_options",
    "test_replace",
    "test_vfio_cut",
)


def _is_held(request: pytest.FixtureRequest) -> bool:
    """Whether a module is one of these and runs in a guest with our kernel."""
    path = request.path
    if TESTS / "guest" not in path.parents or not request.config.getoption("--guest-worker"):
        return False
    here = any(path.match(f"{module}.py") for module in MODULES)
    return here and "iommufd_fail" in trace.available("iommufd")


@pytest.fixture(scope="module")
def _ledger(request: pytest.FixtureRequest) -> Iterator[Ledger | None]:
    """One per module: listening costs little, but starting and stopping takes time."""
    if not _is_held(request):
        yield None
        return
    with Ledger() as ledger:
        yield ledger


@pytest.fixture(autouse=True)
def _reported(_ledger: Ledger | None) -> Iterator[None]:
    if not _ledger:
        yield
        return
    with _ledger.held():
        yield
