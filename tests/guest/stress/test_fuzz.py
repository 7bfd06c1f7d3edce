# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Random sequences of requests with fixed seeds: each answer is right, and nothing is left.

`make fuzz` runs other seeds, for any length of time.
"""

import subprocess

import pytest
from fuzzing.guest import PROGRAM
from fuzzing.inside import device

pytestmark = pytest.mark.guest(kernels="ours")
# Any seed will do. Change it when the sequences change, and old ones are no longer reproduced.
SEED = "1"
# How many sequences fit into a test.
MANY = {"main": "200", "debug": "40", "arm64": "200", "arm64-debug": "40"}
MANY_OF_DEVICE = {"main": "100", "debug": "30", "arm64": "100", "arm64-debug": "30"}


def run(sequences: str, *words: str) -> None:
    done = subprocess.run(
        [PROGRAM, "--seed", SEED, "--sequences", sequences, "--minimise", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0


@pytest.mark.limit(120)
def test_mock(kernel: str) -> None:
    run(MANY[kernel])


@pytest.mark.limit(120)
def test_device(kernel: str) -> None:
    """With page tables of a real IOMMU instead of the mock."""
    run(MANY_OF_DEVICE[kernel], "--device", device())
