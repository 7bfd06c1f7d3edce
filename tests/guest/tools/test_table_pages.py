# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-pins counts the pages of each page table, in the formats of Intel and AMD."""

from collections.abc import Callable

import pytest
from iommufd import mem
from iommufd.container import Container
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.mem import HUGE, PAGE
from iommufd.pins import table_pages
from iommufd_pins import report
from tool_runner import has, run

GIB = 1 << 30
SOURCES = ("bpf", "upstream")
FORMATS = "the tool knows the formats of Intel and AMD"


def shown() -> int:
    """The pages of all page tables that iommufd-pins shows."""
    counts = [ioas["table_pages"] for ctx in report()["contexts"] for ioas in ctx["ioas"]]
    assert None not in counts
    return sum(counts)


def check_growth(map_at: Callable[[mem.Buffer, int, int], object]) -> None:
    """Maps memory in an empty page table: tables are added where no mapping was before."""
    first, empty = shown(), table_pages()
    with mem.anonymous(64 << 20) as buffer:
        map_at(buffer, GIB, PAGE)
        # Type1 has mapped something before, at 0, to find out about large pages.
        assert 1 <= first < shown() <= 7
        for iova, size, tables in (
            (GIB + PAGE, PAGE, 0),
            (GIB + HUGE, PAGE, 1),
            (3 * GIB, PAGE, 2),
            (8 * GIB, buffer.size, 1 + buffer.size // HUGE),
        ):
            pages = shown()
            map_at(buffer, iova, size)
            assert shown() - pages == tables, hex(iova)
        if empty is not None:
            assert table_pages() - empty == shown() - first


@pytest.mark.x86(FORMATS)
@pytest.mark.guest(kernels=SOURCES)
def test_iommufd(context: Context, ioas: int) -> None:
    """Of an IOMMU with tables of the second stage."""
    with Edu(context, ioas):
        check_growth(lambda buffer, iova, size: context.map(ioas, buffer, size, iova))


@pytest.mark.x86(FORMATS)
@pytest.mark.guest(kernels=("bpf", "peers"), iommu="intel-s1")
def test_first_stage(context: Context, ioas: int) -> None:
    """The same with tables of the first stage. Linux 6.12 does not attach the device to one."""
    with Edu(context, ioas):
        check_growth(lambda buffer, iova, size: context.map(ioas, buffer, size, iova))


@pytest.mark.guest(kernels=["peers", "untouched"], iommu=["intel", "intel-s1"])
@pytest.mark.x86(FORMATS)
def test_type1(type1: Container) -> None:
    """Of a container of VFIO type1."""
    check_growth(lambda buffer, iova, size: type1.map(buffer, iova, size))


@pytest.mark.x86(FORMATS)
@pytest.mark.guest(kernels=SOURCES)
def test_each(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """An IOAS with two page tables, each of which has its own number."""
    with Edu(context, ioas) as edu:
        second = context.hwpt_alloc(edu.id, ioas)
        context.map(ioas, buffer, iova=GIB)
        ((found,),) = (ctx["ioas"] for ctx in report()["contexts"])
        first, other = found["hwpts"]
        has(other, hwpt=second, table_pages=first["table_pages"])
        has(found, table_pages=2 * other["table_pages"])
        lines = [line.split() for line in run("iommufd-pins").stdout.splitlines()]
        context.destroy(second)
    assert [line[:3] for line in lines if line[:2] == ["page", "table"]] == [
        ["page", "table", f"{each['hwpt']}:"] for each in (first, other)
    ]


@pytest.mark.guest(kernels=SOURCES, iommu="virtio")
def test_not_known(context: Context, ioas: int, buffer: mem.Buffer) -> None:
    """An IOMMU without page tables in memory that the tool can read."""
    with Edu(context, ioas):
        context.map(ioas, buffer)
        ((found,),) = (ctx["ioas"] for ctx in report()["contexts"])
        has(found, table_pages=None)
        row = run("iommufd-pins").stdout.splitlines()[2].split()
    assert "-" in row
