# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""scripts/vm: streams, status, and guests that fail."""

import os
import select
import signal
import stat
import struct
import subprocess
from pathlib import Path

import pexpect
import pytest
from vmrun import iort
from vmrun.arch import ARCHES, ARM64, X86
from vmrun.cli import parse
from vmrun.initramfs import make_initramfs
from vmrun.machine import accelerator, command_line
from vmrun.paths import BUILD, ROOT, arch_of_kernel

VM = str(ROOT / "scripts" / "vm")
LIMIT = 300
FAILED = 125

# The kernel's own form of a warning, with our module in the trace.
WARNING = """\
------------[ cut here ]------------
WARNING: drivers/iommu/iommufd/ioas/map.c:42 at {function}, CPU#0: test/1
Modules linked in: vfio_pci iommufd
Call Trace:
 <TASK>
 {function}
 do_syscall_64+0x8b/0x2a0
 </TASK>
---[ end trace 0000000000000000 ]---
"""


@pytest.fixture
def vm(any_kernel: str):
    """scripts/vm with options and a command; a completed process."""

    def run(*words: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            [VM, "--kernel", any_kernel, *words],
            capture_output=True,
            timeout=LIMIT,
            check=False,
            **{"stdin": subprocess.DEVNULL, **options} if "input" not in options else options,
        )

    return run


