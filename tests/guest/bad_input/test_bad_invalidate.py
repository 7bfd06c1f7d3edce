# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Invalid IOMMU_HWPT_INVALIDATE: exactly the reported number of entries was handled."""

import ctypes
import errno
import mmap
from dataclasses import dataclass

import pytest
from errnos import errno_of, fails
from iommufd import mem, mock, mock_uapi, uapi
from iommufd.ctx import NO_ID
from iommufd.ioctl import ioctl
from iommufd.mem import PAGE
from iommufd.nest import CACHE, IOTLB, Nest
from iommufd.state import unchanged

INVALID, UNSUPPORTED, NOENT = errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT
FAULT = errno.EFAULT
ENTRIES = range(mock_uapi.MOCK_NESTED_DOMAIN_IOTLB_NUM)
VIRT_ID = 0x99
MOST = 1 << 19
ALL = mock_uapi.IOMMU_TEST_INVALIDATE_FLAG_ALL
NO_ADDRESS = (8, 1 << 50, 0xFFFF888000000000, uapi.U64_MAX - 7)


@dataclass
class Cache:
    """An object with four entries that can be invalidated one by one."""

    nest: Nest
    id: int
    type: int
    kind: type[ctypes.Structure]
    # The array of the last request.
    memory: ctypes.Array | None = None

    def entry(self, index: int, **fields: int) -> bytes:
        """The data to invalidate one entry."""
        if self.kind is mock_uapi.HwptInvalidateSelftest:
            return bytes(self.kind(**{"iotlb_id": index, **fields}))
        return bytes(self.kind(**{"vdev_id": VIRT_ID, "cache_id": index, **fields}))

    def valid(self) -> list[int]:
        """The entries that were not invalidated; invalidated ones are 0."""
        if self.kind is mock_uapi.HwptInvalidateSelftest:
            states = [
                (
                    mock.iotlb(self.nest.context, self.id, i, IOTLB),
                    mock.iotlb(self.nest.context, self.id, i, 0),
                )
                for i in ENTRIES
            ]
        else:
            device = self.nest.device
            states = [(device.cache(i, CACHE), device.cache(i, 0)) for i in ENTRIES]
        assert all(sum(state) == 1 for state in states)
        return [i for i, (there, _) in enumerate(states) if there]

    def fields(self, entries: list[bytes], **fields: int) -> dict[str, int]:
        """A request with these entries, which have equal lengths."""
        data = b"".join(entries)
        self.memory = (ctypes.c_char * len(data)).from_buffer_copy(data)
        return {
            "hwpt_id": self.id,
            "data_type": self.type,
            "data_uptr": ctypes.addressof(self.memory),
            "entry_len": len(entries[0]),
            "entry_num": len(entries),
            **fields,
        }

    def fails(self, error: int, handled: int, **fields: int) -> None:
        """Checks that a request fails after this number of handled entries."""
        argument = uapi.HwptInvalidate(**fields)
        with unchanged(self.nest.context, self.nest.ioas), fails(error):
            self.nest.context.command("HWPT_INVALIDATE", argument)
        assert argument.entry_num == handled


@pytest.fixture(params=["page-table", "viommu"])
def cache(nest: Nest, request: pytest.FixtureRequest) -> Cache:
    if request.param == "page-table":
        data_type = mock_uapi.IOMMU_HWPT_INVALIDATE_DATA_SELFTEST
        return Cache(nest, nest.nested(), data_type, mock_uapi.HwptInvalidateSelftest)
    viommu = nest.viommu()
    nest.vdevice(viommu, VIRT_ID)
    data_type = mock_uapi.IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST
    return Cache(nest, viommu, data_type, mock_uapi.ViommuInvalidateSelftest)


@pytest.fixture
def strict(cache: Cache, kernel: str) -> Cache:
    """A cache that looks at entries one by one and requires their exact length."""
    if "peer" in kernel and cache.kind is mock_uapi.ViommuInvalidateSelftest:
        pytest.skip("its mock copies all entries first, whatever their length")
    return cache


FIELDS = {
    "reserved": ({"__reserved": 1}, UNSUPPORTED),
    "unknown": ({"hwpt_id": NO_ID}, NOENT),
    "none": ({"hwpt_id": 0}, NOENT),
    "type-unknown": ({"data_type": 0xFFFFFFFF}, INVALID),
    "type-wrong": ({"data_type": 0xDADBEEF}, INVALID),
    "type-of-vtd": ({"data_type": uapi.HWPT_INVALIDATE_DATA_VTD_S1}, INVALID),
    "entries-of-nothing": ({"entry_len": 0}, INVALID),
    "entries-too-long": ({"entry_len": PAGE + 1}, INVALID),
    "entries-max": ({"entry_len": 0xFFFFFFFF}, INVALID),
    "too-many": ({"entry_num": MOST + 1}, INVALID),
    "too-many-max": ({"entry_num": 0xFFFFFFFF}, INVALID),
    "nowhere": ({"data_uptr": 0}, INVALID),
    **{f"at-{at:#x}": ({"data_uptr": at}, FAULT) for at in NO_ADDRESS},
}


