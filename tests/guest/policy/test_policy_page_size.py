# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Policies that limit the size of entries, and thereby the granularity of dirty tracking."""

from collections.abc import Callable, Iterator

import pytest
from bpfobject import attached
from iommufd import dirty, edu, mem, mock, mock_uapi, uapi
from iommufd.ctx import Context
from iommufd.mem import HUGE, PAGE
from iommufd.nest import Nest
from iommufd.pins import table_pages
from iommufd.trace import Stream
from policy_recorder import ALLOC, ALLOC_DONE, Recorder, recording

pytestmark = pytest.mark.guest(kernels="bpf")

DIRTY = uapi.HWPT_ALLOC_DIRTY_TRACKING
IOVA = 1 << 25
SHIFT_4K, SHIFT_64K, SHIFT_2M = 12, 16, 21
SMALLEST = mock.PAGE.bit_length() - 1
PAGES = HUGE // PAGE


@pytest.fixture
def one() -> Iterator[Recorder]:
    """One attached policy, which records what applied in the end."""
    with recording("first") as recorder:
        yield recorder


@pytest.fixture
def huge() -> Iterator[mem.Buffer]:
    """A huge page, which an IOMMU can map with one entry."""
    with mem.hugetlb(HUGE) as buffer:
        yield buffer


def limits(recorder: Recorder) -> list[int]:
    """The limit of each page table that was created since the last call."""
    done = [call for call in recorder.calls() if call.hook == ALLOC_DONE]
    assert not any(call.ret for call in done)
    return [call.max_page_shift for call in done]


