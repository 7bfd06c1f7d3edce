# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""scripts/generate: one module per source and per output."""
