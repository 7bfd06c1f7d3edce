# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The base kernel's own tests of VFIO, unmodified, one test per case.

Their driver for igb does real DMA: frames that the device sends to itself. The name
of a variant says which IOMMU API it uses. `vfio_type1*` is iommufd on the kernels
where iommufd is the container; on other kernels it tests none of our code.
"""

import conformance
import kselftest
import pytest
from iommufd import edu, nvme, vfio

pytestmark = [
    pytest.mark.full,
    pytest.mark.x86("the suite is not among the programs of other guests"),
    pytest.mark.guest(
        kernels=("main", "installed", "peer", "container", "peer-container"),
        devices=("igb", "edu", "nvme"),
        # The tests of a driver map 1 GiB of small pages, the others one huge page of that size.
        memory="4G",
        append=("hugepagesz=1G hugepages=1", "vfio_pci.enable_sriov=1"),
    ),
    pytest.mark.limit(240),
]

CASES = kselftest.vfio_cases()
IDS = {"igb": (0x8086, 0x10C9), "edu": (edu.VENDOR, edu.DEVICE), "nvme": (nvme.VENDOR, nvme.DEVICE)}
DRIVER = "vfio_pci_driver_test"
VIRTUAL = "vfio_pci_sriov_uapi_test"
ALL_DEVICES = "vfio_pci_device_init_perf_test"
# The programs that also say something about the other variants.
OTHERS = ("vfio_cdev.", "vfio_pci_device_test.", "vfio_pci_irq_test.")
# On emulated CPUs.
PATIENCE = 4


def named(device: str, *of: str) -> list[str]:
    """Cases under the name that they have here: the device, then their own name."""
    return [f"{device}.{case}" for case in CASES if case.startswith(of or "")]


def run(request: pytest.FixtureRequest, name: str, kernel: str) -> None:
    """Runs one case."""
    device, _, case = name.partition(".")
    conformance.expect(request, name, kernel)
    addresses = vfio.find(*IDS[device])[:1]
    if CASES[case].endswith(ALL_DEVICES):
        addresses += [vfio.find(*IDS[other])[0] for other in IDS if other != device]
    result = kselftest.run(CASES[case], case, PATIENCE, addresses)
    conformance.judge(result, name)


ELSEWHERE = named("igb", DRIVER, VIRTUAL)
BESIDE = [
    *(case for case in named("igb") if case not in ELSEWHERE),
    *named("edu", *OTHERS),
    *named("nvme", *OTHERS),
]


@pytest.mark.parametrize("case", BESIDE)
def test_case(request: pytest.FixtureRequest, kernel: str, case: str) -> None:
    run(request, case, kernel)


@pytest.mark.guest(kernels=("main", "installed", "peer"))
@pytest.mark.parametrize("case", named("igb", f"{DRIVER}.iommufd"))
def test_dma(request: pytest.FixtureRequest, kernel: str, case: str) -> None:
    run(request, case, kernel)


@pytest.mark.guest(kernels=("container", "peer-container"))
@pytest.mark.parametrize("case", named("igb", f"{DRIVER}.vfio_type1"))
def test_dma_of_container(request: pytest.FixtureRequest, kernel: str, case: str) -> None:
    run(request, case, kernel)


@pytest.mark.guest(kernels=("container", "peer-container"))
@pytest.mark.parametrize("case", named("igb", VIRTUAL))
def test_virtual_function(request: pytest.FixtureRequest, kernel: str, case: str) -> None:
    run(request, case, kernel)