def dirtied(context: Context, hwpt: int, at: int) -> list[int]:
    """The pages that are reported after a device has written to one byte."""
    dirty.mark(context, hwpt, IOVA, [at // mock.PAGE])
    return dirty.read(context, hwpt, IOVA, HUGE, PAGE)


def tracking(context: Context, device: mock.Device, ioas: int) -> int:
    """Moves a device to a new page table with dirty tracking."""
    hwpt = context.hwpt_alloc(device.device, ioas, DIRTY)
    device.replace(hwpt)
    dirty.track(context, hwpt)
    return hwpt


@pytest.mark.guest(mock=True)
def test_changed_at_run_time(context: Context, ioas: int, huge: mem.Buffer) -> None:
    """A replace onto a new page table changes the granularity, there and back."""
    context.map(ioas, huge, iova=IOVA)
    everything, third = list(range(PAGES)), [3]
    hwpts = []
    with mock.Device(context, ioas) as device:
        for policy in (False, True, False):
            if policy:
                with attached("dirty"):
                    hwpts.append(tracking(context, device, ioas))
            else:
                hwpts.append(tracking(context, device, ioas))
            device.check(IOVA, huge)
            assert dirtied(context, hwpts[-1], 3 * PAGE) == (third if policy else everything)
        # A page table keeps its limit after the policy is gone.
        device.replace(hwpts[1])
        assert dirtied(context, hwpts[1], 3 * PAGE) == third
        device.replace(ioas)
        for hwpt in hwpts:
            context.destroy(hwpt)


@pytest.mark.guest(mock=True)
def test_mapped_later(context: Context, ioas: int, huge: mem.Buffer) -> None:
    """Mappings that are made after the replace have small entries, too."""
    with mock.Device(context, ioas) as device, attached("dirty"):
        hwpt = tracking(context, device, ioas)
        context.map(ioas, huge, iova=IOVA)
        device.check(IOVA, huge)
        assert dirtied(context, hwpt, HUGE - 1) == [PAGES - 1]
        assert context.unmap(ioas, IOVA, HUGE) == HUGE
        device.replace(ioas)
        context.destroy(hwpt)


@pytest.mark.guest(mock=True)
def test_automatic(context: Context, ioas: int, huge: mem.Buffer) -> None:
    """The policy gives an automatic page table both tracking and small entries."""
    context.map(ioas, huge, iova=IOVA)
    with attached("dirty"), mock.Device(context, ioas) as device:
        dirty.track(context, device.hwpt)
        assert dirtied(context, device.hwpt, 0) == [0]


@pytest.mark.guest(mock=True)
def test_only_with_tracking(one: Recorder, context: Context, ioas: int) -> None:
    """The policy limits no page table that does not track, and says what it may add."""
    cannot = mock_uapi.MOCK_FLAGS_DEVICE_NO_DIRTY
    with attached("dirty"):
        for flags, can_add, shift in ((None, DIRTY, SHIFT_4K), (cannot, 0, 0)):
            with mock.Device(context, ioas, flags):
                calls = one.calls()
            assert [call.can_add for call in calls if call.hook == ALLOC] == [can_add]
            assert [c.max_page_shift for c in calls if c.hook == ALLOC_DONE] == [shift]
        with mock.Device(context, ioas) as device:
            limits(one)
            for flags, shift in ((0, 0), (DIRTY, SHIFT_4K)):
                context.destroy(context.hwpt_alloc(device.device, ioas, flags))
                assert limits(one) == [shift]


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize(
    ("shift", "applies"),
    [
        (0, 0),
        (1, SMALLEST),
        (SMALLEST - 1, SMALLEST),
        (SMALLEST, SMALLEST),
        (SHIFT_2M, SHIFT_2M),
        (62, 62),
        (63, 63),
        (64, 0),
        (65 + SHIFT_4K, 0),
        (1 << 31, 0),
        (0xFFFFFFFF, 0),
    ],
)
@pytest.mark.parametrize("automatic", [False, True])
def test_any_value(
    one: Recorder, nest: Nest, huge: mem.Buffer, shift: int, applies: int, automatic: bool
) -> None:
    """No value makes a request fail: what the IOMMU lacks is raised, what is no size is ignored."""
    context, ioas = nest.context, nest.context.ioas_alloc()
    context.map(ioas, huge, iova=IOVA)
    one.tell("first", max_page_shift=shift, add_flags=DIRTY)
    one.calls()
    if automatic:
        device = mock.Device(context, ioas)
        hwpt = device.hwpt
    else:
        hwpt = context.hwpt_alloc(nest.device.device, ioas, DIRTY)
    assert limits(one) == [applies]
    dirty.track(context, hwpt)
    size = min(1 << applies, HUGE) if applies else HUGE
    assert dirtied(context, hwpt, 0) == list(range(max(size // PAGE, 1)))
    if automatic:
        device.close()
    else:
        context.destroy(hwpt)
    context.destroy(ioas)


@pytest.mark.guest(mock=True)
def test_size_in_between(one: Recorder, nest: Nest, huge: mem.Buffer) -> None:
    """Entries of the largest permitted size, where the addresses allow them."""
    context, ioas = nest.context, nest.context.ioas_alloc()
    # Begins and ends in the middle of such an entry.
    context.map(ioas, huge.address + PAGE, HUGE - 2 * PAGE, iova=IOVA + PAGE)
    one.tell("first", max_page_shift=SHIFT_64K)
    hwpt = context.hwpt_alloc(nest.device.device, ioas, DIRTY)
    dirty.track(context, hwpt)
    mock.check_map(context, hwpt, IOVA + PAGE, huge.address + PAGE, HUGE - 2 * PAGE)
    pages = (1 << SHIFT_64K) // PAGE
    for entry in (1, PAGES // pages // 2):
        wanted = list(range(entry * pages, (entry + 1) * pages))
        assert dirtied(context, hwpt, (entry << SHIFT_64K) + 5 * PAGE) == wanted
    first = dirtied(context, hwpt, PAGE)
    assert first[0] == 1
    assert len(first) < pages
    context.destroy(hwpt)
    context.destroy(ioas)


@pytest.mark.guest(mock=True)
@pytest.mark.parametrize(
    ("shifts", "applies"),
    [
        ((0, 0, 0), 0),
        ((SHIFT_2M, 0, SHIFT_64K), SHIFT_64K),
        ((SHIFT_4K, SHIFT_2M, 0), SHIFT_4K),
        ((99, 0, SHIFT_2M), SHIFT_2M),
    ],
)
def test_several(nest: Nest, shifts: tuple[int, ...], applies: int) -> None:
    """The lowest limit counts; a policy sees none of the others."""
    with recording("first", "second", "third") as recorder:
        for who, shift in zip(("first", "second", "third"), shifts, strict=True):
            recorder.tell(who, max_page_shift=shift)
        nest.paging()
        calls = recorder.calls()
    assert {call.max_page_shift for call in calls if call.hook == ALLOC} == {0}
    assert [c.max_page_shift for c in calls if c.hook == ALLOC_DONE] == [applies] * 3


@pytest.mark.guest(mock=True)
def test_nested(one: Recorder, nest: Nest) -> None:
    """The entries of a nested page table are the user's."""
    one.tell("first", max_page_shift=SHIFT_4K)
    one.calls()
    nest.nested()
    assert limits(one) == [0]


@pytest.mark.guest(mock=True)
def test_small_pages_anyway(one: Recorder, nest: Nest, huge: mem.Buffer) -> None:
    """The option for small pages limits entries where the policy would allow larger ones."""
    context, ioas = nest.context, nest.context.ioas_alloc()
    context.set_option(uapi.OPTION_HUGE_PAGES, 0, ioas)
    context.map(ioas, huge, iova=IOVA)
    one.tell("first", max_page_shift=SHIFT_2M)
    hwpt = context.hwpt_alloc(nest.device.device, ioas, DIRTY)
    dirty.track(context, hwpt)
    assert dirtied(context, hwpt, 7 * PAGE) == [7]
    context.destroy(hwpt)
    context.destroy(ioas)


def growth(change: Callable[[], object]) -> int:
    """The pages that page tables have more of afterwards."""
    before = table_pages()
    change()
    return table_pages() - before


@pytest.mark.guest(iommu=["intel", "intel-s1"])
def test_dma(one: Recorder, context: Context, ioas: int, huge: mem.Buffer) -> None:
    """A device reads and writes through small entries, which take one more table."""
    grown = []
    for shift, sizes in ((0, {HUGE}), (SHIFT_64K, {1 << SHIFT_64K}), (SHIFT_4K, {PAGE})):
        one.tell("first", max_page_shift=shift)
        with edu.Edu(context, ioas) as device:
            assert limits(one) == [shift]
            # The tables above exist already.
            context.map(ioas, huge.address, PAGE, iova=IOVA + HUGE)
            with Stream("iommu", "map") as stream:
                grown.append(growth(lambda: context.map(ioas, huge, iova=IOVA)))
                events = stream.read()
            assert {int(event["size"], 0) for event in events} == sizes
            assert sum(int(event["size"], 0) for event in events) == HUGE
            huge.write(bytes([shift + 1]) * PAGE, 5 * PAGE)
            device.dma_read(IOVA + 5 * PAGE)
            device.dma_write(IOVA + HUGE - PAGE)
            assert huge.read(HUGE - PAGE, PAGE) == bytes([shift + 1]) * PAGE
            context.unmap_all(ioas)
    assert grown == [0, 1, 1]


@pytest.mark.guest(iommu=["intel", "intel-s1"])
def test_dma_after_replace(one: Recorder, context: Context, ioas: int, huge: mem.Buffer) -> None:
    """The same mappings through a new page table with small entries, which takes over."""
    huge.write(b"\x11" * PAGE)
    context.map(ioas, huge, iova=IOVA)
    with edu.Edu(context, ioas) as device:
        device.dma_read(IOVA)
        before = table_pages()
        one.tell("first", max_page_shift=SHIFT_4K)
        hwpt = context.hwpt_alloc(device.id, ioas)
        assert device.attach(hwpt) == hwpt
        assert table_pages() == before + 1
        device.dma_write(IOVA + HUGE - PAGE)
        assert huge.read(HUGE - PAGE, PAGE) == b"\x11" * PAGE
        one.tell("first")
        device.attach(ioas)
        context.destroy(hwpt)
        assert table_pages() == before
        context.unmap_all(ioas)
    assert limits(one) == [0, SHIFT_4K, 0]
