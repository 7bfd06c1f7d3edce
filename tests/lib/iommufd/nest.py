# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What a guest is given of the mock IOMMU: page tables, vIOMMUs, and queues."""

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

# What a record of an event has after its header.
EVENT = ctypes.sizeof(uapi.VeventHeader) + ctypes.sizeof(mock_uapi.ViommuEventSelftest)
FAULT = ctypes.sizeof(uapi.HwptPgfault)
RESPONSE = ctypes.sizeof(uapi.HwptPageResponse)

IOVA = mock.START
MAPPED = 2 * mem.PAGE


def pointer(data: ctypes.Structure | ctypes.Array) -> dict[str, int]:
    """The fields of an argument that say where data for a driver is."""
    return {"data_len": ctypes.sizeof(data), "data_uptr": ctypes.addressof(data)}


class Queue(OpenFile):
    """A file of records; the queue is an object, too."""

    def __init__(self, queue_id: int, fd: int) -> None:
        super().__init__(fd)
        self.id = queue_id

    def events(self) -> int:
        """What poll() says of it at once."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN | select.POLLOUT)
        return sum(events for _, events in poll.poll(0))

    def read_at(self, address: int, size: int) -> int:
        """Reads to memory that may not be there."""
        return os.readv(self.fd, [(ctypes.c_char * size).from_address(address)])

    def write_at(self, address: int, size: int) -> int:
        """Writes from memory that may not be there."""
        return os.writev(self.fd, [(ctypes.c_char * size).from_address(address)])

    def readable(self) -> bool:
        """Whether there is something to read."""
        return bool(self.events() & select.POLLIN)


class FaultQueue(Queue):
    """Page faults of devices, and the answers to them."""

    def read(self, most: int = 8) -> list[uapi.HwptPgfault]:
        """Those that were not read yet."""
        data = os.read(self.fd, most * FAULT)
        return [uapi.HwptPgfault.from_buffer_copy(data, at) for at in range(0, len(data), FAULT)]

    def respond(self, *cookies: int, code: int = uapi.PAGE_RESP_SUCCESS) -> int:
        """The same answer to several; how many the kernel took."""
        data = b"".join(bytes(uapi.HwptPageResponse(cookie=c, code=code)) for c in cookies)
        return os.write(self.fd, data) // RESPONSE


class EventQueue(Queue):
    """Events of a vIOMMU."""

    def read(self, size: int = 4096) -> list[tuple[int, int, int | None]]:
        """(flags, sequence, virtual id of the device) of each, without the latter if it is lost."""
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
    """A device, an IOAS in which two pages are mapped, and a parent for page tables of guests.

    What is made by its methods is destroyed at the end, the last first, and
    nothing may be left then.
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
        """Lets go of all without a look."""
        self.context.close()
        self.buffer.close()

    def finish(self) -> None:
        """Destroys all that is left, which must be possible, and be all."""
        if self.context.fd >= 0:
            for each in reversed(self._made[1:]):
                self.context.destroy(each)
            self.device.close()
            assert self.context.unmap_all(self.ioas) == MAPPED
            self.context.destroy(self.ioas)
            assert state.objects(self.context) == []
        assert pinned_pages() == self._pinned

    def keep(self, object_id: int) -> int:
        """Destroys it at the end."""
        self._made.append(object_id)
        return object_id

    def destroy(self, object_id: int) -> None:
        """Destroys what the end then doesn't."""
        self.context.destroy(object_id)
        self._made.remove(object_id)

    def forget(self, object_id: int) -> None:
        """What has gone by itself."""
        self._made.remove(object_id)

    def paging(self, flags: int = 0, ioas: int | None = None) -> int:
        """A page table that follows the IOAS."""
        ioas = self.ioas if ioas is None else ioas
        return self.keep(self.context.hwpt_alloc(self.device.device, ioas, flags))

    def hwpt_fields(self, data: ctypes.Structure, **fields: int) -> dict[str, int]:
        """Of a request for a page table of a guest on the parent."""
        return {
            "dev_id": self.device.device,
            "pt_id": self.parent,
            "data_type": SELFTEST,
            **pointer(data),
            **fields,
        }

    def nested(self, on: int | None = None, **fields: int) -> int:
        """A page table of a guest, on the parent or on a vIOMMU."""
        data = mock_uapi.HwptSelftest(iotlb=IOTLB)
        pt_id = self.parent if on is None else on
        argument = uapi.HwptAlloc(**self.hwpt_fields(data, **{"pt_id": pt_id, **fields}))
        self.context.command("HWPT_ALLOC", argument)
        return self.keep(argument.out_hwpt_id)

    def reporting(self, queue: FaultQueue, **fields: int) -> int:
        """A page table of a guest whose faults go to a queue."""
        fields = {"flags": uapi.HWPT_FAULT_ID_VALID, "fault_id": queue.id, **fields}
        return self.nested(**fields)

    def fault_queue(self) -> FaultQueue:
        """Nothing reports to it yet."""
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
        """The device, or another, as a guest knows it."""
        device = self.device.device if device is None else device
        argument = uapi.VdeviceAlloc(viommu_id=viommu, dev_id=device, virt_id=virt_id)
        self.context.command("VDEVICE_ALLOC", argument)
        return self.keep(argument.out_vdevice_id)

    def event_queue(self, viommu: int, depth: int = 2) -> EventQueue:
        """Room for some events."""
        argument = uapi.VeventqAlloc(viommu_id=viommu, type=VEVENTQ, veventq_depth=depth)
        self.context.command("VEVENTQ_ALLOC", argument)
        return EventQueue(self.keep(argument.out_veventq_id), argument.out_veventq_fd)

    def hw_queue(self, viommu: int, index: int = 0, iova: int = IOVA, length: int = 4096) -> int:
        """A queue in memory of the guest."""
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
        """A request fails in this way, and nothing comes of it."""
        with state.unchanged(self.context, self.ioas), fails(error):
            self.context.command(command, uapi.ARGUMENT[command](**fields))
