# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The RPM packages: their contents, and what their scripts do.

There is no Fedora here. Debian's rpm builds them, and installs them in a Debian 13 system that has
DKMS and the headers of a kernel, without regard to the names of the packages that they require.
"""

import subprocess
from pathlib import Path

import pytest
from debian_packages import files_of
from debian_root import System

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("packages")]

TOP = Path(__file__).resolve().parent.parent
SPEC = TOP / "packaging" / "iommufd-bpf.spec"
# Macros that Fedora has in packages of their own.
FEDORA = {
    "_unitdir": "/usr/lib/systemd/system",
    "python3": "/usr/bin/python3",
    "systemd_post()": "%{nil}",
    "systemd_preun()": "%{nil}",
    "systemd_postun_with_restart()": "%{nil}",
}


def query(package: Path, *words: str) -> set[str]:
    """The lines that rpm prints about the file of a package."""
    command = ["rpm", "--query", "--package", *words, package]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Builds them from the files of the tree."""
    top = tmp_path_factory.mktemp("rpmbuild")
    spec = subprocess.run(
        ["rpmspec", "--query", "--srpm", "--queryformat", "%{name}-%{version}", SPEC],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    (top / "SOURCES").mkdir()
    tree = (
        "git ls-files -z --cached --others --exclude-standard |"
        f" tar --null -T - --transform 's|^|{spec}/|' -czf {top}/SOURCES/{spec}.tar.gz"
    )
    subprocess.run(tree, shell=True, check=True, cwd=TOP)
    defines = {"_topdir": str(top), **FEDORA}
    options = [f"--define={name} {value}" for name, value in defines.items()]
    built = subprocess.run(
        ["rpmbuild", "-bb", "--nodeps", *options, SPEC], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    found = list((top / "RPMS").rglob("*.rpm"))
    return {path.name.split("-0")[0]: path for path in found}


def test_contents(rpms: dict[str, Path], packages: dict[str, Path]) -> None:
    """The same files as in the Debian packages, but for documents and other directories."""
    assert set(rpms) == {"iommufd-bpf-tools", "iommufd-bpf-dkms"}
    for name, rpm in rpms.items():
        wanted = {Path(file).name for file in files_of(packages[name])}
        found = {Path(file).name for file in query(rpm, "--list") if "/doc" not in file}
        missing = {file.removesuffix(".gz") for file in wanted}
        missing -= {file.removesuffix(".gz") for file in found}
        assert not missing


def test_install(rpms: dict[str, Path], system: System, release: str) -> None:
    """Compiles and installs the modules, and puts the kernel's own ones back."""
    rpm = ["rpm", "--root", system.root, "--nodeps"]
    system.on_host(*rpm, "--install", rpms["iommufd-bpf-dkms"])
    module = f"modinfo -k {release} -F filename vfio"
    assert "/updates/dkms/" in system.output(module)
    system.on_host(*rpm, "--erase", "iommufd-bpf-dkms")
    assert "/kernel/" in system.output(module)
    assert system.run("ls -d /usr/src/iommufd-bpf-*")[0] != 0
