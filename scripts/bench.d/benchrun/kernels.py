# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The kernels to measure, and their properties."""

import hashlib
import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from vmrun.arch import ARM64
from vmrun.paths import arch_of_kernel

from .errors import BenchError
from .paths import TOP
from .results import Kernel

# The machine that this runs on.
HERE = "here"
WATCHED = "+top"
# With pinlimit, iommufd charges the policy of that name.
# smmu has what only an IOMMU with nested translation has.
BACKENDS = ("iommufd", "mock", "type1", "floor", "pinlimit", "smmu")
# The test configuration has the mock IOMMU that its backend needs; the benchmark configuration is
# like that of distributions. The first backend finds memory as it is after booting: cases with a
# baseline come first, and after the same cases in each kind of run.
MATRIX = {
    "bench": ["iommufd", "floor", "type1", "pinlimit"],
    "peer-bench": ["iommufd"],
    "main": ["mock"],
    "peer": ["mock"],
}
NOT_CONFIGURATION = re.compile(
    r"^(#.*|CONFIG_(CC_VERSION_TEXT|GCC_VERSION|AS_VERSION|LD_VERSION"
    r"|PAHOLE_VERSION)=.*)?$"
)


@dataclass(frozen=True)
class Subject:
    """A kernel as named on the command line."""

    name: str
    backends: tuple[str, ...]

    @property
    def kernel(self) -> str:
        """The name for scripts/vm."""
        return self.name.removesuffix(WATCHED)

    @property
    def watched(self) -> bool:
        """Whether iommufd-top watches."""
        return self.name.endswith(WATCHED)

    @property
    def folder(self) -> Path:
        """The directory of the kernel."""
        return Path(self.kernel) if "/" in self.kernel else TOP / "build" / "kernel" / self.kernel

    @property
    def on_arm64(self) -> bool:
        """Whether its guests have an SMMU."""
        return self.kernel != HERE and arch_of_kernel(self.kernel) is ARM64

    def has(self, symbol: str) -> bool:
        """Whether its configuration has a symbol."""
        return f"{symbol}=" in _read(self.folder / "config")

    def describe(self) -> Kernel:
        """Its properties, to compare with those in a baseline."""
        if self.kernel == HERE:
            return Kernel(self.name, os.uname().release, "", platform.version())
        config = _read(self.folder / "config")
        lines = [x for x in config.splitlines() if not NOT_CONFIGURATION.match(x)]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        compiler = re.search(r'^CONFIG_CC_VERSION_TEXT="(.*)"', config, re.MULTILINE)
        release = _read(self.folder / "release").strip()
        return Kernel(self.name, release, digest, compiler[1] if compiler else "")


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        name = file.parent.name
        raise BenchError(f"no kernel at {file.parent}: run scripts/build-kernel {name}") from None


def subjects(names: list[str], backends: list[str]) -> list[Subject]:
    """The named kernels, or the whole matrix, with the backends for each."""
    if not names:
        names = list(MATRIX)
        return [
            Subject(n, tuple(b for b in MATRIX[n] if not backends or b in backends)) for n in names
        ]
    found = []
    for name in names:
        subject = Subject(name, tuple(backends or ("iommufd", "mock", "smmu")))
        missing = set()
        if subject.kernel == HERE or not subject.has("CONFIG_IOMMUFD_TEST"):
            missing.add("mock")
        if not subject.on_arm64:
            missing.add("smmu")
        found.append(Subject(name, tuple(b for b in subject.backends if b not in missing)))
    return found
