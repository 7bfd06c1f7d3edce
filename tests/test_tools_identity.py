# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Names of VMs and facts about devices, from recorded files of /proc and /sys."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
POD = "7c6f1f3a-6a3b-4d0e-9f5c-0d2f6f1a2b3c"


@pytest.fixture(scope="module")
def build() -> Path:
    """The directory of a build with AddressSanitizer and UBSan, which abort on any error."""
    folder = TOP / "build" / "sanitized"
    command = ["make", "-s", "-C", TOP / "tools", f"O={folder}", "SANITIZE=1", "WERROR=1"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def call(build: Path, function: str, *arguments: str) -> list[str]:
    """The results of a function of the library, one for each argument."""
    command = [build / "tools" / "lib-test", function, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.split("\n")[:-1]


ARGUMENTS = {
    "/usr/bin/qemu-system-x86_64|-name|guest=web1,debug-threads=on|-S|": "web1",
    "qemu-kvm|-m|2G|-name|db|": "db",
    "/usr/libexec/qemu-kvm|-name|debug-threads=on,guest=a,,b|": "a,b",
    "kvm|--name|win 11,process=x|": "win 11",
    "qemu-system-x86_64|-name|guest=" + "n" * 200 + "|": "n" * 63,
    # No name, the wrong program, a cut file, nothing at all.
    "qemu-system-x86_64|-name|": "",
    "qemu-system-x86_64|-m|1G|": "",
    "/usr/bin/python3|-name|web1|": "",
    "qemu-system-x86_64|-name|guest=we": "",
    "": "",
}

CGROUPS = {
    r"0::/machine.slice/machine-qemu\x2d3\x2dweb1.scope/libvirt/emulator": "web1",
    r"0::/machine.slice/machine-qemu\x2d12\x2dmy\x2dvm.scope": "my-vm",
    "0::/machine.slice/machine-builder.scope/payload": "builder",
    f"0::/kubepods/burstable/pod{POD}/0123456789abcdef": f"pod {POD}",
    "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod"
    + POD.replace("-", "_")
    + ".slice/cri-containerd-0123.scope": f"pod {POD}",
    "12:pids:/system.slice\n"
    "1:name=systemd:/machine.slice/machine-qemu\\x2d1\\x2dold.scope\n": "old",
    "0::/user.slice/user-1000.slice/session-2.scope": "",
    "0::/kubepods.slice/podman": "",
    r"0::/machine-\x2": "",
    "": "",
}


def test_arguments(build: Path) -> None:
    assert call(build, "vm-arguments", *ARGUMENTS) == list(ARGUMENTS.values())


def test_cgroups(build: Path) -> None:
    assert call(build, "vm-cgroup", *CGROUPS) == list(CGROUPS.values())


def test_process(build: Path, tmp_path: Path) -> None:
    """The arguments go before the cgroup; control characters are replaced."""
    for pid, arguments, cgroup in (
        (1, b"qemu-system-x86_64\0-name\0we\x1bb\0", "0::/machine.slice/machine-x.scope"),
        (2, b"cloud-hypervisor\0", "0::/machine.slice/machine-y.scope"),
        (3, b"bash\0", "0::/"),
    ):
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "cmdline").write_bytes(arguments)
        (tmp_path / "proc" / str(pid) / "cgroup").write_text(cgroup)
    found = call(build, "vm", *(f"{tmp_path}:{pid}" for pid in (1, 2, 3, 4)))
    assert found == ["1 we?b", "1 y", "0 ", "0 "]


def test_device(build: Path, tmp_path: Path) -> None:
    address = "0000:3b:00.0"
    device = tmp_path / "sys/bus/pci/devices" / address
    device.mkdir(parents=True)
    values = {"vendor": "0x8086", "device": "0x1572", "class": "0x020000", "numa_node": "1"}
    for name, value in values.items():
        (device / name).write_text(value + "\n")
    (device / "driver").symlink_to("../../../bus/pci/drivers/vfio-pci")
    (device / "iommu_group").symlink_to("../../../kernel/iommu_groups/42")
    found = call(
        build, "device", f"{tmp_path}+{address}", f"{tmp_path}+0000:3b:00.1", f"{tmp_path}+mock0"
    )
    assert found == ["1 8086:1572 0200 vfio-pci 1 42", "1    -1 -1", "0    -1 -1"]
