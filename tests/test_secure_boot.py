# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Debian's kernel, started with Secure Boot: modules load if DKMS signed them with a trusted key.

The trusted key is one of the firmware, which stands for a key that mokutil has enrolled: Debian's
kernel looks for the keys of modules in both places.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from debian_packages import install
from debian_root import System
from vmrun.paths import BUILD, ROOT

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("packages")]

STOCK = BUILD / "kernel" / "stock"
# Our modules, by the release of the kernel.
UPDATES = "lib/modules/{}/updates"
# That of Debian's package ovmf, with which SECURE_OVMF starts.
CERTIFICATE = Path("/usr/share/ovmf/PkKek-1-snakeoil.pem")
KEY = CERTIFICATE.with_suffix(".key")
PASSWORD = "snakeoil"
LIMIT = 300


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The private key, without its password."""
    plain = tmp_path / "key.pem"
    command = ["openssl", "rsa", "-in", KEY, "-passin", f"pass:{PASSWORD}", "-out", plain]
    subprocess.run(command, check=True, capture_output=True)
    return plain


@pytest.fixture
def signed(key: Path, tmp_path: Path) -> Path:
    """The folder of the stock kernel, with a signed image. Our modules in it have no signature."""
    folder = tmp_path / "kernel"
    shutil.copytree(STOCK, folder, symlinks=True)
    image = folder / "bzImage"
    command = ["sbsign", "--key", key, "--cert", CERTIFICATE, "--output", image, STOCK / "bzImage"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def run(kernel: Path, command: str, device: str = "none") -> subprocess.CompletedProcess[str]:
    """Runs a shell command in a guest."""
    options = ["--kernel", kernel, "--secure-boot", "--device", device]
    return subprocess.run(
        [ROOT / "scripts" / "vm", *options, "--", "sh", "-c", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        cwd=BUILD / "bin",
    )


def findings(output: str) -> dict[str, dict]:
    """The checks of iommufd-doctor, by name."""
    lines = map(json.loads, output.splitlines())
    return {line["check"]: line for line in lines if "check" in line}


def test_no_signature(signed: Path) -> None:
    """The kernel refuses the modules, and iommufd-doctor says what to do."""
    done = run(signed, "modprobe iommufd; ./iommufd-doctor --json")
    assert "Key was rejected by service" in done.stderr or "Required key" in done.stderr, done
    found = findings(done.stdout)
    assert found["signatures"]["state"] == "warning"
    assert "(Secure Boot is on)" in found["signatures"]["what"]
    assert "mokutil --import" in found["signatures"]["advice"]


def test_signed_by_dkms(
    packages: dict[str, Path], system: System, release: str, key: Path, signed: Path
) -> None:
    """With the key in DKMS's configuration. All works in a kernel that is locked down."""
    for file in (key, CERTIFICATE):
        shutil.copy(file, system.path / "etc/dkms")
    (system.path / "etc/dkms/framework.conf.d/key.conf").write_text(
        f"mok_signing_key=/etc/dkms/{key.name}\nmok_certificate=/etc/dkms/{CERTIFICATE.name}\n"
    )
    status, output = install(system, packages["iommufd-bpf-dkms"], before=System.CACHED)
    assert status == 0, output

    updates = signed / "modroot" / UPDATES.format(release)
    shutil.rmtree(updates)
    shutil.copytree(system.path / UPDATES.format(release), updates)
    subprocess.run(["depmod", "-b", signed / "modroot", release], check=True)
    done = run(
        signed,
        "./iommufd-doctor --json && ./iommufd-top --json --iterations 1 >&2 &&"
        " ./iommufd-policy load audit >&2 && ./iommufd-policy list >&2",
        device="edu",
    )
    assert done.returncode == 0, done
    found = findings(done.stdout)
    assert found["signatures"]["state"] == "ok"
    assert found["signatures"]["what"].endswith("iommufd-bpf is loaded (Secure Boot is on)")
    assert "integrity" in found["lockdown"]["what"]
    assert found["tools"]["state"] == "ok"
