# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Seals of a memfd: as with mmap(), it is either mapped for writing or sealed against it."""

import errno
import fcntl
import os
import threading
from collections.abc import Iterator

import pytest
from child_process import Child
from errnos import errno_of
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.mem import HUGE, PAGE
from iommufd.pins import pinned_pages
from iommufd.uapi import MAP_READABLE, MAP_WRITEABLE, IoasChangeProcess

# The peer lets devices write to a sealed memfd.
pytestmark = pytest.mark.guest(kernels="ours")
SIZE = HUGE
IOVA = mock.START
DATA = b"original"
F_SEAL_FUTURE_WRITE, F_SEAL_EXEC = 0x10, 0x20
FS_IOC_GETFLAGS, FS_IOC_SETFLAGS, FS_APPEND_FL = 0x80086601, 0x40086602, 0x20
RACES = 100


@pytest.fixture(params=[0, os.MFD_HUGETLB], ids=["shmem", "hugetlb"])
def file(request: pytest.FixtureRequest) -> Iterator[int]:
    """A memfd that can be sealed, of one huge page or as many small ones."""
    fd = new_file(request.param)
    yield fd
    os.close(fd)


def new_file(flags: int = 0) -> int:
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING | flags)
    os.ftruncate(fd, SIZE)
    with mem.file(fd, SIZE) as view:
        view.write(DATA)
    return fd


def seal(fd: int, seals: int = fcntl.F_SEAL_WRITE) -> int:
    """0 or an errno."""
    return errno_of(fcntl.fcntl, fd, fcntl.F_ADD_SEALS, seals)


def seals_of(fd: int) -> int:
    return fcntl.fcntl(fd, fcntl.F_GET_SEALS)


