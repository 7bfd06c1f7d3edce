# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Data that differs everywhere, the same on the host and in the guest."""

import random


def pattern(seed: str, size: int) -> bytes:
    """Bytes that only this seed gives."""
    return random.Random(seed).randbytes(size)
