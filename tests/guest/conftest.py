# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fixtures that many tests use."""

from collections.abc import Iterator

import pytest
from data_pattern import pattern
from event_log import EventLog
from iommufd import mem
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.nest import Nest
from iommufd.trace import Stream


@pytest.fixture
def context() -> Iterator[Context]:
    """An open file of /dev/iommu."""
    with Context() as context:
        yield context


@pytest.fixture
def ioas(context: Context) -> int:
    """An empty IOAS."""
    return context.ioas_alloc()


@pytest.fixture
def buffer() -> Iterator[mem.Buffer]:
    """Sixteen small pages of data."""
    with mem.anonymous(16 * PAGE) as buffer:
        buffer.write(pattern("buffer", buffer.size))
        yield buffer


@pytest.fixture
def nest() -> Iterator[Nest]:
    """The objects of a guest; nothing may be left at the end."""
    with Nest() as nest:
        yield nest
        nest.finish()


@pytest.fixture(scope="module")
def stream() -> Iterator[Stream]:
    """All events of iommufd."""
    with Stream("iommufd") as stream:
        yield stream


@pytest.fixture
def seen(stream: Stream) -> EventLog:
    """The events of a test."""
    seen = EventLog(stream)
    seen.forget()
    return seen
