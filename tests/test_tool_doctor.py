# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-doctor, on made-up hosts: below a folder with a /sys, a /proc and a /dev of their own."""

import json
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_tools_lib import build

__all__ = ["build"]

BIN = Path(__file__).resolve().parent.parent / "build" / "bin"
RELEASE = "7.3.4-test"
CAP_SYS_ADMIN, CAP_IPC_LOCK, CAP_PERFMON, CAP_BPF = (1 << n for n in (21, 14, 38, 39))
DEVICE, SIBLING, BRIDGE = "0000:01:00.0", "0000:01:00.1", "0000:00:1c.0"
OTHER = "0000:01:01.0"
PCI = "sys/bus/pci/devices"
MEMLOCK = "Max locked memory         {}              {}              bytes\n"
STATUS = "Name:\tdoctor\nUid:\t0\t{uid}\t0\t0\nCapEff:\t{caps:016x}\n"


class Link(str):
    """The target of a symbolic link."""


class Host:
    """A folder that looks like a machine on which everything is right."""

    def __init__(self, root: Path, folder: Path = BIN) -> None:
        self.root = root
        self.tool = folder / "iommufd-doctor"
        for path, content in {
            "dev/iommu": "",
            "dev/vfio/vfio": "",
            "dev/vfio/devices/vfio0": "",
            "etc": None,
            f"lib/modules/{RELEASE}/modules.dep": "updates/dkms/iommufd.ko.xz: kernel/x.ko.xz\n",
            "proc/cmdline": "root=/dev/sda1 intel_iommu=on\n",
            "proc/devices": "Character devices:\n 10 misc\n245 vfio-dev\n246 vfio\n",
            "proc/interrupts": " 24:  0  0  IR-PCI-MSI-0000:00:1c.0  0-edge  pciehp\n",
            "proc/kallsyms": "0 T iommufd_viommu_find_dev\n"
            "0 t __traceiter_iommufd_fail\t[iommufd]\n"
            "0 t vfio_group_use_container\t[vfio]\n",
            "proc/meminfo": "MemTotal:       16384000 kB\nMemFree: 1 kB\n",
            "proc/mounts": "tracefs /sys/kernel/tracing tracefs rw 0 0\n"
            "hugetlbfs /dev/hugepages hugetlbfs rw 0 0\n",
            "proc/self/limits": MEMLOCK.format(8388608, 8388608),
            "proc/self/status": STATUS.format(uid=0, caps=(1 << 41) - 1),
            "proc/sys/kernel/osrelease": f"{RELEASE}\n",
            "proc/sys/kernel/unprivileged_bpf_disabled": "2\n",
            "sys/class/iommu/dmar0": None,
            "sys/class/misc/iommu": None,
            "sys/class/misc/vfio": None,
            "sys/class/vfio-dev/vfio0": None,
            "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages": "8\n",
            "sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages": "6\n",
            "sys/kernel/btf/vmlinux": "",
            "sys/kernel/btf/iommufd": "",
            "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "8\n",
            "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "6\n",
            "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
            "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
            "sys/kernel/tracing/events/iommufd": None,
            "sys/module/iommufd/initstate": "live\n",
            "sys/module/iommufd/version": "0.1\n",
            "sys/module/module/parameters/sig_enforce": "N\n",
            "sys/module/vfio": None,
        }.items():
            self.put(path, content)
        self.device(DEVICE, "vfio-pci", 7)
        self.put(f"{PCI}/{DEVICE}/reset_method", "flr bus\n")
        self.put(f"{PCI}/{DEVICE}/numa_node", "1\n")
        self.put(f"{PCI}/{DEVICE}/vfio-dev/vfio0/dev", "245:0\n")

    def put(self, path: str, content: str | bytes | None) -> None:
        """A file, a link, or a folder (None)."""
        full = self.root / path
        if full.is_symlink() or full.is_file():
            full.unlink()
        full.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            full.mkdir(parents=True, exist_ok=True)
        elif isinstance(content, Link):
            full.symlink_to(content)
        elif isinstance(content, bytes):
            full.write_bytes(content)
        else:
            full.write_text(content)

    def remove(self, *paths: str) -> None:
        for path in paths:
            full = self.root / path
            if full.is_dir() and not full.is_symlink():
                shutil.rmtree(full)
            else:
                full.unlink()

    def device(self, address: str, driver: str, group: int | None, kind: str = "020000") -> None:
        """A PCI device below the bridge."""
        behind = "" if address == BRIDGE else f"/{BRIDGE}"
        real = f"sys/devices/pci0000:00{behind}/{address}"
        self.put(real, None)
        self.put(f"{PCI}/{address}", Link(f"../../../devices/pci0000:00{behind}/{address}"))
        self.put(f"{real}/class", f"0x{kind}\n")
        if driver:
            self.put(f"{real}/driver", Link(f"../../bus/pci/drivers/{driver}"))
        if group is not None:
            self.put(f"{real}/iommu_group", Link(f"../../kernel/iommu_groups/{group}"))
            self.put(f"sys/kernel/iommu_groups/{group}/devices/{address}", None)

    def bind(self, address: str, driver: str) -> None:
        self.put(f"{PCI}/{address}/driver", Link(f"../../bus/pci/drivers/{driver}"))

    def user(self, caps: int, uid: int = 0) -> None:
        self.put("proc/self/status", STATUS.format(uid=uid, caps=caps))

    def process(self, pid: int, command: str, *files: str) -> None:
        self.put(f"proc/{pid}/comm", command + "\n")
        self.put(f"proc/{pid}/fd", None)
        for number, file in enumerate(files):
            self.put(f"proc/{pid}/fd/{number}", Link(file))

    def run(
        self, *arguments: str, prefix: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        command = [*prefix, str(self.tool), f"--root={self.root}"]
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)

    def look(self, *arguments: str, prefix: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """All lines; the exit status and the last line must agree with them."""
        done = self.run("-j", *arguments, prefix=prefix)
        assert done.stderr == ""
        *lines, sums = map(json.loads, done.stdout.splitlines())
        states = [line["state"] for line in lines]
        assert sums == {"problems": states.count("problem"), "warnings": states.count("warning")}
        assert done.returncode == (1 if sums["problems"] else 0)
        assert set(states) <= {"ok", "warning", "problem", "n/a"}
        return lines

    def check(
        self, name: str, state: str, *texts: str, advice: str | None = None, **options: Any
    ) -> None:
        """One check of the host: its only line, and what it advises."""
        arguments = options.pop("arguments", ())
        lines = [line for line in self.look(*arguments, **options) if line["check"] == name]
        (line,) = [line for line in lines if line.get("device") == options.get("device")] or lines
        assert line["state"] == state, line
        for text in texts:
            assert text in line["what"], line
        assert (advice or "") in line.get("advice", ""), line
        assert state != "ok" or "advice" not in line, line


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def device_line(host: Host, name: str, *devices: str) -> dict[str, Any]:
    """The line of a check of the device."""
    lines = host.look(*devices)
    (line,) = (x for x in lines if x["check"] == name and x.get("device") == DEVICE)
    return line


def test_all_is_well(host: Host) -> None:
    """No line says otherwise, and each check has one."""
    lines = host.look()
    assert {line["state"] for line in lines} == {"ok", "n/a"}
    assert [line["check"] for line in lines if "device" not in line] == [
        *("iommu", "interrupts", "iommufd", "driver-half", "file", "users", "container", "vfio"),
        *("memlock", "thp", "hugepages"),
        *("tracefs", "btf", "bpf", "lockdown", "signatures", "tools"),
    ]
    assert [line["check"] for line in lines if "device" in line] == [
        *("driver", "file", "group", "reset", "numa", "users"),
    ]


def test_text(host: Host) -> None:
    """Checks that do not apply are only shown with -v; advice is below its line."""
    host.remove("dev/iommu")
    done = host.run()
    assert (done.returncode, done.stderr) == (1, "")
    assert f"ok       driver      {DEVICE} is bound to vfio-pci\n" in done.stdout
    assert "n/a" not in done.stdout
    problem = "problem  file        iommufd is loaded, but there is no /dev/iommu here\n"
    assert problem + " " * 21 + "Let udev create it: udevadm trigger " in done.stdout
    assert done.stdout.endswith("\n1 problem, 0 warnings\n")
    assert "n/a      users       no process has" in host.run("-v").stdout


def test_control_characters(host: Host) -> None:
    host.process(12, "\x1b[2Jred", "/dev/iommu")
    host.check("users", "ok", "open in ?[2Jred (12)")
    assert "\x1b" not in host.run("-v").stdout


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("eth0", "'eth0' is not a PCI address"),
        ("01:00.8", "'01:00.8' is not a PCI address"),
        ("0000:01:20.0", "is not a PCI address"),
        ("0000:01:00.0x", "is not a PCI address"),
        ("0000:01:00", "is not a PCI address"),
        ("", "'' is not a PCI address"),
        ("--frobnicate", "unrecognized option"),
    ],
)
def test_usage(host: Host, argument: str, says: str) -> None:
    done = host.run(argument)
    assert (done.returncode, done.stdout) == (64, "")
    assert says in done.stderr


