# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fixtures that several tests of tools use."""

from collections.abc import Iterator

import pytest
from iommufd.ctx import Context
from iommufd.edu import Edu
from tool_runner import Tool


@pytest.fixture
def device(context: Context, ioas: int) -> Iterator[Edu]:
    """A device that is attached to the IOAS."""
    with Edu(context, ioas) as device:
        yield device


@pytest.fixture
def dma_faults() -> Iterator[Tool]:
    """iommufd-faults, which reports DMA that IOMMUs refuse."""
    with Tool("iommufd-faults", "--dma", "-j") as tool:
        yield tool
