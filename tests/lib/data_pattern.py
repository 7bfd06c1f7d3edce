# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Data without repetition, the same on the host and in the guest."""

import random


def pattern(seed: str, size: int) -> bytes:
    """Bytes that are determined by the seed."""
    return random.Random(seed).randbytes(size)