def test_errors(host: Host) -> None:
    """No /proc; a full disk."""
    with open("/dev/full", "w") as full:
        command = [host.tool, f"--root={host.root}"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "iommufd-doctor: can't write: No space left on device\n",
    )
    host.remove("proc")
    done = host.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{host.root}/proc or {host.root}/sys is not mounted" in done.stderr


TABLES = "sys/firmware/acpi/tables"


@pytest.mark.parametrize(
    ("table", "says", "advice"),
    [
        ("DMAR", "does not use the firmware's VT-d", "intel_iommu=on"),
        ("IVRS", "does not use the firmware's AMD-Vi", "amd_iommu=off"),
        (None, "there is no IOMMU", "Enable VT-d or AMD-Vi in the firmware's setup"),
    ],
)
def test_iommu_off(host: Host, table: str | None, says: str, advice: str) -> None:
    host.remove("sys/class/iommu", "sys/kernel/iommu_groups")
    if table:
        host.put(f"{TABLES}/{table}", "")
    host.check("iommu", "problem", says, advice=advice)
    host.check("interrupts", "n/a")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dmar0", "Intel VT-d"),
        ("ivhd0", "AMD-Vi"),
        ("smmu3.0x2b400000", "Arm SMMUv3"),
        ("virtio3", "virtio-iommu"),
        ("iommufd_selftest_iommu.0", "mock"),
        ("iommufd_mock", "mock"),
        ("other", "IOMMU is on (other)"),
    ],
)
def test_iommu_on(host: Host, name: str, kind: str) -> None:
    host.remove("sys/class/iommu")
    host.put(f"sys/class/iommu/{name}", None)
    host.check("iommu", "ok", kind, "1 groups of devices")
    host.put("proc/cmdline", "iommu=pt\n")
    host.check("iommu", "ok", kind, "passthrough")


