# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Detects that the IOMMU blocked a transfer, by the fault that its driver logs."""

import re
import time
from collections.abc import Callable

from .edu import Edu
from .kmsg import Kmsg
from .platform import reports_detached

# Short, because some IOMMUs report each word, and their drivers limit the messages.
LENGTH = 8
# The drivers limit the messages in 5 s. If a fault is lost to that limit, it is logged when the
# transfer is repeated.
TRY = 2.0
PATIENCE = 30.0


def expect_fault(transfer: Callable[[int, int], None], iova: int) -> None:
    """Repeats a transfer of `iova`, which must fault, until the fault is logged."""
    write = "Write" if transfer.__func__ is Edu.dma_write else "Read"  # type: ignore[attr-defined]
    # VT-d prints the direction before the address, virtio-iommu after it, SMMUv3 on another line.
    pattern = (
        f"DMA {write}.* fault addr {iova:#x} |page fault .* at {iova:#x} .{write[0]}?\\]"
        f"|event: F_(TRANSLATION|PERMISSION) .* iova: {iova:#x} "
    )
    end = time.monotonic() + PATIENCE
    with Kmsg() as kmsg:
        while True:
            transfer(iova, LENGTH)
            try:
                kmsg.wait_for(pattern, TRY)
                return
            except TimeoutError:
                if time.monotonic() > end:
                    raise


def expect_blocked(transfer: Callable[[int, int], None], iova: int) -> None:
    """The same for a device without a page table: an SMMU reports nothing then."""
    if reports_detached():
        expect_fault(transfer, iova)
        return
    with Kmsg() as kmsg:
        transfer(iova, LENGTH)
        assert not faults_in(kmsg.new_lines())


def faults_in(lines: list[str]) -> list[str]:
    """The lines of a log that report faults."""
    return [
        x for x in lines if re.search(r"DMAR: \[DMA|page fault from EP|arm-smmu-v3.* event: ", x)
    ]
