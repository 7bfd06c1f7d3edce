# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""scripts/vm: one module per concern."""
