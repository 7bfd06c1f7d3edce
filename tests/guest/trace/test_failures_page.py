# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""docs/failures.md is a contract: it lists the reasons of the running kernel."""

import re
import subprocess
from pathlib import Path

import pytest
from guestpytest.config import TESTS
from iommufd import reasons

# Reasons that no test can provoke, and why.
NOT_PROVOKED = {
    "not_said": "would be a defect",
    "faults_of_vf": "no virtual function of QEMU has page requests (PRI)",
}
BTF = Path("/sys/kernel/btf")
# How the tests name the reason that they expect: in tables, or next to an event's.
PROVOKED = {
    "test_reasons*.py": re.compile(r'(?:Case\(\s*|\["reason"\].*== \(?)"(\w+)"'),
    "test_polic*.py": re.compile(r'"(\w+_by_policy|pinning_denied)"'),
}

pytestmark = pytest.mark.guest(kernels=["tools", "builtin"])


def test_list() -> None:
    """The same reasons in the same order, as tracers print them."""
    assert reasons.printed() == list(enumerate(reasons.documented()))


def test_enum() -> None:
    """The same in BTF, where programs find them by name."""
    kernel, module = BTF / "vmlinux", BTF / "iommufd"
    file = [module, "-B", kernel] if module.exists() else [kernel]
    command = ["/usr/sbin/bpftool", "btf", "dump", "file", *file, "format", "c"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    body = re.search(r"enum iommufd_reason \{(.*?)\};", text, flags=re.DOTALL)[1]
    found = re.findall(r"IOMMUFD_REASON_(\w+) = (\d+)", body)
    assert [(int(n), name.lower()) for name, n in found] == reasons.printed()


def test_all_are_provoked() -> None:
    """Each by a test, except for those that cannot be provoked."""
    found = {
        reason
        for names, pattern in PROVOKED.items()
        for test in (TESTS / "guest").rglob(names)
        for reason in pattern.findall(test.read_text())
    }
    # This one is reported once for each allocation.
    found.add("no_memory")
    assert not found & NOT_PROVOKED.keys()
    assert found | NOT_PROVOKED.keys() == {*reasons.documented()}
