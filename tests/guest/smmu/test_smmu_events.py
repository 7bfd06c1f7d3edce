# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Faults of the first stage are the guest's: it reads them, with the ids that it knows."""

import pytest
from iommufd import smmu
from iommufd.faults import expect_fault
from iommufd.mem import PAGE
from iommufd.smmu import DATA, IPA, VSID, Event, Guest, Record

pytestmark = pytest.mark.guest(kernels="smmu")

VA = 3 * PAGE
# QEMU reports each word of a transfer on its own.
WORD = 4


def only(records: list[Record]) -> Event:
    """The event of the only record."""
    (record,) = records
    assert record.event
    return record.event


@pytest.mark.parametrize("access", ["read", "write"])
def test_translation_fault(nested: Guest, access: str) -> None:
    """An address that the guest does not map: its own number, address and direction."""
    with nested.event_queue() as queue:
        getattr(nested.device, f"dma_{access}")(VA, WORD)
        assert only(queue.next()) == Event(
            kind=smmu.F_TRANSLATION,
            stream=VSID,
            address=VA,
            read=access == "read",
            second_stage=False,
        )


def test_permission_fault(nested: Guest) -> None:
    """A page that the guest maps for reads alone; the write leaves it as it was."""
    va = nested.set_page(3, DATA, read_only=True)
    data = nested.fill(DATA, "read-only")
    with nested.event_queue() as queue:
        nested.device.dma_read(va)
        assert not queue.readable()
        nested.device.dma_write(va, WORD)
        event = only(queue.next())
    assert (event.kind, event.stream, event.read) == (smmu.F_PERMISSION, VSID, False)
    assert nested.page(DATA) == data


def test_bad_descriptor(nested: Guest) -> None:
    """A context descriptor that is not valid."""
    nested.set_descriptor(valid=False)
    assert nested.invalidate(smmu.cfgi_cd()) == (0, 1)
    with nested.event_queue() as queue:
        nested.device.dma_read(VA, WORD)
        event = only(queue.next())
    assert (event.kind, event.stream) == (smmu.C_BAD_CD, VSID)


def test_second_stage_fault_is_the_hosts(nested: Guest) -> None:
    """An IPA that the host does not map: the host's log has it, the guest's queue does not."""
    outside = smmu.PAGES
    va = nested.set_page(3, outside)
    with nested.event_queue() as queue:
        expect_fault(nested.device.dma_write, va)
        assert not queue.readable()


def test_no_events_without_virtual_id(guest: Guest) -> None:
    """On the second stage alone, faults are the host's, although the guest has a queue."""
    guest.vdevice()
    guest.device.attach(guest.parent)
    with guest.event_queue() as queue:
        expect_fault(guest.device.dma_write, IPA - PAGE)
        assert not queue.readable()


def test_overflow(nested: Guest) -> None:
    """A full queue ends with a record that events were lost; the numbers show the gap."""
    with nested.event_queue(depth=2) as queue:
        for number in range(5):
            nested.device.dma_read(VA + number * PAGE, WORD)
        records = queue.until(lambda r: r.event is None)
        assert [r.event.address for r in records if r.event] == [VA, VA + PAGE]
        nested.device.dma_read(VA + 9 * PAGE, WORD)
        (after,) = queue.until(lambda r: r.event and r.event.address == VA + 9 * PAGE)[-1:]
        assert after.sequence > records[-1].sequence


def test_sequence(nested: Guest) -> None:
    """Events are numbered without a gap."""
    with nested.event_queue() as queue:
        numbers = []
        for page in range(4):
            nested.device.dma_read(VA + page * PAGE, WORD)
            (record,) = queue.next()
            numbers.append(record.sequence)
    assert numbers == list(range(numbers[0], numbers[0] + 4))
