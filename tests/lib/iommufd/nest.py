# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The objects of a guest on the mock IOMMU: page tables, vIOMMUs, and queues."""

import ctypes
import os
import select

from errnos import fails

from . import mem, mock, mock_uapi, state, uapi
from .ctx import Context
from .openfile import Closing, OpenFile
from .pins import pinned_pages

SELFTEST = mock_uapi.IOMMU_HWPT_DATA_SELFTEST
IOTLB = mock_uapi.IOMMU_TEST_IOTLB_DEFAULT
CACHE = mock_uapi.IOMMU_TEST_DEV_CACHE_DEFAULT
VIOMMU = mock_uapi.IOMMU_VIOMMU_TYPE_SELFTEST
VEVENTQ = mock_uapi.IOMMU_VEVENTQ_TYPE_SELFTEST
HW_QUEUE = mock_uapi.IOMMU_HW_QUEUE_TYPE_SELFTEST

# The data of an event record after its header.
EVENT = ctypes.sizeof(uapi.VeventHeader) + ctypes.sizeof(mock_uapi.ViommuEventSelftest)
FAULT = ctypes.sizeof(uapi.HwptPgfault)
RESPONSE = ctypes.sizeof(uapi.HwptPageResponse)

IOVA = mock.START
MAPPED = 2 * mem.PAGE


def pointer(data: ctypes.Structure | ctypes.Array) -> dict[str, int]:
    """The fields of an argument that locate the data for a driver."""
    return {"data_len": ctypes.sizeof(data), "data_uptr": ctypes.addressof(data)}


