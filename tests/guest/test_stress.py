# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Everything at once, at random, for a while: nothing breaks, and nothing is left.

STRESS_SEED=N repeats a run as far as its calls go; when they meet is up to the machine.
"""

import os
import random
import subprocess
from collections.abc import Iterator

import pytest
from iommufd import mem, mock
from iommufd.ctx import Context
from iommufd.mem import PAGE
from iommufd.pins import pinned_pages, unprivileged
from vmrun.paths import BUILD

pytestmark = pytest.mark.guest(kernels="ours", parallel=True)
DEVICE = "/dev/iommu"
# What the rest is built on: unless these work at times, nothing has been tested.
VITAL = ("ioas_alloc", "map", "map_file", "unmap", "copy", "attach", "detach", "access_create")
VITAL += ("access_pin", "access_rw", "access_replace", "check_own")


def stress(seconds: int) -> dict[str, tuple[int, int]]:
    """Runs the program; how often each kind of call worked and how often it did not."""
    seed = os.environ.get("STRESS_SEED") or str(random.randrange(1 << 32))
    print(f"STRESS_SEED={seed}")
    done = subprocess.run(
        [BUILD / "selftests" / "stress", str(seconds), seed],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    counts = {}
    for line in done.stdout.splitlines():
        name, worked, refused = line.split()
        counts[name] = (int(worked), int(refused))
    return counts


@pytest.fixture
def nobody() -> Iterator[None]:
    """Who is nobody, as the program becomes, may open the device."""
    before = os.stat(DEVICE).st_mode
    os.chmod(DEVICE, 0o666)
    yield
    os.chmod(DEVICE, before)


def check_charges() -> None:
    """He is charged for nothing any more: all of a limit is free."""
    size = 16 * PAGE
    with Context() as context, mem.anonymous(size) as buffer:
        ioas = context.ioas_alloc()
        with mock.Device(context, ioas), unprivileged(size):
            context.map(ioas, buffer)


def run(seconds: int) -> None:
    before = pinned_pages()
    counts = stress(seconds)
    assert pinned_pages() == before
    check_charges()
    assert not [name for name in VITAL if not counts[name][0]]


@pytest.mark.limit(60)
@pytest.mark.usefixtures("nobody")
def test_stress(kernel: str) -> None:
    run(30 if kernel == "debug" else 10)


@pytest.mark.full
@pytest.mark.limit(400)
@pytest.mark.usefixtures("nobody")
def test_stress_for_long() -> None:
    run(240)
