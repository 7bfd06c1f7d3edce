# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""QEMU's command line."""

import argparse
from pathlib import Path

from .devices import Devices
from .paths import Kernel, programs_of


# On a store to code, QEMU drops its translations of that code, and only then writes. With one
# thread per CPU, another CPU can translate the old bytes in between and keep that translation:
# "Oops: int3" in a function in which tracing was switched. A single thread runs the CPUs in turns,
# and ends a turn only between two instructions. CPUs therefore get threads of their own only on
# request, for tests that need parallel CPUs and switch no tracing.
#
# The kernel patches itself most during boot. With one thread per CPU, the other CPUs are therefore
# started later (init/cpus.c).
def accelerator(options: argparse.Namespace, kvm: bool) -> list[str]:
    """Virtualization or emulation; --icount makes guest time the instruction count."""
    if kvm:
        return ["-accel", "kvm", "-cpu", "host"]
    thread = "multi" if options.parallel else "single"
    emulated = ["-accel", f"tcg,thread={thread}", "-cpu", options.arch.cpu]
    if options.icount:
        emulated += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm"]
    return emulated


def command_line(options: argparse.Namespace, kvm: bool) -> str:
    """The kernel's command line."""
    words = [options.arch.cmdline]
    if options.parallel and not kvm:
        words.append(options.arch.one_at_first)
    if extra := options.arch.iommus[options.iommu].words:
        words.append(extra)
    if options.hugepages:
        words.append(f"hugepages={options.hugepages}")
    return " ".join(words + options.append)


def _share(folder: Path, tag: str) -> list[str]:
    """A folder of the host that the guest can read."""
    path = str(folder).replace(",", ",,")
    options = "security_model=none,readonly=on,multidevs=remap"
    return ["-virtfs", f"local,path={path},mount_tag={tag},{options}"]


def _ports(ctl: int, stdin: int) -> list[str]:
    args = ["-device", "virtio-serial-pci,max_ports=4"]
    for number, (name, fd) in enumerate((("ctl", ctl), ("stdin", stdin)), start=1):
        args += ["-chardev", f"socket,id={name},fd={fd}"]
        args += ["-device", f"virtserialport,nr={number},chardev={name},name=vm.{name}"]
    return args


def qemu_command(
    options: argparse.Namespace,
    kernel: Kernel,
    initramfs: Path,
    devices: Devices,
    kvm: bool,
    console: Path,
    sockets: tuple[int, int],
) -> list[str]:
    """The whole command; `sockets` are the descriptors of the control and input ports."""
    arch = options.arch
    log = str(console).replace(",", ",,")
    programs = _share(programs_of(arch), "programs") if arch.foreign else []
    firmware = arch.secure_boot if options.secure_boot else ()
    return [
        arch.qemu,
        *("-name", "iommufd-vm", "-no-user-config", "-nodefaults", "-no-reboot"),
        *("-display", "none", "-monitor", "none"),
        *arch.machine,
        *firmware,
        *arch.iommus[options.iommu].args,
        *accelerator(options, kvm),
        *("-smp", str(options.smp), "-m", options.memory),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs)),
        *("-append", command_line(options, kvm)),
        *("-chardev", f"file,id=console,path={log}", "-serial", "chardev:console"),
        *_share(Path("/"), "hostroot"),
        *programs,
        *_ports(*sockets),
        *devices.args,
        *options.qemu,
    ]
