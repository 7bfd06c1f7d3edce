# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Our modules on the kernel of a distribution, next to modules that it came with."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.guest(kernels="stock", devices=["edu"])

MODULES = Path("/lib/modules") / os.uname().release
TYPE1 = MODULES / "kernel/drivers/vfio/vfio_iommu_type1.ko.xz"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def without_type1() -> Iterator[None]:
    """Our module is not loaded: a module of that name can be."""
    subprocess.run(["/usr/sbin/rmmod", "vfio_iommu_type1"], check=True)
    yield
    subprocess.run(["/usr/sbin/modprobe", "vfio_iommu_type1"], check=True)


def test_modules_are_ours() -> None:
    for name in ("iommufd", "vfio", "vfio-pci", "vfio-pci-core", "vfio_iommu_type1"):
        found = run("/usr/sbin/modinfo", "-F", "filename", name).stdout
        assert Path(found.strip()).is_relative_to(MODULES / "updates")


@pytest.mark.usefixtures("without_type1")
def test_drivers_for_the_original_vfio(tmp_path: Path) -> None:
    """They know other structures: the kernel refuses them."""
    module = tmp_path / "vfio_iommu_type1.ko"
    with module.open("wb") as file:
        subprocess.run(["xz", "-dc", TYPE1], check=True, stdout=file)
    assert run("/usr/sbin/insmod", module).returncode != 0
    assert "from namespace VFIO_FOR_IOMMUFD, but does not import it" in run("dmesg").stdout