def test_iommu_and_mock(host: Host) -> None:
    """The mock of tests is not the one to name, although its name comes first."""
    host.remove("sys/class/iommu")
    for name in ("iommufd_mock", "smmu3.0x2b400000"):
        host.put(f"sys/class/iommu/{name}", None)
    host.check("iommu", "ok", "Arm SMMUv3 is on (smmu3.0x2b400000 and others)")


def test_iommu_without_groups(host: Host) -> None:
    host.remove("sys/kernel/iommu_groups")
    host.check("iommu", "problem", "no device is behind it")


def test_groups_without_iommu(host: Host) -> None:
    host.remove("sys/class/iommu")
    host.check("iommu", "warning", "no IOMMU is on")


def test_interrupts(host: Host) -> None:
    host.put("proc/interrupts", " 24:  0  0  PCI-MSI-0000:00:1c.0  IO-APIC  pciehp\n")
    host.check("interrupts", "problem", "does not remap", advice="allow_unsafe_interrupts")
    host.put("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n")
    host.check("interrupts", "problem")
    host.put("sys/module/iommufd/parameters/allow_unsafe_interrupts", "Y\n")
    host.check("interrupts", "warning", "allow_unsafe_interrupts is set")
    host.put("proc/interrupts", " 24:  0  0  ITS-MSI  pciehp\n")
    host.check("interrupts", "n/a")


def test_iommufd_missing(host: Host) -> None:
    """Not loaded, or not there at all."""
    host.remove("sys/class/misc/iommu", "sys/module/iommufd", "dev/iommu")
    host.check("iommufd", "problem", "is not loaded", advice="modprobe iommufd")
    host.check("tools", "warning", "can't start: iommufd is not loaded")
    host.put(f"lib/modules/{RELEASE}/modules.dep", "kernel/vfio/vfio.ko.xz:\n")
    host.check("iommufd", "problem", "has no iommufd", advice="iommufd-bpf-dkms")
    assert not [line for line in host.look() if line["check"] == "driver-half"]


OURS = "0 t __traceiter_iommufd_fail{}\n"
DRIVER = "0 T iommufd_viommu_find_dev{}\n"
DRIVER_OURS = "0 T __traceiter_iommufd_vevent{}\n"
MODULE = "\t[iommufd]"


