# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Around tests/fuzz: running it in guests, comparing kernels, what it does not reach."""