@pytest.mark.parametrize("seals", [fcntl.F_SEAL_WRITE, F_SEAL_EXEC], ids=["write", "exec"])
@pytest.mark.parametrize("attached", [False, True])
def test_busy(context: Context, ioas: int, file: int, attached: bool, seals: int) -> None:
    """It cannot be sealed while it is mapped, whether pinned or not; F_SEAL_EXEC seals both."""
    before = pinned_pages()
    device = mock.Device(context, ioas) if attached else None
    iova = context.map_file(ioas, file, 0, SIZE)
    assert pinned_pages() - before == (SIZE // PAGE if attached else 0)
    assert seal(file, seals) == errno.EBUSY
    assert seals_of(file) == 0
    with mock.Access(context, ioas) as access:
        access.write(iova, b"written")
    context.unmap(ioas, iova, SIZE)
    assert seal(file, seals) == 0
    assert seals_of(file) & fcntl.F_SEAL_WRITE
    assert errno_of(context.map_file, ioas, file, 0, SIZE) == errno.EPERM
    if device:
        device.close()


def test_each_mapping_counts(context: Context, ioas: int, file: int) -> None:
    """Even a read-only copy: it could be copied for writing again."""
    other = context.ioas_alloc()
    first = context.map_file(ioas, file, 0, PAGE)
    second = context.map_file(ioas, file, 0, SIZE)
    copy = context.copy(other, ioas, second, PAGE, prot=MAP_READABLE)
    for space, iova, length in ((ioas, first, PAGE), (ioas, second, SIZE), (other, copy, PAGE)):
        assert seal(file) == errno.EBUSY
        context.unmap(space, iova, length)
    assert seal(file) == 0


def test_end_of_the_context(file: int) -> None:
    with Context() as context:
        context.map_file(context.ioas_alloc(), file, 0, SIZE)
        assert seal(file) == errno.EBUSY
    assert seal(file) == 0


def test_change_process(context: Context, ioas: int, file: int) -> None:
    """The mapping counts, whichever process is charged, and whether its creator lives or not."""
    with Child(lambda _: context.map_file(ioas, file, 0, SIZE)):
        pass
    assert seal(file) == errno.EBUSY
    context.command("IOAS_CHANGE_PROCESS", IoasChangeProcess())
    assert seal(file) == errno.EBUSY
    context.unmap_all(ioas)
    assert seal(file) == 0


def test_maps_that_fail(context: Context, ioas: int, file: int) -> None:
    """None of them counts."""
    with mock.Device(context, ioas):
        for bad, start in ((ioas, PAGE), (0xBAD, 0)):
            assert errno_of(context.map_file, bad, file, start, SIZE)
    assert seal(file) == 0


def test_sealed_for_reading(context: Context, ioas: int, file: int) -> None:
    """A memfd that DMA only reads can be sealed before or after, and is never written."""
    earlier = context.map_file(ioas, file, 0, SIZE, iova=IOVA, prot=MAP_READABLE)
    assert seal(file) == 0
    later = context.map_file(ioas, file, 0, SIZE, iova=IOVA + SIZE, prot=MAP_READABLE)
    with mock.Device(context, ioas), mock.Access(context, ioas) as access:
        for iova in (earlier, later):
            assert access.read(iova, len(DATA)) == DATA
            assert errno_of(access.write, iova, b"tampered") == errno.EPERM
            copy = errno_of(context.copy, ioas, ioas, iova, PAGE, prot=MAP_WRITEABLE)
            assert copy == errno.EPERM


def test_pinned_for_reading(context: Context, ioas: int, file: int) -> None:
    """Sealing waits in vain until no page is pinned; that is the memfd's own check."""
    iova = context.map_file(ioas, file, 0, SIZE, iova=IOVA, prot=MAP_READABLE)
    with mock.Device(context, ioas):
        assert seal(file) == errno.EBUSY
        # The file is as before: it can be mapped for writing.
        context.unmap(ioas, context.map_file(ioas, file, 0, SIZE), SIZE)
    assert seal(file) == 0
    context.unmap(ioas, iova, SIZE)


def test_future_writes(context: Context, ioas: int, file: int) -> None:
    """Existing mappings stay; new ones are read-only."""
    iova = context.map_file(ioas, file, 0, SIZE)
    assert seal(file, F_SEAL_FUTURE_WRITE) == 0
    with mock.Access(context, ioas) as access:
        access.write(iova, b"allowed!")
        assert access.read(iova, 8) == b"allowed!"
    assert errno_of(context.map_file, ioas, file, 0, SIZE) == errno.EPERM
    assert errno_of(context.map_file, ioas, file, 0, SIZE, prot=MAP_READABLE) == 0
    assert seal(file) == errno.EBUSY
    context.unmap(ioas, iova, SIZE)
    assert seal(file) == 0


# The debug kernel supports attributes of files in memory.
@pytest.mark.guest(kernels="debug")
def test_append_only(context: Context, ioas: int) -> None:
    """DMA cannot append."""
    fd = new_file()
    flags = bytearray(8)
    fcntl.ioctl(fd, FS_IOC_GETFLAGS, flags)
    flags[0] |= FS_APPEND_FL
    fcntl.ioctl(fd, FS_IOC_SETFLAGS, bytes(flags))
    assert errno_of(mem.file, fd, SIZE) == errno.EACCES
    assert errno_of(context.map_file, ioas, fd, 0, SIZE) == errno.EPERM
    assert errno_of(context.map_file, ioas, fd, 0, SIZE, prot=MAP_READABLE) == 0
    os.close(fd)


def test_race(context: Context, ioas: int) -> None:
    """Of a concurrent map and seal, one succeeds."""
    fds = [new_file() for _ in range(RACES)]
    start = threading.Barrier(2)
    sealed = []

    def seal_all() -> None:
        for fd in fds:
            start.wait()
            sealed.append(seal(fd))

    sealer = threading.Thread(target=seal_all)
    sealer.start()
    mapped = []
    for fd in fds:
        start.wait()
        mapped.append(errno_of(context.map_file, ioas, fd, 0, PAGE))
    sealer.join()
    for outcome in zip(mapped, sealed, strict=True):
        assert outcome in {(0, errno.EBUSY), (errno.EPERM, 0)}
    for fd in fds:
        os.close(fd)