class Queue(OpenFile):
    """A file of records; the queue is also an object."""

    def __init__(self, queue_id: int, fd: int) -> None:
        super().__init__(fd)
        self.id = queue_id

    def events(self) -> int:
        """The current result of poll()."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN | select.POLLOUT)
        return sum(events for _, events in poll.poll(0))

    def read_at(self, address: int, size: int) -> int:
        """read() into memory that need not exist."""
        return os.readv(self.fd, [(ctypes.c_char * size).from_address(address)])

    def write_at(self, address: int, size: int) -> int:
        """write() from memory that need not exist."""
        return os.writev(self.fd, [(ctypes.c_char * size).from_address(address)])

    def readable(self) -> bool:
        """Whether a record can be read."""
        return bool(self.events() & select.POLLIN)


class FaultQueue(Queue):
    """Page faults of devices, and the responses to them."""

    def read(self, most: int = 8) -> list[uapi.HwptPgfault]:
        """The faults that were not read yet."""
        data = os.read(self.fd, most * FAULT)
        return [uapi.HwptPgfault.from_buffer_copy(data, at) for at in range(0, len(data), FAULT)]

    def respond(self, *cookies: int, code: int = uapi.PAGE_RESP_SUCCESS) -> int:
        """Sends the same response to several faults; returns how many the kernel accepted."""
        data = b"".join(bytes(uapi.HwptPageResponse(cookie=c, code=code)) for c in cookies)
        return os.write(self.fd, data) // RESPONSE


class EventQueue(Queue):
    """Events of a vIOMMU."""

    def read(self, size: int = 4096) -> list[tuple[int, int, int | None]]:
        """(flags, sequence, virtual id) of each event; the virtual id is missing if it is lost."""
        data = os.read(self.fd, size)
        found, at = [], 0
        while at < len(data):
            header = uapi.VeventHeader.from_buffer_copy(data, at)
            at += ctypes.sizeof(header)
            virt_id = None
            if not header.flags & uapi.VEVENTQ_FLAG_LOST_EVENTS:
                event = mock_uapi.ViommuEventSelftest.from_buffer_copy(data, at)
                at += ctypes.sizeof(event)
                virt_id = event.virt_id
            found.append((header.flags, header.sequence, virt_id))
        return found


class Nest(Closing):
    """A device, an IOAS in which two pages are mapped, and a nesting parent.

    Objects made by its methods are destroyed at the end, in reverse order. Nothing may
    be left then.
    """

    def __init__(self, flags: int | None = None) -> None:
        self._pinned = pinned_pages()
        self.context = Context()
        self._made: list[int] = []
        self.buffer = mem.anonymous(4 * mem.PAGE)
        self.buffer.fill(0x55)
        self.ioas = self.keep(self.context.ioas_alloc())
        self.context.map(self.ioas, self.buffer, MAPPED, iova=IOVA)
        self.device = mock.Device(self.context, self.ioas, flags)
        self.parent = self.paging(uapi.HWPT_ALLOC_NEST_PARENT)

    def close(self) -> None:
        """Closes the context and the buffer, without any check."""
        self.context.close()
        self.buffer.close()

    def finish(self) -> None:
        """Destroys all remaining objects. That must succeed and leave nothing behind."""
        if self.context.fd >= 0:
            for each in reversed(self._made[1:]):
                self.context.destroy(each)
            self.device.close()
            assert self.context.unmap_all(self.ioas) == MAPPED
            self.context.destroy(self.ioas)
            assert state.objects(self.context) == []
        assert pinned_pages() == self._pinned

    def keep(self, object_id: int) -> int:
        """Remembers an object, to be destroyed at the end."""
        self._made.append(object_id)
        return object_id

    def destroy(self, object_id: int) -> None:
        """Destroys an object now."""
        self.context.destroy(object_id)
        self._made.remove(object_id)

    def forget(self, object_id: int) -> None:
        """Forgets an object that no longer exists."""
        self._made.remove(object_id)

    def paging(self, flags: int = 0, ioas: int | None = None) -> int:
        """A page table that follows the IOAS."""
        ioas = self.ioas if ioas is None else ioas
        return self.keep(self.context.hwpt_alloc(self.device.device, ioas, flags))

    def hwpt_fields(self, data: ctypes.Structure, **fields: int) -> dict[str, int]:
        """The argument of HWPT_ALLOC for a nested page table on the parent."""
        return {
            "dev_id": self.device.device,
            "pt_id": self.parent,
            "data_type": SELFTEST,
            **pointer(data),
            **fields,
        }

    def nested(self, on: int | None = None, **fields: int) -> int:
        """A nested page table, on the parent or on a vIOMMU."""
        data = mock_uapi.HwptSelftest(iotlb=IOTLB)
        pt_id = self.parent if on is None else on
        argument = uapi.HwptAlloc(**self.hwpt_fields(data, **{"pt_id": pt_id, **fields}))
        self.context.command("HWPT_ALLOC", argument)
        return self.keep(argument.out_hwpt_id)

    def reporting(self, queue: FaultQueue, **fields: int) -> int:
        """A nested page table whose faults go to a queue."""
        fields = {"flags": uapi.HWPT_FAULT_ID_VALID, "fault_id": queue.id, **fields}
        return self.nested(**fields)

    def fault_queue(self) -> FaultQueue:
        """A fault queue without page tables."""
        argument = uapi.FaultAlloc()
        self.context.command("FAULT_QUEUE_ALLOC", argument)
        return FaultQueue(self.keep(argument.out_fault_id), argument.out_fault_fd)

    def viommu(self, **fields: int) -> int:
        """A vIOMMU on the parent."""
        fields = {
            "type": VIOMMU,
            "dev_id": self.device.device,
            "hwpt_id": self.parent,
            **fields,
        }
        argument = uapi.ViommuAlloc(**fields)
        self.context.command("VIOMMU_ALLOC", argument)
        return self.keep(argument.out_viommu_id)

    def vdevice(self, viommu: int, virt_id: int, device: int | None = None) -> int:
        """The device, or another one, under the id by which a guest knows it."""
        device = self.device.device if device is None else device
        argument = uapi.VdeviceAlloc(viommu_id=viommu, dev_id=device, virt_id=virt_id)
        self.context.command("VDEVICE_ALLOC", argument)
        return self.keep(argument.out_vdevice_id)

    def event_queue(self, viommu: int, depth: int = 2) -> EventQueue:
        """A queue for a number of events."""
        argument = uapi.VeventqAlloc(viommu_id=viommu, type=VEVENTQ, veventq_depth=depth)
        self.context.command("VEVENTQ_ALLOC", argument)
        return EventQueue(self.keep(argument.out_veventq_id), argument.out_veventq_fd)

    def hw_queue(self, viommu: int, index: int = 0, iova: int = IOVA, length: int = 4096) -> int:
        """A hardware queue in memory of the guest."""
        argument = uapi.HwQueueAlloc(
            viommu_id=viommu,
            type=HW_QUEUE,
            index=index,
            nesting_parent_iova=iova,
            length=length,
        )
        self.context.command("HW_QUEUE_ALLOC", argument)
        return self.keep(argument.out_hw_queue_id)

    def refuses(self, command: str, error: int, **fields: int) -> None:
        """Checks that a request fails with an errno and changes nothing."""
        with state.unchanged(self.context, self.ioas), fails(error):
            self.context.command(command, uapi.ARGUMENT[command](**fields))
