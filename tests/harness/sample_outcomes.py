# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Samples, not tests of the kernel: test_harness.py runs them and checks how they end."""

import os
import time
from pathlib import Path

import pytest
from iommufd import mem
from iommufd.ctx import Context
from iommufd.edu import Edu

pytestmark = pytest.mark.guest(kernels=["ours", "installed"])

kept = []

WARNING = (
    "------------[ cut here ]------------",
    "WARNING: drivers/iommu/iommufd/main.c:1 at iommufd_sample+0x1/0x2, CPU#0: test/1",
    "---[ end trace 0000000000000000 ]---",
)


def file_is_there(machine) -> None:
    assert machine.disks[0].exists()


def host_finds_fault(machine) -> None:
    raise AssertionError("the host's verdict")


def test_passes(kernel: str) -> None:
    assert Path("/dev/iommu").exists()
    assert os.environ["IOMMUFD_VM"]


def test_fails() -> None:
    assert sorted("ab") == ["b", "a"], "as it should"


@pytest.fixture
def broken():
    raise RuntimeError("the fixture's words")


def test_error_in_setup(broken) -> None:
    pass


def test_skipped() -> None:
    pytest.skip("for a reason")


@pytest.mark.on_host(before=file_is_there, after=host_finds_fault)
def test_host_fails() -> None:
    pass


def test_leaves_file_open() -> None:
    kept.append(Context())


def test_passes_in_a_new_guest() -> None:
    assert not kept


def test_leaves_pages_pinned() -> None:
    context = Context()
    ioas = context.ioas_alloc()
    device = Edu(context, ioas)
    context.map(ioas, mem.anonymous(3 * mem.PAGE))
    kept.extend([context, device])


def test_warns() -> None:
    with open("/dev/kmsg", "w", encoding="ascii", buffering=1) as kmsg:
        for line in WARNING:
            kmsg.write(line + "\n")


@pytest.mark.limit(3)
def test_hangs() -> None:
    time.sleep(100000)


@pytest.mark.guest(memory="512M")
def test_panics() -> None:
    Path("/proc/sys/vm/overcommit_memory").write_text("1")
    Path("/proc/sys/vm/panic_on_oom").write_text("2")
    assert not b"x" * (1 << 30)


@pytest.mark.guest(kernels=["no-such-kernel"])
def test_for_another_kernel() -> None:
    pass


@pytest.mark.full
def test_takes_long() -> None:
    pass


def test_passes_at_last() -> None:
    pass
