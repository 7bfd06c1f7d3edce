# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Knows that the IOMMU stopped a transfer: by the fault that its driver logs."""

import re
import time
from collections.abc import Callable

from .edu import Edu
from .kmsg import Kmsg

# Short, because some IOMMUs report each word and their driver logs only so many.
LENGTH = 8
# The drivers limit how much they log in 5 s. A fault that was lost to that comes
# up when the transfer is tried again.
TRY = 2.0
PATIENCE = 30.0


def expect_fault(transfer: Callable[[int, int], None], iova: int) -> None:
    """Does a transfer of `iova`, which must fault, until the fault is seen."""
    write = "Write" if transfer.__func__ is Edu.dma_write else "Read"  # type: ignore[attr-defined]
    # VT-d tells the direction before the address, virtio-iommu behind it.
    pattern = f"DMA {write}.* fault addr {iova:#x} |page fault .* at {iova:#x} .{write[0]}?\\]"
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


def faults_in(lines: list[str]) -> list[str]:
    """The lines of a log that tell of faults."""
    return [x for x in lines if re.search(r"DMAR: \[DMA|page fault from EP", x)]
