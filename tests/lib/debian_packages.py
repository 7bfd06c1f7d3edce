# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A plugin: our Debian packages, and a Debian 13 system to install them in."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import debian_root
import pytest
from debian_root import System

TOP = Path(__file__).resolve().parents[2]
NAMES = ("iommufd-bpf-dkms", "iommufd-bpf-tools")


@pytest.fixture(scope="session")
def packages() -> dict[str, Path]:
    """Builds them, unless that is done."""
    made = subprocess.run([TOP / "scripts" / "build-deb"], capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    found = {path.name.split("_")[0]: path for path in (TOP / "build" / "deb").glob("*.deb")}
    return {name: found[name] for name in NAMES}


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A Debian 13 system without our packages."""
    if reason := debian_root.why_not():
        pytest.skip(reason)
    with System(debian_root.base(), tmp_path) as system:
        yield system


@pytest.fixture
def release(system: System) -> str:
    """The kernel whose headers are installed; `kernel` is a fixture of tests in guests."""
    (release,) = system.output("ls /lib/modules").split()
    return release


def bring(system: System, *files: Path) -> str:
    """Copies files into the system's /tmp; their names there."""
    for file in files:
        (system.path / "tmp" / file.name).write_bytes(file.read_bytes())
    return " ".join(f"/tmp/{file.name}" for file in files)


def install(system: System, *files: Path, before: str = "") -> tuple[int, str]:
    """Installs packages with apt."""
    names = bring(system, *files)
    return system.run(f"{before} apt-get install -y --no-install-recommends {names}")


def files_of(package: Path) -> set[str]:
    """The files of a package, without documents."""
    command = f"dpkg-deb --fsys-tarfile {package} | tar -t"
    listed = subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
    names = {line.removeprefix("./") for line in listed.splitlines() if not line.endswith("/")}
    return {name for name in names if not name.startswith(("usr/share/doc/", "usr/share/lintian/"))}
