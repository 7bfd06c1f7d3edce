# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The names of reasons in bpftrace/iommufd_fail.bt."""

from . import between, reasons
from .paths import TOP

PATH = TOP / "bpftrace" / "iommufd_fail.bt"


def text() -> str:
    names = [reason.name for reason in reasons.load().reasons]
    return between.replaced(
        PATH, [f'\t@reason[{number}] = "{name}";' for number, name in enumerate(names)]
    )
