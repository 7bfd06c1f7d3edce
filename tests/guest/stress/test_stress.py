# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""All requests at once, at random, for a while: nothing breaks, and nothing is left.

STRESS_SEED=N repeats the calls of a run, but not their timing.
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
from vmrun.paths import built

pytestmark = pytest.mark.guest(kernels="ours", parallel=True)
DEVICE = "/dev/iommu"
# The other calls rely on these: unless they succeed at times, nothing has been tested.
VITAL = ("ioas_alloc", "map", "map_file", "unmap", "copy", "attach", "detach", "access_create")
VITAL += ("access_pin", "access_rw", "access_replace", "check_own")


def stress(seconds: int) -> dict[str, tuple[int, int]]:
    """Runs the program; returns how often each kind of call succeeded and failed."""
    seed = os.environ.get("STRESS_SEED") or str(random.randrange(1 << 32))
    print(f"STRESS_SEED={seed}")
    done = subprocess.run(
        [built("selftests") / "stress", str(seconds), seed],
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
    """Opens the device to the user that the program becomes."""
    before = os.stat(DEVICE).st_mode
    os.chmod(DEVICE, 0o666)
    yield
    os.chmod(DEVICE, before)


def check_charges() -> None:
    """That user is no longer charged for anything: the whole limit is free."""
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
    run(30 if "debug" in kernel else 10)


@pytest.mark.full
@pytest.mark.limit(400)
@pytest.mark.usefixtures("nobody")
def test_stress_for_long() -> None:
    run(240)