@pytest.mark.parametrize(
    ("symbols", "module", "owner", "half"),
    [
        (
            OURS.format(MODULE) + DRIVER.format("") + DRIVER_OURS.format(""),
            True,
            ("ok", "iommufd-bpf 0.1, a module (updates/dkms/iommufd.ko.xz)"),
            ("ok", "from iommufd-bpf too"),
        ),
        (
            OURS.format(MODULE) + DRIVER.format(""),
            True,
            ("ok", "iommufd-bpf 0.1, a module"),
            ("ok", "the kernel's own: what needs both halves is refused"),
        ),
        (
            (OURS + DRIVER + DRIVER_OURS).format(MODULE, MODULE, MODULE),
            True,
            ("ok", "iommufd-bpf 0.1, a module"),
            ("ok", "is in the module"),
        ),
        (
            (OURS + DRIVER + DRIVER_OURS).format("", "", ""),
            False,
            ("ok", "iommufd-bpf, built in"),
            ("ok", "from iommufd-bpf too"),
        ),
        (
            DRIVER.format(""),
            True,
            ("warning", "the stock one 0.1, a module"),
            ("ok", "built in, and the kernel's own"),
        ),
        (DRIVER.format(""), False, ("warning", "the stock one, built in"), ("ok", "")),
        (
            DRIVER.format("") + DRIVER_OURS.format(""),
            True,
            ("warning", "the stock one"),
            ("warning", "from iommufd-bpf, but the module is not"),
        ),
        (OURS.format(MODULE), True, ("ok", "iommufd-bpf"), ("n/a", "")),
        ("", True, ("warning", "the stock one"), ("n/a", "")),
    ],
    ids=["graft", "halves", "module", "builtin", "stock", "stock-builtin", "mixed", "?", "none"],
)
def test_whose(
    host: Host, symbols: str, module: bool, owner: tuple[str, str], half: tuple[str, str]
) -> None:
    """Which iommufd, and which half."""
    host.put("proc/kallsyms", symbols)
    if not module:
        host.remove("sys/module/iommufd")
    if owner[0] == "warning":
        host.put(f"lib/modules/{RELEASE}/modules.dep", "kernel/drivers/iommu/iommufd.ko:\n")
    advice = "iommufd-bpf-dkms" if owner[0] == "warning" else None
    host.check("iommufd", *owner, advice=advice)
    host.check("driver-half", *half)


def test_loaded_before_it_was_replaced(host: Host) -> None:
    """iommufd-bpf is installed, but the stock module was loaded before."""
    host.put("proc/kallsyms", DRIVER.format(""))
    says = "the stock one 0.1 is loaded, although updates/dkms/iommufd.ko.xz is installed"
    host.check("iommufd", "warning", says, advice="modprobe -a iommufd vfio-pci")


def test_whose_without_symbols(host: Host) -> None:
    """The types say it, too; the name is across two blocks of reading."""
    host.remove("proc/kallsyms")
    host.check("iommufd", "warning", "the stock one")
    host.put("sys/kernel/btf/iommufd", "x" * 65530 + "\0trace_event_raw_iommufd_fail\0")
    host.check("iommufd", "ok", "iommufd-bpf")
    host.check("driver-half", "n/a")


