# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""IOAS_COPY: one set of pinned pages under several addresses and IOASes."""

import errno
from collections.abc import Iterator

import pytest
from data_pattern import pattern
from errnos import errno_of, fails
from iommufd import mem
from iommufd.ctx import NO_ID, Context
from iommufd.edu import Edu
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages
from iommufd.uapi import MAP_READABLE, U64_MAX

SOURCE = 0x100000
TARGET = 0x900000
SIZE = 4 * PAGE


@pytest.fixture
def buffer() -> Iterator[mem.Buffer]:
    with mem.anonymous(2 * SIZE) as buffer:
        buffer.write(pattern("copy", 2 * SIZE))
        yield buffer


def test_dma_through_a_copy(context: Context, buffer: mem.Buffer) -> None:
    """Two devices reach the same memory through two IOASes; it is pinned once."""
    first, second = context.ioas_alloc(), context.ioas_alloc()
    before = pinned_pages()
    with Edu(context, first) as one, Edu(context, second, index=1) as two:
        context.map(first, buffer, SIZE, iova=SOURCE)
        context.copy(second, first, SOURCE, SIZE, iova=TARGET)
        assert pinned_pages() - before == SIZE // PAGE
        one.dma_read(SOURCE)
        one.dma_write(SOURCE + PAGE)
        two.dma_read(TARGET + 2 * PAGE)
        two.dma_write(TARGET + 3 * PAGE)
        page = pattern("copy", 2 * SIZE)
        assert buffer.read(PAGE, PAGE) == page[:PAGE]
        assert buffer.read(3 * PAGE, PAGE) == page[2 * PAGE : 3 * PAGE]

        # The source is unmapped; the copy keeps the pages and still works.
        context.unmap(first, SOURCE, SIZE)
        assert pinned_pages() - before == SIZE // PAGE
        two.dma_write(TARGET)
        assert buffer.read(0, PAGE) == page[2 * PAGE : 3 * PAGE]
        context.unmap(second, TARGET, SIZE)
        assert pinned_pages() == before


def test_parts_are_pinned_as_long_as_used(context: Context, buffer: mem.Buffer) -> None:
    """A copy of the middle outlives the whole: only the middle stays pinned."""
    whole, part = context.ioas_alloc(), context.ioas_alloc()
    before = pinned_pages()
    with Edu(context, whole), Edu(context, part, index=1) as device:
        context.map(whole, buffer, SIZE, iova=SOURCE)
        context.copy(part, whole, SOURCE + PAGE, 2 * PAGE, iova=TARGET)
        assert pinned_pages() - before == SIZE // PAGE
        context.unmap(whole, SOURCE, SIZE)
        assert pinned_pages() - before == 2
        device.dma_read(TARGET)
        device.dma_write(TARGET + PAGE)
        assert buffer.read(2 * PAGE, PAGE) == buffer.read(PAGE, PAGE)
        context.unmap_all(part)
        assert pinned_pages() == before


def test_across_areas(context: Context, buffer: mem.Buffer) -> None:
    """A range that covers several areas becomes as many areas."""
    source, target = context.ioas_alloc(), context.ioas_alloc()
    context.map(source, buffer, SIZE, iova=SOURCE)
    context.map(source, buffer.address + SIZE, SIZE, iova=SOURCE + SIZE)
    context.copy(target, source, SOURCE + SIZE // 2, SIZE, iova=TARGET)
    assert context.unmap(target, TARGET, SIZE // 2) == SIZE // 2
    assert context.unmap_all(target) == SIZE // 2
    iova = context.copy(target, source, SOURCE + SIZE // 2, SIZE)
    assert context.unmap(target, iova, SIZE) == SIZE


def test_attach_after_copy(context: Context, buffer: mem.Buffer) -> None:
    """Without a device nothing is pinned; two devices that attach later share the pages."""
    first, second = context.ioas_alloc(), context.ioas_alloc()
    before = pinned_pages()
    context.map(first, buffer, SIZE, iova=SOURCE)
    context.copy(second, first, SOURCE, SIZE, iova=TARGET)
    assert pinned_pages() == before
    with Edu(context, first):
        assert pinned_pages() - before == SIZE // PAGE
        with Edu(context, second, index=1):
            assert pinned_pages() - before == SIZE // PAGE
        assert pinned_pages() - before == SIZE // PAGE
    assert pinned_pages() == before


BAD = {
    "a hole in the source": (errno.ENOENT, {"source": SOURCE + PAGE, "length": SIZE}),
    "nothing in the source": (errno.ENOENT, {"source": TARGET}),
    "before the source": (errno.ENOENT, {"source": SOURCE - PAGE, "length": 2 * PAGE}),
    "no length": (errno.EINVAL, {"length": 0}),
    "no protection": (errno.EINVAL, {"prot": 0}),
    "unknown flag": (errno.EOPNOTSUPP, {"prot": 1 << 5}),
    "onto itself": (errno.EEXIST, {"to": "source", "iova": SOURCE}),
    "length of all": (errno.EOVERFLOW, {"length": U64_MAX}),
    "source wraps": (errno.EOVERFLOW, {"source": U64_MAX, "length": PAGE}),
    "target wraps": (errno.EOVERFLOW, {"iova": U64_MAX - PAGE + 1, "length": 2 * PAGE}),
    "no such source": (errno.ENOENT, {"from": NO_ID}),
    "no such target": (errno.ENOENT, {"to": NO_ID}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad(context: Context, buffer: mem.Buffer, name: str) -> None:
    error, change = BAD[name]
    ids = {"source": context.ioas_alloc(), "target": context.ioas_alloc(), NO_ID: NO_ID}
    with Edu(context, ids["source"]), Edu(context, ids["target"], index=1):
        context.map(ids["source"], buffer, SIZE, iova=SOURCE)
        before = pinned_pages()
        wish = {
            "from": "source",
            "to": "target",
            "source": SOURCE,
            "length": SIZE,
            "iova": TARGET,
            "prot": MAP_READABLE,
        } | change
        with fails(error):
            context.copy(
                ids[wish["to"]],
                ids[wish["from"]],
                wish["source"],
                wish["length"],
                iova=wish["iova"],
                prot=wish["prot"],
            )
        assert pinned_pages() == before
        assert context.unmap_all(ids["target"]) == 0
        assert context.unmap_all(ids["source"]) == SIZE


def test_no_more_rights(context: Context, buffer: mem.Buffer) -> None:
    """Pages that were pinned for reading cannot be written through a copy."""
    ioas = context.ioas_alloc()
    context.map(ioas, buffer, SIZE, iova=SOURCE, prot=MAP_READABLE)
    with fails(errno.EPERM):
        context.copy(ioas, ioas, SOURCE, SIZE, iova=TARGET)
    assert not errno_of(context.copy, ioas, ioas, SOURCE, SIZE, iova=TARGET, prot=MAP_READABLE)


def test_undone_half_way(context: Context, buffer: mem.Buffer) -> None:
    """The second part does not fit: the first part must not remain."""
    source, target = context.ioas_alloc(), context.ioas_alloc()
    with Edu(context, source), Edu(context, target, index=1):
        context.map(source, buffer, SIZE, iova=SOURCE)
        context.map(source, buffer.address + SIZE, SIZE, iova=SOURCE + SIZE)
        context.map(target, buffer, PAGE, iova=TARGET + SIZE)
        before = pinned_pages()
        with fails(errno.EEXIST):
            context.copy(target, source, SOURCE, 2 * SIZE, iova=TARGET)
        assert pinned_pages() == before
        assert context.unmap_all(target) == PAGE
