# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/failures.md is a contract: the list of the running kernel is the one on the page."""

import re
import subprocess

import pytest
from iommufd import reasons

pytestmark = pytest.mark.guest(kernels="main")


def test_list() -> None:
    """The same reasons in the same order, as tracers print them."""
    assert reasons.printed() == list(enumerate(reasons.documented()))


def test_enum() -> None:
    """The same in BTF, where programs find them by name."""
    command = ["/usr/sbin/bpftool", "btf", "dump", "file", "/sys/kernel/btf/iommufd", "format", "c"]
    text = subprocess.run(
        [*command, "-B", "/sys/kernel/btf/vmlinux"], check=True, capture_output=True, text=True
    ).stdout
    body = re.search(r"enum iommufd_reason \{(.*?)\};", text, flags=re.DOTALL)[1]
    found = re.findall(r"IOMMUFD_REASON_(\w+) = (\d+)", body)
    assert [(int(n), name.lower()) for name, n in found] == reasons.printed()