@pytest.fixture
def stranger(host: Host) -> Iterator[tuple[Host, tuple[str, ...]]]:
    """A user other than the owner of the files, and a host that is visible to everyone."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        shutil.copy(host.tool, folder)
        open_host = Host(Path(folder) / "root", Path(folder))
        prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        open_host.user(0, 65534)
        yield open_host, () if os.geteuid() else prefix


def test_files_closed(stranger: tuple[Host, tuple[str, ...]]) -> None:
    """Neither /dev/iommu nor the device may be opened."""
    host, prefix = stranger
    for name in ("dev/iommu", "dev/vfio/devices/vfio0"):
        (host.root / name).chmod(0)
    lines = [line for line in host.look(prefix=prefix) if line["check"] == "file"]
    assert [line["state"] for line in lines] == ["problem", "problem"]
    assert "may not open /dev/iommu" in lines[0]["what"]
    assert "setfacl -m u:65534:rw /dev/iommu" in lines[0]["advice"]
    assert "/dev/vfio/devices/vfio0, which this user may not open" in lines[1]["what"]
    assert "setfacl -m u:65534:rw /dev/vfio/devices/vfio0" in lines[1]["advice"]


def test_files_of_others(stranger: tuple[Host, tuple[str, ...]]) -> None:
    """Only root sees what the processes of others have open."""
    host, prefix = stranger
    host.process(12, "qemu-kvm", "/dev/iommu")
    (host.root / "proc/12/fd").chmod(0)
    lines = [line for line in host.look(prefix=prefix) if line["check"] == "users"]
    assert [line["state"] for line in lines] == ["n/a", "n/a"]
    assert all("1 processes are only visible to root" in line["what"] for line in lines)
    (host.root / "proc/12/fd").chmod(0o755)


def test_events_closed(stranger: tuple[Host, tuple[str, ...]]) -> None:
    host, prefix = stranger
    (host.root / "sys/kernel/tracing").chmod(0)
    host.check("tracefs", "warning", "may not access", advice="remount,gid=", prefix=prefix)
    (host.root / "sys/kernel/tracing").chmod(0o755)


def test_users(host: Host) -> None:
    host.process(12, "qemu-system-x86", "/dev/iommu", "/dev/iommu", "/dev/null")
    host.process(13, "dpdk", "/dev/iommu")
    host.check("users", "ok", "/dev/iommu is open in qemu-system-x86 (12), dpdk (13)")


def test_no_device_file(host: Host) -> None:
    host.remove("dev/iommu")
    host.check("file", "problem", "there is no /dev/iommu here", advice="udevadm trigger")


def test_vfio_not_loaded(host: Host) -> None:
    host.remove("sys/class/vfio-dev", "sys/module/vfio")
    host.check("vfio", "warning", "VFIO is not loaded", advice="modprobe vfio-pci")


def test_vfio_without_device_files(host: Host) -> None:
    """Debian's VFIO; then one whose container is iommufd."""
    host.put("proc/devices", "Character devices:\n 10 misc\n246 vfio\n")
    host.check("vfio", "problem", "no device files", advice="CONFIG_VFIO_DEVICE_CDEV")
    host.put("proc/kallsyms", OURS.format(MODULE))
    host.check("vfio", "warning", "except through /dev/vfio/vfio")


def test_container(host: Host) -> None:
    host.check("container", "ok", "VFIO's own (type1)")
    host.put("proc/kallsyms", OURS.format(MODULE))
    host.check("container", "ok", "/dev/vfio/vfio is iommufd")
    host.put("sys/module/vfio_iommu_type1", None)
    host.check("container", "ok", "VFIO's own (type1)")
    host.remove("dev/vfio/vfio")
    host.check("container", "warning", "no /dev/vfio/vfio here", advice="udevadm")
    host.remove("sys/class/misc/vfio")
    host.check("container", "n/a")


def test_noiommu(host: Host) -> None:
    parameter = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
    host.put(parameter, "Y\n")
    host.check("noiommu", "warning", "without an IOMMU", advice="echo 0 >")
    host.put(parameter, "N\n")
    assert not [line for line in host.look() if line["check"] == "noiommu"]


def test_device_of_another_driver(host: Host) -> None:
    host.bind(DEVICE, "e1000e")
    assert [line["what"] for line in host.look() if line["check"] == "driver"] == [
        "no PCI device is bound to a driver of VFIO"
    ]
    line = device_line(host, "driver", "01:00.0")
    assert (line["state"], line["what"]) == (
        "problem",
        "is bound to e1000e, not to a driver of VFIO",
    )
    assert line["advice"].endswith(
        "modprobe vfio-pci; "
        f"echo vfio-pci >/{PCI}/{DEVICE}/driver_override; "
        f"echo {DEVICE} >/{PCI}/{DEVICE}/driver/unbind; "
        f"echo {DEVICE} >/sys/bus/pci/drivers_probe"
    )


def test_device_without_driver(host: Host) -> None:
    host.remove(f"{PCI}/{DEVICE}/driver")
    line = device_line(host, "driver", DEVICE)
    assert (line["state"], line["what"]) == ("problem", "has no driver")
    assert "unbind" not in line["advice"]


@pytest.mark.parametrize("driver", ["vfio-pci", "mlx5_vfio_pci", "hisi-acc-vfio-pci"])
def test_drivers_of_vfio(host: Host, driver: str) -> None:
    host.bind(DEVICE, driver)
    line = device_line(host, "driver")
    assert (line["state"], line["what"]) == ("ok", f"is bound to {driver}")


def test_device_that_does_not_exist(host: Host) -> None:
    lines = host.look("0000:05:00.0")
    (line,) = (line for line in lines if line.get("device") == "0000:05:00.0")
    assert (line["check"], line["state"], line["what"]) == ("driver", "problem", "does not exist")
    assert "lspci" in line["advice"]


