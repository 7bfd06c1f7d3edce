# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""BPF policies decide about commands of a guest to a real SMMU."""

import errno
import time
from collections.abc import Iterator

import pytest
from iommufd import smmu, uapi
from iommufd.smmu import Changed, Guest
from policy_recorder import INVALIDATE, INVALIDATE_DONE, Recorder, recording

pytestmark = pytest.mark.guest(kernels="arm64")

DELAY_NS = 300_000_000


@pytest.fixture
def policy() -> Iterator[Recorder]:
    """One attached policy."""
    with recording("first") as recorder:
        yield recorder


def test_refused(nested: Guest, policy: Recorder) -> None:
    """The commands do not reach the SMMU: the old translation stays until they may."""
    changed = Changed(nested)
    policy.tell("first", invalidate=-errno.EDQUOT)
    assert nested.invalidate(smmu.tlbi_va(changed.va)) == (errno.EDQUOT, 0)
    assert changed.read() == changed.old
    policy.tell("first", invalidate=0)
    assert nested.invalidate(smmu.tlbi_va(changed.va)) == (0, 1)
    assert changed.read() == changed.new


def test_delayed(nested: Guest, policy: Recorder) -> None:
    """The commands are carried out after the delay, and all of them."""
    changed = Changed(nested)
    policy.calls()
    policy.tell("first", delay_ns=DELAY_NS)
    start = time.monotonic_ns()
    assert nested.invalidate(smmu.tlbi_asid(1), smmu.tlbi_va(changed.va)) == (0, 2)
    assert time.monotonic_ns() - start >= DELAY_NS
    assert changed.read() == changed.new
    asked, done = [c for c in policy.calls() if c.hook in (INVALIDATE, INVALIDATE_DONE)]
    asked.has(data_type=uapi.VIOMMU_INVALIDATE_DATA_ARM_SMMUV3, object=nested.viommu, asked=2)
    done.has(ret=0, handled=2)
