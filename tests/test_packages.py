# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The Debian packages: their contents, and what they do in a Debian 13 system.

The system has headers, source and VFIO of a kernel of Debian's, as that is after its installation.
Only test_install compiles the modules.
"""

import json
import re
import subprocess
from pathlib import Path

import debian_root
import pytest
from debian_packages import NAMES, bring, files_of, install
from debian_root import System

pytestmark = pytest.mark.xdist_group("packages")

TOP = Path(__file__).resolve().parent.parent
VERSION = re.search(r"^VERSION := (.*)$", (TOP / "tools/Makefile").read_text(), re.MULTILINE)[1]
SOURCE = f"usr/src/iommufd-bpf-{VERSION}"
# Where kernels have modules, as opposed to those of DKMS.
OWN = "/kernel/"
OURS = "/updates/dkms/"


def module_file(system: System, kernel: str, name: str) -> str:
    """The file of a module that modprobe would load."""
    return system.run(f"modinfo -k {kernel} -F filename {name}")[1].strip()


def test_versions() -> None:
    """One version everywhere."""
    changelog = (TOP / "debian/changelog").read_text()
    spec = (TOP / "packaging/iommufd-bpf.spec").read_text()
    assert changelog.startswith(f"iommufd-bpf ({VERSION}) ")
    assert re.search(r"^Version: +(.*)$", spec, re.MULTILINE)[1] == VERSION


def test_tools_package(packages: dict[str, Path], tmp_path: Path) -> None:
    """All that `make install` installs."""
    command = ["make", "-s", "-C", TOP / "tools", "install", "PREFIX=/usr", f"DESTDIR={tmp_path}"]
    subprocess.run(command, check=True, capture_output=True)
    wanted = {str(x.relative_to(tmp_path)) for x in tmp_path.rglob("*") if not x.is_dir()}
    found = {re.sub(r"\.8\.gz$", ".8", name) for name in files_of(packages["iommufd-bpf-tools"])}
    assert found == wanted


@pytest.fixture(scope="module")
def arm64_package() -> Path:
    """The tools for arm64."""
    if reason := debian_root.why_not():
        pytest.skip(reason)
    subprocess.run([TOP / "scripts/build-deb", "arm64"], check=True, capture_output=True)
    (package,) = (TOP / "build/deb-arm64").glob("iommufd-bpf-tools_*_arm64.deb")
    return package


@pytest.fixture
def arm64_tools(arm64_package: Path, tmp_path: Path) -> Path:
    """Its contents, in a directory."""
    subprocess.run(["dpkg-deb", "-x", arm64_package, tmp_path], check=True)
    return tmp_path


@pytest.mark.full
def test_tools_for_arm64(packages: dict[str, Path], arm64_package: Path, arm64_tools: Path) -> None:
    """The same files, with programs for arm64, and the libraries that these need."""
    assert files_of(arm64_package) == files_of(packages["iommufd-bpf-tools"])
    for program in (arm64_tools / "usr/sbin").iterdir():
        # e_machine is EM_AARCH64.
        assert program.read_bytes()[18:20] == b"\xb7\0", program.name
    command = ["dpkg-deb", "-f", arm64_package, "Depends"]
    shown = subprocess.run(command, capture_output=True, text=True)
    names = {name.split()[0] for name in shown.stdout.split(",")}
    assert {"libbpf1", "libc6", "libjson-c5", "libncursesw6"} <= names


@pytest.mark.full
def test_tools_run_on_arm64(arm64_tools: Path) -> None:
    """They start with Debian 13's libraries, and the kernel accepts their BPF programs."""
    root = subprocess.check_output([TOP / "scripts/debian-root", "arm64"], text=True).strip()
    libraries = f"{root}/usr/lib/aarch64-linux-gnu"
    policy = arm64_tools / "usr/lib/iommufd-bpf/policy_audit.bpf.o"
    names = sorted(program.name for program in (arm64_tools / "usr/sbin").iterdir())
    script = f"""
        run() {{
            program=$1
            shift
            {libraries}/ld-linux-aarch64.so.1 --library-path {libraries} \
                {arm64_tools}/usr/sbin/$program "$@"
        }}
        set -e
        modprobe iommufd
        for name in {" ".join(names)}; do run $name --version; done
        run iommufd-pins --json
        run iommufd-policy load {policy}
        run iommufd-policy list
    """
    vm = [TOP / "scripts/vm", "--arch", "arm64", "--", "sh", "-c", script]
    lines = subprocess.check_output(vm, text=True).splitlines()
    assert lines[: len(names)] == [f"{name} {VERSION}" for name in names]
    pins, _, listed = lines[len(names) :]
    assert json.loads(pins)["source"] == "ours"
    assert listed.split()[0] == "audit"


def test_dkms_package(packages: dict[str, Path]) -> None:
    """The sources of the modules, and nothing but them and the scripts of DKMS."""
    found = files_of(packages["iommufd-bpf-dkms"])
    ours = {str(x.relative_to(TOP)) for x in (TOP / "kernel").rglob("*") if x.is_file()}
    ours |= {str(x.relative_to(TOP)) for x in (TOP / "dkms").iterdir() if x.suffix != ".in"}
    wanted = {f"{SOURCE}/{name}" for name in {*ours, "dkms.conf"}}
    assert found == wanted | {"usr/share/dkms/modules_to_force_install/iommufd-bpf"}


def test_lintian(packages: dict[str, Path], system: System) -> None:
    """No errors, warnings or hints that can be mended."""
    bring(system, *packages["iommufd-bpf-dkms"].parent.glob("iommufd-bpf*"))
    status, output = system.run("lintian --info --fail-on error,warning,info /tmp/*.changes")
    assert status == 0, output


