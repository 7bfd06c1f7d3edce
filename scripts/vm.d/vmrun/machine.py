# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""QEMU's command line."""

import argparse
from pathlib import Path

from .devices import Devices
from .paths import Kernel

QEMU = "qemu-system-x86_64"

IOMMUS = {
    "intel": ["-device", "intel-iommu,intremap=on,x-scalable-mode=on"],
    "intel-s1": ["-device", "intel-iommu,intremap=on,x-scalable-mode=on,x-flts=on"],
    # Like many client machines: DMA addresses are limited to 512 GiB.
    "intel-39": ["-device", "intel-iommu,intremap=on,aw-bits=39"],
    "virtio": ["-device", "virtio-iommu-pci"],
    "none": [],
}

# panic=-1 and -no-reboot end QEMU on a crash. nokaslr makes addresses in traces meaningful and
# instruction counts repeatable. If the host is slow to run an emulated CPU, the kernel must not
# conclude that a timer does not tick (no_timer_check) or that a clock is unstable (tsc=nowatchdog).
CMDLINE = (
    "console=ttyS0 panic=-1 oops=panic nokaslr no5lvl mitigations=off printk.devkmsg=on"
    " no_timer_check tsc=nowatchdog"
)

# On a store to code, QEMU drops its translations of that code, and only then writes. With one
# thread per CPU, another CPU can translate the old bytes in between and keep that translation:
# "Oops: int3" in a function in which tracing was switched. A single thread runs the CPUs in turns,
# and ends a turn only between two instructions. CPUs therefore get threads of their own only on
# request, for tests that need parallel CPUs and switch no tracing.
#
# The kernel patches itself most during boot. With one thread per CPU, the other CPUs are therefore
# started later (init/cpus.c). They would then calibrate their delay loops for seconds; lpj= avoids
# that. It assumes that a jiffy of 4 ms has no more cycles than at 4 GHz, so that no delay is too
# short.
ONE_AT_FIRST = "maxcpus=1 lpj=16000000"

# Distributions build VT-d in, but leave it off.
INTEL = "intel_iommu=on"

# These have no interrupt remapping, which iommufd and VFIO require by default.
UNSAFE = "iommufd.allow_unsafe_interrupts=1 vfio_iommu_type1.allow_unsafe_interrupts=1"


def accelerator(options: argparse.Namespace, kvm: bool) -> list[str]:
    """Virtualization or emulation; --icount makes guest time the instruction count."""
    if kvm:
        return ["-accel", "kvm", "-cpu", "host"]
    thread = "multi" if options.parallel else "single"
    emulated = ["-accel", f"tcg,thread={thread}", "-cpu", "max"]
    if options.icount:
        emulated += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm"]
    return emulated


def command_line(options: argparse.Namespace, kvm: bool) -> str:
    """The kernel's command line."""
    words = [CMDLINE]
    if options.parallel and not kvm:
        words.append(ONE_AT_FIRST)
    if options.iommu.startswith("intel"):
        words.append(INTEL)
    if options.iommu == "virtio":
        words.append(UNSAFE)
    if options.hugepages:
        words.append(f"hugepages={options.hugepages}")
    return " ".join(words + options.append)


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
    share = "local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap"
    log = str(console).replace(",", ",,")
    return [
        QEMU,
        *("-name", "iommufd-vm", "-no-user-config", "-nodefaults", "-no-reboot"),
        *("-display", "none", "-monitor", "none"),
        *("-M", "q35,kernel-irqchip=split,hpet=off", *accelerator(options, kvm)),
        *("-smp", str(options.smp), "-m", options.memory),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs)),
        *("-append", command_line(options, kvm)),
        *("-chardev", f"file,id=console,path={log}", "-serial", "chardev:console"),
        *IOMMUS[options.iommu],
        *("-virtfs", share),
        *_ports(*sockets),
        *devices.args,
        *options.qemu,
    ]
