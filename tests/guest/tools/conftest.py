# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fixtures that several tests of tools use."""

from collections.abc import Iterator

import pytest
from iommufd import container
from iommufd.container import Container, Group
from iommufd.ctx import Context
from iommufd.edu import Edu, addresses
from tool_runner import Tool


@pytest.fixture
def device(context: Context, ioas: int) -> Iterator[Edu]:
    """A device that is attached to the IOAS."""
    with Edu(context, ioas) as device:
        yield device


@pytest.fixture
def group() -> Iterator[Group]:
    """The group of an edu device, of VFIO type1."""
    with Group(addresses()[0]) as group:
        yield group


@pytest.fixture
def type1(group: Group) -> Iterator[Container]:
    """A container with a device's group."""
    with Container() as type1:
        group.set_container(type1.fd)
        type1.set_iommu(container.TYPE1V2)
        yield type1


@pytest.fixture
def dma_faults() -> Iterator[Tool]:
    """iommufd-faults, which reports DMA that IOMMUs refuse."""
    with Tool("iommufd-faults", "--dma", "-j") as tool:
        yield tool
