# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Which guest a test needs: @pytest.mark.guest(...). The nearest marker wins."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from vmrun.arch import X86, Arch
from vmrun.paths import arch_of_kernel

TESTS = Path(__file__).resolve().parent.parent.parent
# tests/harness has samples of what can go wrong, for the test of this plugin.
GUEST_TESTS = {TESTS / "guest", TESTS / "harness"}

# The name by which the guest knows an item. pytest-xdist appends to the host's name.
NODEID = pytest.StashKey[str]()

# With all the devices that they use, most tests can share one boot.
DEFAULT_DEVICES = ("edu", "edu", "nvme")


@dataclass(frozen=True)
class GuestConfig:
    """The options of scripts/vm. Tests with equal configurations share a boot."""

    kernel: str = "main"
    iommu: str = X86.usual_iommu
    devices: tuple[str, ...] = DEFAULT_DEVICES
    smp: int = 2
    memory: str = "2G"
    hugepages: int = 16
    append: tuple[str, ...] = ()
    icount: bool = False
    parallel: bool = False

    @property
    def sanitized(self) -> bool:
        """Whether the kernel has sanitizers, which make it slow."""
        return "debug" in self.kernel

    @property
    def arch(self) -> Arch:
        """The architecture of the kernel."""
        return arch_of_kernel(self.kernel)

    def __str__(self) -> str:
        return f"{self.kernel}-{self.iommu}"


@dataclass
class Wish:
    """The requests of a test's markers. `kernels`, `beside` and `iommu` may be lists.

    `mock`: the test uses the mock IOMMU or injects faults.
    """

    kernels: tuple[str, ...] | None = None
    beside: tuple[str, ...] = ()
    iommus: tuple[str, ...] = (X86.usual_iommu,)
    mock: bool = False
    rest: dict = field(default_factory=dict)

    def iommus_of(self, kernel: str) -> list[str]:
        """Those that a guest can have: the usual one of x86 stands for that of any machine."""
        arch = arch_of_kernel(kernel)
        names = [arch.usual_iommu if i == X86.usual_iommu else i for i in self.iommus]
        return [name for name in names if name in arch.iommus]


def _several(value: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def wish(definition: pytest.Item | pytest.Function) -> Wish:
    """Combines all guest markers of a test."""
    found: dict = {}
    for mark in definition.iter_markers("guest"):
        for name, value in mark.kwargs.items():
            found.setdefault(name, value)
    result = Wish()
    if "kernels" in found:
        result.kernels = _several(found.pop("kernels"))
    if "beside" in found:
        result.beside = _several(found.pop("beside"))
    if "iommu" in found:
        result.iommus = _several(found.pop("iommu"))
    result.mock = found.pop("mock", False)
    result.rest = {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}
    return result


def is_guest_path(path: Path) -> bool:
    """Whether the tests of a file run in a guest."""
    return not GUEST_TESTS.isdisjoint(path.parents)


def runs_in_guest(item: pytest.Item) -> bool:
    """Whether an item needs a guest: one that is skipped needs none."""
    return is_guest_path(item.path) and not item.get_closest_marker("skip")


def nodeid_of(item: pytest.Item) -> str:
    """The name by which the guest knows an item."""
    return item.stash.get(NODEID, item.nodeid)


def config_of(item: pytest.Function) -> GuestConfig:
    """The guest in which an item runs."""
    params = item.callspec.params
    base = GuestConfig(kernel=params["kernel"], iommu=params["iommu"])
    return replace(base, **wish(item).rest)