@pytest.mark.parametrize(
    ("fields", "error"), [pytest.param(*case, id=name) for name, case in FIELDS.items()]
)
def test_fields(cache: Cache, fields: dict, error: int) -> None:
    entries = [cache.entry(0), cache.entry(1)]
    cache.fails(error, 0, **cache.fields(entries, **fields))
    assert cache.valid() == [0, 1, 2, 3]


def test_size(cache: Cache) -> None:
    """The number of handled entries is not reported."""
    cache.fails(INVALID, 1, **cache.fields([cache.entry(0)], size=31))
    assert cache.valid() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "other", ["ioas", "device", "slot", "parent", "automatic", "queue", "vdevice"]
)
def test_not_to_be_invalidated(nest: Nest, other: str) -> None:
    """Objects that are neither nested page tables nor vIOMMUs."""
    with nest.fault_queue() as queue:
        target = {
            "ioas": lambda: nest.ioas,
            "device": lambda: nest.device.device,
            "slot": lambda: nest.device.id,
            "parent": lambda: nest.parent,
            "automatic": lambda: nest.device.hwpt,
            "queue": lambda: queue.id,
            "vdevice": lambda: nest.vdevice(nest.viommu(), VIRT_ID),
        }[other]()
        data_type = mock_uapi.IOMMU_HWPT_INVALIDATE_DATA_SELFTEST
        cache = Cache(nest, target, data_type, mock_uapi.HwptInvalidateSelftest)
        cache.fails(INVALID, 0, **cache.fields([cache.entry(0)]))
        cache.fails(INVALID, 0, hwpt_id=target, data_type=data_type)


def bad_entries(cache: Cache) -> dict[str, tuple[bytes, int]]:
    """Entries that the driver refuses, and their errno."""
    found = {
        "flag": (cache.entry(3, flags=2), UNSUPPORTED),
        "flag-max": (cache.entry(3, flags=1 << 31 | ALL), UNSUPPORTED),
        "index": (cache.entry(4), INVALID),
        "index-max": (cache.entry(0xFFFFFFFF), INVALID),
    }
    if cache.kind is mock_uapi.ViommuInvalidateSelftest:
        found["device"] = (cache.entry(3, vdev_id=VIRT_ID + 1), INVALID)
        found["device-all"] = (cache.entry(3, vdev_id=0, flags=ALL), INVALID)
    return found


@pytest.mark.parametrize("place", [0, 1, 2])
def test_bad_entry(cache: Cache, place: int) -> None:
    """All entries before the bad one are handled; the bad one and those after it are not."""
    for name, (bad, error) in bad_entries(cache).items():
        entries = [cache.entry(0), cache.entry(1), cache.entry(2)]
        entries[place] = bad
        cache.fails(error, place, **cache.fields(entries))
        assert cache.valid() == list(range(place, 4)), name


@pytest.mark.parametrize("byte", [b"\0", b"\1"])
@pytest.mark.parametrize("more", [-7, -1, 1, 4, PAGE - 12])
def test_length(strict: Cache, more: int, byte: bytes) -> None:
    """Entries that are shorter or longer than those that the driver knows."""
    entries = [strict.entry(i) for i in ENTRIES]
    length = len(entries[0]) + more
    entries = [entry[:length].ljust(length, byte) for entry in entries]
    strict.fails(INVALID, 0, **strict.fields(entries))
    assert strict.valid() == [0, 1, 2, 3]


@pytest.mark.parametrize("there", [0, 1, 3])
def test_memory_ends(strict: Cache, there: int) -> None:
    """In the middle of the array."""
    entries = [strict.entry(i) for i in range(3)]
    size = there * len(entries[0])
    with mem.anonymous(2 * PAGE) as memory:
        mem.protect(memory, mem.PROT_NONE, PAGE)
        memory.write(b"".join(entries[:there]), PAGE - size)
        address = memory.address + PAGE - size
        fields = strict.fields(entries, data_uptr=address, entry_num=MOST)
        strict.fails(FAULT, there, **fields)
    assert strict.valid() == list(range(there, 4))


def test_no_entries(cache: Cache) -> None:
    """Asks whether the type exists; the address and length of entries do not matter."""
    for fields in (
        {},
        {"data_uptr": 8},
        {"entry_len": 7},
        {"data_uptr": 8, "entry_len": 8},
        {"entry_len": PAGE + 1},
        {"data_uptr": uapi.U64_MAX, "entry_len": 0xFFFFFFFF},
    ):
        argument = uapi.HwptInvalidate(hwpt_id=cache.id, data_type=cache.type, **fields)
        cache.nest.context.command("HWPT_INVALIDATE", argument)
        assert argument.entry_num == 0
    cache.fails(INVALID, 0, hwpt_id=cache.id, data_type=cache.type - 1)
    assert cache.valid() == [0, 1, 2, 3]


def test_answer_not_writable(cache: Cache) -> None:
    """EFAULT: the number of handled entries is unknown."""
    with mem.anonymous(PAGE) as area:
        area.write(bytes(uapi.HwptInvalidate(**cache.fields([cache.entry(0)]))))
        mem.protect(area, mmap.PROT_READ)
        context = cache.nest.context
        with unchanged(context, cache.nest.ioas):
            number = uapi.NUMBER["HWPT_INVALIDATE"]
            assert errno_of(ioctl, context.fd, number, area.address) == FAULT
    assert cache.valid() in ([1, 2, 3], [0, 1, 2, 3])
