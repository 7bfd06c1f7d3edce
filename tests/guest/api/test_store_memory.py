# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The kernel memory that a mapping of pages in the worst order costs."""

import math
from collections.abc import Iterator

import pytest
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.trace import Tracer

# Sanitizers make each allocation larger.
pytestmark = pytest.mark.guest(kernels="main")

# STORE_COST_PER_PAGE and STORE_COST_FIXED of kernel/pages/store.h.
PER_PAGE = 10
FIXED = 128
# The area, its array of pages, and the request.
REQUEST = 768


def scattered(pages: int) -> mem.Buffer:
    """Pages that are allocated in an order far from that of their addresses."""
    buffer = mem.anonymous(pages * PAGE)
    step = pages * 5 // 8 + 1
    while math.gcd(step, pages) != 1:
        step += 1
    for i in range(pages):
        buffer.write(b"\1", i * step % pages * PAGE)
    return buffer


def live(tracer: Tracer) -> dict[str, tuple[int, str]]:
    """Size and caller of iommufd's live allocations, by address."""
    found = {}
    assert not tracer.lost()
    for event in tracer.events():
        if event.name == "kfree":
            found.pop(event["ptr"], None)
        elif "[iommufd]" in event.text:
            found[event["ptr"]] = (event.number("bytes_alloc"), event["call_site"])
    return found


@pytest.fixture
def context() -> Iterator[Context]:
    with Context() as context:
        yield context


@pytest.mark.parametrize("pages", [1, 2, 5, 26, 58, 122, 250, 498, 499, 20000])
def test_scattered(context: Context, pages: int) -> None:
    ioas = context.ioas_alloc()
    with Edu(context, ioas), scattered(pages) as buffer:
        # The context keeps a record of its process, which the first map allocates.
        context.unmap(ioas, context.map(ioas, buffer), buffer.size)
        with Tracer("kmem", "kmalloc", "kfree") as tracer:
            iova = context.map(ioas, buffer)
            allocated = live(tracer)
            context.unmap(ioas, iova, buffer.size)
            assert not live(tracer)
        with Tracer("iommufd", "iommufd_ioas_map") as tracer:
            context.map(ioas, buffer)
            [event] = tracer.events()
    if pages > 100:
        assert event.number("runs") > pages * 0.95
        assert allocated
    # The array of pages, with room for an area and for a block of one run, has a cache of its own.
    assert sum(n for n, _ in allocated.values()) <= PER_PAGE * pages + FIXED


def test_contiguous(context: Context) -> None:
    """Large pages cost next to nothing."""
    ioas = context.ioas_alloc()
    with Edu(context, ioas), mem.hugetlb(8 * mem.HUGE) as buffer:
        buffer.fill(1)
        with Tracer("kmem", "kmalloc", "kfree") as tracer:
            context.map(ioas, buffer)
            assert sum(n for n, _ in live(tracer).values()) <= REQUEST