@pytest.fixture
def start(any_kernel: str):
    """A scripts/vm process that prints `ready` before it goes on, and its QEMU."""
    processes = []

    def run(*words: str) -> tuple[subprocess.Popen, int]:
        process = subprocess.Popen(
            [VM, "--kernel", any_kernel, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        return process, os.pidfd_open(child_of(process.pid))

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def child_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1
    return int(children[0])


def wait_for_end(pidfd: int) -> None:
    """Returns when the process is gone."""
    try:
        assert select.select([pidfd], [], [], LIMIT)[0], "QEMU is left behind"
    finally:
        os.close(pidfd)


def test_streams_and_status(vm) -> None:
    """All byte values, in both directions, each stream on its own."""
    data = bytes(range(256)) * 4096 + b"\r\n\n\r\x00\xff no newline at the end"
    script = "cat; printf 'to\\r\\nstderr\\000' >&2; exit 3"
    done = vm("--", "sh", "-c", script, input=data)
    assert done.stdout == data
    assert done.stderr == b"to\r\nstderr\0"
    assert done.returncode == 3


def test_no_input(vm) -> None:
    """An empty standard input ends at once, and nothing is a terminal."""
    done = vm("--", "sh", "-c", "cat; test -t 0 || test -t 1 || test -t 2 || echo pipes")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"pipes\n", b"")


def test_much_output(vm) -> None:
    done = vm("--", "sh", "-c", "head -c 20000000 /dev/zero; echo end >&2")
    assert (done.returncode, done.stderr) == (0, b"end\n")
    assert done.stdout == bytes(20000000)


def test_reader_goes_away(start) -> None:
    """As in a pipe to head: the command receives SIGPIPE."""
    process, qemu = start("--", "sh", "-c", "echo ready; exec yes")
    assert process.stdout
    process.stdout.close()
    assert process.wait(LIMIT) == 128 + signal.SIGPIPE
    wait_for_end(qemu)


@pytest.mark.parametrize(
    ("command", "status"),
    [(["true"], 0), (["sh", "-c", "kill -9 $$"], 137), (["no-such-command"], 127), (["/etc"], 126)],
    ids=["true", "killed", "not-found", "not-a-program"],
)
def test_exit_status(vm, command: list[str], status: int) -> None:
    done = vm("--", *command)
    assert done.returncode == status
    assert bool(done.stderr) == (status in (126, 127))


def test_surroundings(vm, tmp_path: Path) -> None:
    """The caller's directory, files and variables; root; no written file remains."""
    (tmp_path / "file").write_text("from the host\n")
    (tmp_path / "tool").write_text("#!/bin/sh\necho $GREETING $(id -u) $(pwd) $#\n")
    (tmp_path / "tool").chmod(0o700 | stat.S_IXUSR)
    script = "cat file; ./tool 'a b' c; echo changed > file; cat file; echo new > new"
    done = vm("--", "sh", "-c", script, cwd=tmp_path, env={**os.environ, "GREETING": "hello"})
    assert done.stdout.decode().splitlines() == [
        "from the host",
        f"hello 0 {tmp_path} 2",
        "changed",
    ]
    assert (tmp_path / "file").read_text() == "from the host\n"
    assert not (tmp_path / "new").exists()


def test_devices_and_machine(vm) -> None:
    script = (
        "ls /dev/vfio/devices; nproc; grep -c . /sys/kernel/mm/hugepages/*/nr_hugepages;"
        " cat /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages; cat /proc/cmdline"
    )
    words = ["--device", "edu", "--device", "edu", "--device", "nvme", "--smp", "1"]
    done = vm(*words, "--hugepages", "5", "--append", "my.word=1", "--", "sh", "-c", script)
    lines = done.stdout.decode().splitlines()
    assert lines[:4] == ["vfio0", "vfio1", "vfio2", "1"]
    assert lines[-2] == "5"
    assert "my.word=1" in lines[-1].split()


@pytest.mark.parametrize("iommu", ["intel", "intel-s1", "smmuv3", "virtio", "none"])
def test_iommu(vm, any_kernel: str, iommu: str) -> None:
    """With any IOMMU, the device is in a group and bound to vfio-pci."""
    if iommu not in arch_of_kernel(any_kernel).iommus:
        pytest.skip("an IOMMU of another architecture")
    # The mock IOMMU of the test configuration is always there.
    script = "ls /dev/vfio/devices | wc -l; ls /sys/class/iommu | grep -v -e selftest -e mock"
    done = vm("--iommu", iommu, "--", "sh", "-c", script)
    count, *units = done.stdout.decode().split()
    assert done.returncode == (1 if iommu == "none" else 0), "that of grep"
    assert count == ("0" if iommu == "none" else "1")
    smmu = ["smmu3.0x0000000009050000"]
    wanted = {"intel": ["dmar0"], "intel-s1": ["dmar0"], "smmuv3": smmu, "none": []}
    assert units == wanted.get(iommu, units)
    assert (iommu == "virtio") == any("virtio" in u or "0000:" in u for u in units)


# Waiting for the host is not included: while all CPUs idle, guest time jumps.
SPIN = """
import time
def spin():
    start = time.monotonic_ns()
    sum(range(300000))
    return time.monotonic_ns() - start
spin()
print(min(spin() for _ in range(5)))
"""


def test_icount_repeats(vm) -> None:
    """Guest time counts instructions: the same work takes the same time."""
    # The addresses of its memory and its hash seed affect what Python does.
    python = ("env", "PYTHONHASHSEED=0", "/usr/bin/python3", "-c", SPIN)
    first, second = (
        int(vm("--icount", "--append", "norandmaps", "--", *python).stdout) for _ in range(2)
    )
    assert first == pytest.approx(second, rel=0.01)


def test_icount_is_one_cpu(vm) -> None:
    assert vm("--icount", "--smp", "4", "--", "nproc").stdout == b"1\n"


@pytest.mark.parametrize(
    ("words", "thread"), [((), "single"), (("--parallel",), "multi"), (("--icount",), "single")]
)
def test_threads_of_the_emulator(words: tuple[str, ...], thread: str) -> None:
    """One for all CPUs unless requested otherwise: tracing may be switched in the guest."""
    options = parse([*words, "--", "true"])
    assert f"tcg,thread={thread}" in accelerator(options, kvm=False)


@pytest.mark.parametrize(
    ("words", "kernel", "iommu"),
    [
        ((), "arm64", "smmuv3"),
        (("--peer",), "arm64-peer", "smmuv3"),
        (("--debug", "--iommu", "virtio"), "arm64-debug", "virtio"),
        (("--kernel", "other"), "other", "smmuv3"),
    ],
)
def test_choices_of_arm64(words: tuple[str, ...], kernel: str, iommu: str) -> None:
    """The same options choose the kernels and the IOMMU of the architecture."""
    options = parse(["--arch", "arm64", *words, "--", "true"])
    assert (options.kernel, options.iommu) == (kernel, iommu)
    assert "console=ttyAMA0" in command_line(options, kvm=False)
    assert "no_timer_check" not in command_line(options, kvm=False)


def test_arch_of_the_kernel(tmp_path: Path) -> None:
    """Without --arch, the kernel's image decides."""
    for arch in ARCHES.values():
        folder = tmp_path / arch.name
        folder.mkdir()
        (folder / arch.image).touch()
        assert parse(["--kernel", f"{folder}/", "--", "true"]).arch is arch
    assert parse(["--kernel", "no-such-kernel", "--", "true"]).arch is X86
    assert parse(["--kernel", "arm64-peer", "--", "true"]).arch is ARM64


def test_iommu_of_another_arch(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        parse(["--arch", "arm64", "--iommu", "intel", "--", "true"])
    assert "arm64 has smmuv3, virtio, none" in capsys.readouterr().err


# An IORT with one group of ITS (24 bytes) and one root complex (36 bytes).
IORT = (
    struct.pack("<4sIBB6s8sIII", b"IORT", 108, 3, 0, b"BOCHS ", b"BXPC", 1, 0, 0)
    + struct.pack("<III", 2, 48, 0)
    + struct.pack("<BHBIIIII", 0, 24, 1, 0, 0, 0, 1, 0)
    + struct.pack("<BHBIIIIBHBIIB3x", 2, 36, 3, 0, 0, 0, 1, 0, 0, 3, 0, 0, 64)
)


def test_coherent_table() -> None:
    """Only the flags of the root complex, the revision and the checksum change."""
    new = iort.coherent(IORT)
    changed = {i: new[i] for i in range(len(IORT)) if new[i] != IORT[i]}
    assert changed == {9: new[9], 24: 2, 48 + 24 + 0x17: 7}
    assert sum(new) % 256 == 0


@pytest.mark.full
def test_coherent_table_of_the_machine() -> None:
    """That of QEMU, without a boot; the kernel finds it at the very front, not compressed."""
    table = iort.override(ARM64, "smmuv3")
    assert (table[:4], len(table), sum(table) % 256) == (b"IORT", 236, 0)
    assert (table[0x18], table[0xB7]) == (2, 7)
    image = make_initramfs((), ARM64, "smmuv3").read_bytes()
    assert 0 < image.index(b"kernel/firmware/acpi/iort.aml\0") < image.index(table) < 1024


def test_parallel(vm) -> None:
    """All CPUs are online, although they start late."""
    assert vm("--parallel", "--smp", "3", "--", "nproc").stdout == b"3\n"


def test_panic(vm) -> None:
    script = (
        "echo before; echo 1 > /proc/sys/vm/overcommit_memory;"
        " echo 2 > /proc/sys/vm/panic_on_oom; exec /usr/bin/python3 -c 'b = b\"x\" * (1 << 30)'"
    )
    done = vm("--memory", "512M", "--", "sh", "-c", script)
    assert done.returncode == FAILED
    assert done.stdout == b"before\n"
    assert b"Kernel panic - not syncing: Out of memory" in done.stderr


def test_panic_at_boot(vm) -> None:
    done = vm("--append", "rdinit=/no-such-init", "--", "true")
    assert done.returncode == FAILED
    assert b"before the command was started" in done.stderr
    assert b"Kernel panic - not syncing" in done.stderr


def test_hang(vm) -> None:
    done = vm("--timeout", "20", "--", "sh", "-c", "echo last words > /dev/kmsg; sleep 100000")
    assert done.returncode == FAILED
    assert b"did not end in 20 s" in done.stderr
    assert b"last words" in done.stderr


@pytest.mark.parametrize(
    ("function", "ours"),
    [("iommufd_ioas_map+0x1/0x2 [iommufd]", True), ("iommufd_device_attach+0x1/0x2", True)],
    ids=["module", "built-in"],
)
def test_warning(vm, function: str, ours: bool) -> None:
    """The command succeeds, but its kernel has a problem."""
    text = WARNING.format(function=function)
    done = vm(
        "--",
        "sh",
        "-c",
        'echo "$1" | while read -r l; do echo "$l" >/dev/kmsg; done; exit 0',
        "sh",
        text,
    )
    assert done.returncode == FAILED
    assert b"WARNING: drivers/iommu/iommufd/ioas/map.c:42" in done.stderr
    assert function.encode() in done.stderr


def test_missing_kernel(vm) -> None:
    done = vm("--kernel", "no-such-kernel", "--", "true")
    assert done.returncode == FAILED
    assert b"no kernel at" in done.stderr


@pytest.fixture
def stock() -> Path:
    """The folder of a distribution's kernel."""
    return BUILD / "kernel" / "stock"


def test_distribution_kernel(vm, stock: Path) -> None:
    """It needs modules to mount the root, and VT-d is off unless asked for; iommufd is ours."""
    script = "uname -r; modinfo -n iommufd vfio; ls /sys/class/iommu /dev/vfio/devices /dev/iommu"
    done = vm("--kernel", "stock", "--", "sh", "-c", script)
    release = (stock / "release").read_text().strip()
    folder = f"/lib/modules/{release}/updates"
    lines = done.stdout.decode().splitlines()
    assert lines[:3] == [release, f"{folder}/iommufd.ko", f"{folder}/vfio.ko"], done.stderr
    assert {"dmar0", "vfio0", "/dev/iommu"} <= set(lines)
    assert done.returncode == 0


def test_modules_for_the_root(tmp_path: Path) -> None:
    """The initial file system has them in order, and is another one if they change."""
    first, second = tmp_path / "01-b.ko", tmp_path / "02-a.ko"
    first.write_bytes(b"first")
    second.write_bytes(b"second")
    image = make_initramfs((first, second))
    data = image.read_bytes()
    assert data.index(b"modules/01-b.ko\0") < data.index(b"modules/02-a.ko\0")
    first.write_bytes(b"other")
    other = make_initramfs((first, second))
    assert other != image
    image.unlink()
    other.unlink()


def test_module_does_not_load(vm, stock: Path, tmp_path: Path) -> None:
    """The console names the first module that the kernel refuses."""
    (tmp_path / "bzImage").symlink_to((stock / "bzImage").resolve())
    (tmp_path / "initmods").mkdir()
    (tmp_path / "initmods" / "01-broken.ko").write_bytes(b"no module")
    done = vm("--kernel", f"{tmp_path}/", "--", "true")
    assert done.returncode == FAILED
    assert b"init: loading /modules/01-broken.ko: Exec format error" in done.stderr


def test_bad_device(vm) -> None:
    """The error message of QEMU."""
    done = vm("--device", "no-such-device", "--", "true")
    assert done.returncode == FAILED
    assert b"no-such-device" in done.stderr


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_guest(start, signum: signal.Signals) -> None:
    process, qemu = start("--", "sh", "-c", "trap '' INT TERM; echo ready; sleep 100000")
    process.send_signal(signum)
    assert process.wait(LIMIT) == 128 + signum
    wait_for_end(qemu)


def test_killed_runner_leaves_nothing(start) -> None:
    process, qemu = start("--", "sh", "-c", "echo ready; sleep 100000")
    process.kill()
    wait_for_end(qemu)


class TestTerminal:
    """On a terminal, the command has one too."""

    @pytest.fixture
    def spawn(self, any_kernel: str):
        children = []

        def run(*command: str) -> pexpect.spawn:
            child = pexpect.spawn(
                VM, ["--kernel", any_kernel, "--", *command], dimensions=(31, 97), timeout=LIMIT
            )
            children.append(child)
            return child

        yield run
        for child in children:
            child.close(force=True)

    @staticmethod
    def end(child: pexpect.spawn) -> int:
        child.expect(pexpect.EOF)
        child.wait()
        return child.exitstatus

    def test_size_and_resize(self, spawn) -> None:
        script = "trap 'stty size; exit 4' WINCH; stty size; echo ready; while :; do sleep .1; done"
        child = spawn("bash", "-c", script)
        child.expect_exact("31 97\r\nready")
        child.setwinsize(20, 66)
        child.expect_exact("20 66")
        assert self.end(child) == 4

    def test_keys(self, spawn) -> None:
        """Each key as it is pressed, including control characters, without an echo on the host."""
        child = spawn("sh", "-c", "stty raw -echo; echo ready; dd bs=1 count=4 2>/dev/null | od -c")
        child.expect_exact("ready")
        child.send("q\x03\x1b\x04")
        child.expect(r"q 003 033 004")
        assert self.end(child) == 0

    def test_interrupt(self, spawn) -> None:
        """Ctrl-C goes to the command, as it would on the host."""
        child = spawn("sh", "-c", "echo ready; exec sleep 100000")
        child.expect_exact("ready")
        child.sendintr()
        assert self.end(child) == 128 + signal.SIGINT

    def test_interrupt_while_booting(self, spawn) -> None:
        child = spawn("sleep", "100000")
        qemu = None
        while qemu is None:
            text = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
            qemu = os.pidfd_open(int(text[0])) if text else None
        child.sendintr()
        assert self.end(child) == 128 + signal.SIGINT
        wait_for_end(qemu)

    def test_way_out(self, spawn) -> None:
        """Ctrl-] ends a guest whose command does not end."""
        child = spawn("sh", "-c", "trap '' INT QUIT; stty -isig; echo ready; sleep 100000")
        child.expect_exact("ready")
        child.sendintr()
        child.send("\x1d")
        assert self.end(child) == 128 + signal.SIGINT