def test_bridge(host: Host) -> None:
    """There is no advice to take it from its driver."""
    host.device(BRIDGE, "pcieport", 6, kind="060400")
    (line,) = (line for line in host.look(BRIDGE) if line.get("device") == BRIDGE)
    assert (line["check"], line["state"]) == ("driver", "problem")
    assert "is a bridge" in line["what"]
    assert "advice" not in line


def test_device_file(host: Host) -> None:
    """The file of the device, or that of its group."""
    host.remove("dev/vfio/devices/vfio0")
    line = device_line(host, "file")
    assert (line["state"], "udevadm" in line["advice"]) == ("problem", True)
    host.remove(f"{PCI}/{DEVICE}/vfio-dev/vfio0/dev")
    line = device_line(host, "file")
    assert (line["state"], "none for its group" in line["what"]) == ("problem", True)
    host.put("dev/vfio/7", "")
    line = device_line(host, "file")
    assert line["state"] == "ok"
    assert "/dev/vfio/7 of its group, which this user may open" in line["what"]


def test_group_of_another_driver(host: Host) -> None:
    """A function of the same device has a driver; then one that does no DMA, then VFIO's."""
    host.device(SIBLING, "snd_hda_intel", 7)
    host.device(BRIDGE, "pcieport", 7, kind="060400")
    line = device_line(host, "group")
    assert line["state"] == "problem"
    assert f"shares IOMMU group 7 with {SIBLING} (snd_hda_intel)" in line["what"]
    assert f"the driver snd_hda_intel of {SIBLING} is in the way" in line["what"]
    assert line["what"].endswith("they are functions of one device without ACS")
    assert f"echo {SIBLING} >/{PCI}/{SIBLING}/driver/unbind" in line["advice"]
    for driver in ("pci-stub", "vfio-pci"):
        host.bind(SIBLING, driver)
        line = device_line(host, "group")
        assert (line["state"], driver in line["what"]) == ("warning", True)
    host.remove(f"{PCI}/{SIBLING}/driver")
    assert f"{SIBLING} (no driver)" in device_line(host, "group")["what"]


def config(*capabilities: tuple[int, int], size: int = 4096) -> bytes:
    """A configuration space with extended capabilities: id, and 16 bits at offset 6."""
    space = bytearray(4096)
    for i, (number, control) in enumerate(capabilities):
        at = 0x100 + 0x40 * i
        after = at + 0x40 if i + 1 < len(capabilities) else 0
        struct.pack_into("<HHHH", space, at, number, 1 | after << 4, 0, control)
    return bytes(space[:size])


ACS, AER = 0x0D, 0x01


ACS_CASES = {
    "on": (config((AER, 0), (ACS, 0x1D)), "which has ACS"),
    "off": (config((ACS, 0x1C)), "whose ACS is off in part"),
    "none": (config((AER, 0)), "which has no ACS"),
    "empty": (config(), "which has no ACS"),
    "circle": (config((AER, 0))[:0x102] + b"\x01\x10" + bytes(0xEFC), "which has no ACS"),
    "outside": (config((AER, 0))[:0x102] + b"\xc1\xff" + bytes(0xEFC), "which has no ACS"),
    "not root": (config((ACS, 0x1D), size=64), "whose ACS only root can read"),
    "short": (config((ACS, 0x1D), size=256), "which has no ACS"),
    "missing": (None, "whose ACS only root can read"),
}


@pytest.mark.parametrize("case", ACS_CASES)
def test_group_below_a_bridge(host: Host, case: str) -> None:
    space, says = ACS_CASES[case]
    host.device(BRIDGE, "pcieport", 6, kind="060400")
    host.device(OTHER, "vfio-pci", 7)
    if space is not None:
        host.put(f"{PCI}/{BRIDGE}/config", space)
    line = device_line(host, "group")
    assert line["state"] == "warning"
    assert f"they are below bridge {BRIDGE}, {says}" in line["what"]


def test_no_group(host: Host) -> None:
    host.remove(f"{PCI}/{DEVICE}/iommu_group")
    line = device_line(host, "group")
    assert (line["state"], "is in no IOMMU group" in line["what"]) == ("problem", True)


