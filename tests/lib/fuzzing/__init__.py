# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Support for tests/fuzz: guests, comparison of kernels, coverage."""
