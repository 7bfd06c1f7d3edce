# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Which messages of a kernel's log count as problems."""

import pytest
from vmrun.klog import find_problems

WARN = """\
[    5.000000] ------------[ cut here ]------------
[    5.000001] WARNING: {where} at some_function+0x1/0x2, CPU#1: python3/77
[    5.000002] Modules linked in: vfio_pci iommufd
[    5.000003] CPU: 1 UID: 0 PID: 77 Comm: iommufd_worker Not tainted 7.3.4 #1
[    5.000004] Call Trace:
[    5.000005]  <TASK>
[    5.000006]  {frame}
[    5.000007]  </TASK>
[    5.000008] ---[ end trace 0000000000000000 ]---
[    5.000009] after
"""

LOCKDEP = """\
[    3.1] ======================================================
[    3.1] WARNING: possible circular locking dependency detected
[    3.1] 7.3.4 #1 Not tainted
[    3.1] ------------------------------------------------------
[    3.1] python3/77 is trying to acquire lock:
"""

QUIET = [
    "[    1.0] DMAR: [DMA Write PASID 0x0] Request device [0000:00:10.0] fault addr 0x2000",
    "[    1.0] ACPI BIOS Warning (bug): something",
    "[    1.0] x86/mm: Checked W+X mappings: passed, no W+X pages found.",
    "[    1.0] Firmware Bug: TSC_DEADLINE disabled",
    "[    1.0] iommufd: loaded",
]

LOUD = [
    "BUG: KASAN: slab-use-after-free in foo+0x1/0x2",
    "BUG: kernel NULL pointer dereference, address: 0000000000000000",
    "kernel BUG at mm/gup.c:1!",
    "Oops: general protection fault, probably for non-canonical address: 0000 [#1] SMP",
    "Kernel panic - not syncing: Fatal exception",
    "WARNING: suspicious RCU usage",
    "WARNING: bad unlock balance detected!",
    "UBSAN: shift-out-of-bounds in foo.c:1:2",
    "BUG: sleeping function called from invalid context at foo.c:1",
    "[ BUG: Invalid wait context ]",
    "refcount_t: underflow; use-after-free.",
    "list_del corruption. prev->next should be 1",
    "ODEBUG: free active (active state 0) object",
    "INFO: task python3:77 blocked for more than 120 seconds.",
]


@pytest.mark.parametrize(
    ("where", "frame", "count"),
    [
        ("drivers/iommu/iommufd/core/object.c:9", "foo+0x1/0x2", 1),
        ("drivers/iommu/intel/iommu.c:9", "iommufd_fops_ioctl+0x1/0x2 [iommufd]", 1),
        ("drivers/iommu/iommu.c:9", "iommufd_hwpt_detach+0x1/0x2", 1),
        ("arch/x86/kernel/apic.c:9", "setup_local_APIC+0x1/0x2", 0),
    ],
    ids=["place", "module", "built-in", "not-ours"],
)
def test_plain_warning(where: str, frame: str, count: int) -> None:
    """Ours if our code is in it; the list of modules and the process name do not count."""
    found = find_problems(WARN.format(where=where, frame=frame))
    assert len(found) == count
    if count:
        assert where in str(found[0])
        assert "after" not in str(found[0])


@pytest.mark.parametrize("line", LOUD, ids=lambda x: x[:30])
@pytest.mark.parametrize("stamp", ["[    7.123456] ", "[    7.123456][   T77] ", ""])
def test_always_counts(line: str, stamp: str) -> None:
    (found,) = find_problems(f"[ 7.1] before\n{stamp}{line}\n[ 7.2] what it says about it\n")
    assert found.title == line
    assert "what it says about it" in str(found)


@pytest.mark.parametrize("line", QUIET, ids=lambda x: x[:30])
def test_never_counts(line: str) -> None:
    assert not find_problems(line)


def test_lockdep() -> None:
    (found,) = find_problems(LOCKDEP)
    assert "is trying to acquire lock" in str(found)


def test_two_reports() -> None:
    log = WARN.format(where="drivers/iommu/iommufd/main.c:1", frame="foo+0x1/0x2") * 2
    assert len(find_problems(log)) == 2