def test_reset_and_node(host: Host) -> None:
    assert device_line(host, "reset")["what"] == "can be reset: flr bus"
    assert device_line(host, "numa")["what"].startswith("is on NUMA node 1")
    host.put(f"{PCI}/{DEVICE}/reset_method", "")
    assert device_line(host, "reset")["state"] == "warning"
    host.remove(f"{PCI}/{DEVICE}/reset_method")
    host.put(f"{PCI}/{DEVICE}/numa_node", "-1\n")
    assert device_line(host, "reset")["state"] == "warning"
    assert device_line(host, "numa")["state"] == "n/a"


@pytest.mark.parametrize("file", ["/dev/vfio/devices/vfio0", "/dev/vfio/7"])
def test_device_in_use(host: Host, file: str) -> None:
    host.process(12, "qemu-system-x86", file)
    host.process(13, "other", "/dev/vfio/devices/vfio1", "/dev/vfio/71")
    line = device_line(host, "users")
    assert line["state"] == "warning"
    assert f"in use: qemu-system-x86 (12) has {file} open" in line["what"]


def test_memlock(host: Host) -> None:
    host.check("memlock", "ok", "CAP_IPC_LOCK")
    host.user(0, 1000)
    advice = "/etc/security/limits.d/memlock.conf"
    host.check("memlock", "warning", "may lock 8.00M for DMA", advice=advice)
    for limit in ("unlimited", 16384000 << 10):
        host.put("proc/self/limits", MEMLOCK.format(limit, limit))
        host.check("memlock", "ok", "may lock all memory")
    host.remove("proc/self/limits")
    host.check("memlock", "n/a")


@pytest.mark.parametrize(
    ("limit", "locked", "pinned", "caps", "state", "says"),
    [
        ("unlimited", 0, 2 << 20, 0, "ok", "limit no limit, locked 0B, pinned 2.00G"),
        (1 << 30, 0, 1 << 10, 0, "ok", "limit 1.00G, locked 0B, pinned 1.00M"),
        (1 << 30, 0, 1 << 20, 0, "warning", "pinned 1.00G; hardly anything is left"),
        (1 << 30, 1 << 20, 0, 0, "warning", "locked 1.00G, pinned 0B; hardly"),
        (1 << 30, 1 << 20, 0, CAP_IPC_LOCK, "ok", "locked 1.00G"),
    ],
)
def test_memlock_of_vms(
    host: Host, limit: str | int, locked: int, pinned: int, caps: int, state: str, says: str
) -> None:
    """Sizes in KiB, as in the status of a process."""
    host.process(12, "qemu-system-x86")
    host.put("proc/12/limits", MEMLOCK.format(limit, limit))
    host.put(
        "proc/12/status",
        f"Name:\tqemu\nVmLck:\t{locked} kB\nVmPin:\t{pinned} kB\nCapEff:\t{caps:016x}\n",
    )
    _, line = (line for line in host.look() if line["check"] == "memlock")
    assert (line["state"], says in line["what"]) == (state, True), line
    assert line["what"].startswith("qemu-system-x86 (12): ")
    assert ("prlimit --pid 12" in line.get("advice", "")) == (state == "warning")


def test_memlock_of_vms_of_others(host: Host) -> None:
    host.process(12, "kvm")
    _, line = (line for line in host.look() if line["check"] == "memlock")
    assert (line["state"], "only root" in line["what"]) == ("n/a", True)


