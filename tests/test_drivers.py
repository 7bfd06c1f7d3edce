# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Code that links to iommufd but is in no guest kernel, as compiled by scripts/build-drivers, and
built-in iommufd, as compiled by scripts/lint: each symbol that it uses must exist.

No image is linked. The symbols of modules are therefore compared with the exports
of the compiled objects, and else with those in the source.
"""

import re
import subprocess
from pathlib import Path

import pytest
from vmrun.paths import ROOT

GRAFTED = ROOT / "build" / "linux" / "grafted"
OURS = "drivers/iommu/iommufd"
SMMU = "drivers/iommu/arm/arm-smmu-v3"
PCI = "drivers/vfio/pci"
LIMIT = 1800

# Other directories that can export a module's symbols.
EXPORTERS = ("arch", "block", "drivers", "fs", "init", "ipc", "kernel", "lib", "mm", "net", "virt")
# A macro may paste a name together: then only its beginning is known.
EXPORT = re.compile(r"EXPORT_\w*SYMBOL\w*\(\s*(\w+)(##)?")
TRACEPOINT = r"(?:__tracepoint_|__traceiter_|__SC[TK]__tp_func_)?"
EXPORTED = "__export_symbol_"

OBJECTS = {
    "arm64": (
        f"{OURS}/builtin/mmap.o",
        f"{OURS}/builtin/object.o",
        f"{OURS}/builtin/viommu.o",
        f"{OURS}/builtin/iova_bitmap.o",
        f"{OURS}/builtin/sw_msi.o",
        f"{OURS}/mock/viommu.o",
        f"{OURS}/vfio/container.o",
        f"{SMMU}/arm-smmu-v3-iommufd.o",
        f"{SMMU}/tegra241-cmdqv.o",
    ),
    "driver-only": (f"{OURS}/builtin/iova_bitmap.o", f"{PCI}/mlx5/main.o", f"{PCI}/pds/dirty.o"),
}
MODULES = {
    "arm64": (
        f"{OURS}/iommufd.ko",
        f"{OURS}/iommufd_kunit.ko",
        f"{SMMU}/arm_smmu_v3.ko",
        f"{PCI}/vfio-pci-core.ko",
        "drivers/vfio/vfio.ko",
    ),
    "driver-only": (
        f"{PCI}/mlx5/mlx5-vfio-pci.ko",
        f"{PCI}/pds/pds-vfio-pci.ko",
        f"{PCI}/vfio-pci-core.ko",
        "drivers/vfio/vfio.ko",
    ),
}


@pytest.fixture(scope="module", params=list(OBJECTS))
def name(request: pytest.FixtureRequest) -> str:
    """Compiles it, unless that is done."""
    script = ROOT / "scripts" / "build-drivers"
    done = subprocess.run(
        [script, request.param], capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return request.param


@pytest.fixture(scope="module")
def exports() -> re.Pattern:
    """The names that any source file exports to modules."""
    grep = ["grep", "-rhoE", "--include=*.[cS]", "--exclude-dir=iommufd", r"EXPORT_[A-Z_]*\([^)]*"]
    places = [GRAFTED / place for place in EXPORTERS]
    lines = subprocess.run([*grep, *places], capture_output=True, text=True, check=True).stdout
    found = {symbol + (r"\w*" if pasted else "") for symbol, pasted in EXPORT.findall(lines)}
    return re.compile(f"{TRACEPOINT}(?:{'|'.join(sorted(found))})")


def exported_by(out: Path) -> set[str]:
    """The names that the objects in drivers/ export to modules."""
    found = symbols("--defined-only", *(out / "drivers").rglob("*.o"))
    return {x.removeprefix(EXPORTED) for x in found if x.startswith(EXPORTED)}


def symbols(option: str, *files: Path) -> set[str]:
    """The symbols that nm lists."""
    nm = ["llvm-nm-19", "--quiet", "--format=just-symbols", option, *files]
    lines = subprocess.run(nm, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line for line in lines if line and not line.endswith(":")}


@pytest.mark.full
def test_compiled(name: str) -> None:
    """All intended parts are there, and nothing of iommufd itself unless it is configured."""
    out = GRAFTED / f"o-drivers-{name}"
    missing = [x for x in OBJECTS[name] + MODULES[name] if not (out / x).is_file()]
    assert not missing
    if name == "driver-only":
        ours = {str(x.relative_to(out / OURS)) for x in (out / OURS).rglob("*.o")}
        assert ours == {"builtin/iova_bitmap.o"}


@pytest.mark.full
def test_modules_find_their_symbols(name: str, exports: re.Pattern) -> None:
    out = GRAFTED / f"o-drivers-{name}"
    known = exported_by(out)
    for module in MODULES[name]:
        wanted = symbols("--undefined-only", out / module)
        assert wanted, module
        assert [x for x in sorted(wanted - known) if not exports.fullmatch(x)] == [], module


@pytest.mark.full
def test_drivers_use_our_part(name: str) -> None:
    """Without this, the test above would also pass if the drivers did not use iommufd."""
    users = {
        "arm64": {f"{SMMU}/arm_smmu_v3.ko": "iommufd_", "drivers/vfio/vfio.ko": "iommufd_"},
        "driver-only": dict.fromkeys(MODULES[name][:2], "iova_bitmap_"),
    }
    out = GRAFTED / f"o-drivers-{name}"
    ours = symbols("--defined-only", *(out / OURS).rglob("*.o"))
    for module, prefix in users[name].items():
        used = {x for x in symbols("--undefined-only", out / module) if x.startswith(prefix)}
        assert used, module
        assert sorted(used - ours) == [], module


@pytest.mark.full
def test_built_in_finds_its_symbols() -> None:
    """With CONFIG_IOMMUFD=y; the rest of the image is the same as in the image of `make kernel`."""
    archive = GRAFTED / "o-lint" / OURS / "built-in.a"
    image = ROOT / "build" / "kernel" / "main" / "vmlinux"
    if not archive.is_file() or not image.exists():
        pytest.fail("built-in.a or vmlinux is missing: run `make lint` first")
    objects = [
        archive.parent / x
        for x in subprocess.run(
            ["ar", "t", archive], capture_output=True, text=True, check=True
        ).stdout.split()
    ]
    assert archive.parent / "main.o" in objects
    there = symbols("--defined-only", *objects) | symbols("--defined-only", image)
    assert sorted(symbols("--undefined-only", *objects) - there) == []