def test_install(packages: dict[str, Path], system: System, release: str) -> None:
    """Installs the modules, keeps them while another kernel's update fails, removes them."""
    before = digests(system, release)
    status, output = install(system, *packages.values(), before=System.CACHED)
    assert status == 0, output
    build = f"/{SOURCE}/dkms/build --list --kernel {release}"
    names = [line.split()[0] for line in system.output(build).splitlines()]
    assert {"iommufd", "vfio", "vfio-pci", "vfio_iommu_type1"} <= set(names)
    for name in names:
        assert OURS in module_file(system, release, name)
        signer = system.output(f"modinfo -k {release} -F signer {name}")
        assert "DKMS" in signer
    symbols = f"/lib/modules/{release}/build/Module.symvers"
    assert system.output(f"depmod -n -E {symbols} {release} 2>&1 >/dev/null") == ""
    assert VERSION in system.output("iommufd-top --version")

    check_update(system, release)

    system.output(f"apt-get purge -y {' '.join(NAMES)}")
    assert digests(system, release) == before
    for name in ("vfio", "vfio-pci", "vfio_iommu_type1"):
        assert OWN in module_file(system, release, name)
    for place in (f"/lib/modules/{release}/updates", "/var/lib/dkms/iommufd-bpf", f"/{SOURCE}"):
        assert system.run(f"test -e {place}")[0] != 0, place


def digests(system: System, kernel: str) -> str:
    """The state of all modules of a kernel."""
    return system.output(f"find /lib/modules/{kernel}/ -name '*.ko*' | sort | xargs sha256sum")


def check_update(system: System, kernel: str) -> None:
    """A kernel update that stops half way: the hooks of DKMS say what is missing."""
    before = digests(system, kernel)
    new = re.sub(r"^(\d+\.\d+)\.\d+", r"\1.99", kernel)
    # The image is there and its headers are not.
    system.output(f"mkdir -p /lib/modules/{new}; ln -s /usr/src/none /lib/modules/{new}/build")
    output = system.run(f"/etc/kernel/postinst.d/dkms {new}")[1]
    assert f"kernel {new} was skipped since the kernel headers" in output
    # The headers are those of the old kernel.
    system.output(f"ln -sfn $(readlink -f /lib/modules/{kernel}/build) /lib/modules/{new}/build")
    status, output = system.run(f"/etc/kernel/header_postinst.d/dkms {new}")
    assert status != 0
    assert re.search(rf"^iommufd-bpf: the headers .* those of {re.escape(kernel)}", output, re.M)
    assert digests(system, kernel) == before
    assert ": installed" in system.output(f"dkms status -k {kernel}")
    system.output(f"rm -r /lib/modules/{new}")


def hide(file: str) -> str:
    """A script that makes a file unavailable; its name may be a pattern."""
    return f"for file in {file}; do mv $file $file.hidden; done"


BAD = {
    "no headers": (hide("/lib/modules/*/build"), 0, "No kernel headers were found"),
    "headers of another series": (
        "cd /lib/modules; mv * 6.12.1-amd64",
        0,
        r"6\.12\.1-amd64[\s\S]*BUILD_EXCLUSIVE",
    ),
    "no source": (
        hide("/usr/src/linux-source-*.tar.xz"),
        1,
        r"(?m)^iommufd-bpf: .*: install linux-source-7\.3$",
    ),
    "no compiler": (
        "rm /usr/bin/x86_64-linux-gnu-gcc-14",
        1,
        "(?m)^iommufd-bpf: the compiler of the kernel is missing: ",
    ),
    "no pahole": (
        hide("/usr/bin/pahole"),
        1,
        "(?m)^iommufd-bpf: pahole is missing: install it",
    ),
    "no space": (
        "mkdir -p /var/lib/dkms; mount -t tmpfs -o size=3M tmpfs /var/lib/dkms",
        1,
        "(?m)^iommufd-bpf: no space left on device: ",
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_refused(packages: dict[str, Path], system: System, case: str) -> None:
    """A clear message, and the kernel keeps its modules."""
    break_it, failed, message = BAD[case]
    system.output(break_it)
    (release,) = system.output("ls /lib/modules").split()
    before = digests(system, release)
    status, output = install(system, packages["iommufd-bpf-dkms"])
    assert bool(status) == bool(failed), output
    assert re.search(message, output), output
    assert digests(system, release) == before
    assert OWN in module_file(system, release, "vfio")
    # It can be removed in that state.
    system.output("apt-get purge -y iommufd-bpf-dkms")
    assert not (system.path / SOURCE).exists()


def test_make_dkms(packages: dict[str, Path], system: System) -> None:
    """Installs the files of the package; leaves an installed package alone."""
    tree = "git ls-files -z --cached --others --exclude-standard | xargs -0 tar -c"
    files = subprocess.run(tree, shell=True, check=True, capture_output=True, cwd=TOP).stdout
    (system.path / "tmp/tree.tar").write_bytes(files)
    system.output("mkdir /tmp/tree; tar -xf /tmp/tree.tar -C /tmp/tree; rm -r /lib/modules/*/build")
    status, output = system.run("/tmp/tree/scripts/install-dkms")
    assert status != 0
    assert "no kernel has its headers installed" in output
    found = system.output(f"cd /; find {SOURCE} -type f").split()
    package = files_of(packages["iommufd-bpf-dkms"])
    assert set(found) == {name for name in package if name.startswith(SOURCE)}
    system.output("/tmp/tree/scripts/install-dkms --remove")
    assert not (system.path / SOURCE).exists()
    assert not system.output("dkms status")

    assert install(system, packages["iommufd-bpf-dkms"])[0] == 0
    status, output = system.run("/tmp/tree/scripts/install-dkms")
    assert status != 0
    assert "the package iommufd-bpf-dkms is installed" in output