def test_huge_pages(host: Host) -> None:
    host.check(
        "hugepages",
        "ok",
        "6 of 8 pages of 2.00M free, 6 of 8 on node 0; hugetlbfs is at /dev/hugepages",
    )
    host.put("proc/mounts", "")
    host.check("hugepages", "ok", "not mounted")
    host.put("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "1\n")
    host.put("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n")
    found = [line["what"] for line in host.look() if line["check"] == "hugepages"]
    assert found[1].startswith("0 of 1 pages of 1.00G free;")


def test_no_huge_pages(host: Host) -> None:
    """It only matters where there are no transparent ones."""
    host.put("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0\n")
    host.check("hugepages", "n/a", "no huge pages are reserved", advice="sysctl vm.nr_hugepages")
    enabled = "sys/kernel/mm/transparent_hugepage/enabled"
    host.put(enabled, "[always] madvise never\n")
    host.check("thp", "ok", "are on")
    host.put(enabled, "always madvise [never]\n")
    host.check("thp", "warning", "are off", advice="echo madvise >")
    host.check("hugepages", "warning")
    host.remove(enabled)
    host.check("thp", "n/a")


def test_tracefs(host: Host) -> None:
    host.remove("sys/kernel/tracing")
    host.put("proc/mounts", "")
    host.check("tracefs", "problem", "can't be found", advice="mount -t tracefs")
    host.check("tools", "warning", "can't start: the kernel's trace events")
    host.put("sys/kernel/debug/tracing/events/iommufd", None)
    host.check("tracefs", "ok")
    host.check("tools", "ok")


def test_types(host: Host) -> None:
    host.remove("sys/kernel/btf/iommufd")
    host.check("btf", "problem", "iommufd module", advice="CONFIG_DEBUG_INFO_BTF_MODULES=y")
    host.check("tools", "warning", "can't start: the iommufd module")
    host.remove("sys/kernel/btf/vmlinux")
    host.check("btf", "problem", "this kernel", advice="CONFIG_DEBUG_INFO_BTF=y")
    host.put("sys/kernel/btf/vmlinux", "")
    host.remove("sys/module/iommufd")
    host.check("btf", "ok", "the kernel describes its types")


def test_rights(host: Host) -> None:
    host.user(CAP_BPF)
    host.check("bpf", "warning", "unprivileged_bpf_disabled is 2", advice="sudo")
    host.check("tools", "warning", "can't start: this needs root")
    host.user(CAP_BPF | CAP_PERFMON)
    host.check("bpf", "warning", "needs CAP_SYS_ADMIN")
    host.user(CAP_SYS_ADMIN)
    host.check("bpf", "ok")
    host.remove("sys/module/iommufd")
    host.user(CAP_BPF | CAP_PERFMON)
    host.check("bpf", "ok")
    host.check("tools", "ok")


LOCKDOWN = "sys/kernel/security/lockdown"
SECURE = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def test_lockdown(host: Host) -> None:
    host.check("lockdown", "ok", "not locked down")
    host.put(LOCKDOWN, "none [integrity] confidentiality\n")
    host.check("lockdown", "ok", "integrity")
    host.put(LOCKDOWN, "none integrity [confidentiality]\n")
    host.check("lockdown", "problem", "confidentiality", advice="lockdown=integrity")
    host.remove(LOCKDOWN)
    host.check("lockdown", "n/a")


def test_signatures(host: Host) -> None:
    """They matter where iommufd-bpf is yet to be loaded."""
    host.check("signatures", "ok", "need no signature (Secure Boot is off)")
    host.put(SECURE, b"\6\0\0\0\1")
    host.put("sys/module/module/parameters/sig_enforce", "Y\n")
    host.check("signatures", "ok", "iommufd-bpf is loaded (Secure Boot is on)")
    host.put("proc/kallsyms", DRIVER.format(""))
    host.check("signatures", "warning", "must be signed", advice="dkms generate_mok")
    host.put("var/lib/dkms/mok.pub", "")
    host.check("signatures", "warning", advice="mokutil --import /var/lib/dkms/mok.pub")
    host.put("sys/module/module/parameters/sig_enforce", "N\n")
    host.put(LOCKDOWN, "none [integrity] confidentiality\n")
    host.put(SECURE, b"\6\0\0\0\0")
    host.check("signatures", "warning", "(Secure Boot is off)")


def test_tools_on_stock_kernels(host: Host) -> None:
    host.remove("sys/kernel/tracing/events/iommufd")
    host.check("tools", "warning", "can't start: the iommufd of this kernel has no trace events")
    host.put("sys/kernel/tracing/events/syscalls/sys_exit_ioctl", None)
    host.check("tools", "warning", "show a part")


def test_sanitized(build: Path, tmp_path: Path) -> None:
    """Built with the sanitizers: all is well; files have anything in them; nothing is there."""
    host = Host(tmp_path, build / "bin")
    host.device(SIBLING, "e1000e", 7)
    host.device(BRIDGE, "pcieport", 6, kind="060400")
    host.process(12, "qemu-system-x86", "/dev/iommu", "/dev/vfio/devices/vfio0", "x" * 250)
    assert host.run(DEVICE).stderr == ""
    files = [path for path in host.root.rglob("*") if path.is_file() and not path.is_symlink()]
    for junk in (b"", b"\n", b"\0", b"9" * 5000, b"a:[" * 5000, bytes(range(256)) * 300):
        for path in files:
            path.write_bytes(junk)
        done = host.run("-v", DEVICE, "ffffff:ff:1f.7")
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout.isascii()
        assert done.stdout.endswith(" warnings\n") or done.stdout.endswith(" warning\n")
    host.remove("sys", "dev", "lib", "proc")
    host.put("sys", None)
    host.put("proc/self/status", "")
    done = host.run("-v")
    assert (done.returncode, done.stderr) == (1, "")
