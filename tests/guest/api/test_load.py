# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The module says when it is loaded if it can't be of use."""

import subprocess

import pytest

ADVICE = "iommufd: no PCI device has an IOMMU"


def messages() -> str:
    subprocess.run(["/usr/sbin/modprobe", "iommufd"], check=True)
    return subprocess.run(["dmesg"], check=True, capture_output=True, text=True).stdout


@pytest.mark.guest(kernels="main", iommu="none")
def test_no_iommu() -> None:
    assert messages().count(ADVICE) == 1


@pytest.mark.guest(kernels="main", iommu="intel")
def test_iommu() -> None:
    assert ADVICE not in messages()
