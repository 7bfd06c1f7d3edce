# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The architectures of guests: QEMU, kernel image, command line and IOMMUs of each."""

from dataclasses import dataclass
from pathlib import Path

# panic=-1 and -no-reboot end QEMU on a crash. nokaslr makes addresses in traces meaningful and
# instruction counts repeatable.
COMMON = "panic=-1 oops=panic nokaslr mitigations=off printk.devkmsg=on"

# Without interrupt remapping, which iommufd and VFIO require by default.
UNSAFE = "iommufd.allow_unsafe_interrupts=1 vfio_iommu_type1.allow_unsafe_interrupts=1"


@dataclass(frozen=True)
class Iommu:
    """Arguments of QEMU, and additions to the kernel's command line.

    `coherent`: the guest gets an IORT that says so (iort.py).
    """

    args: tuple[str, ...] = ()
    words: str = ""
    coherent: bool = False


@dataclass(frozen=True)
class Arch:
    """How scripts/vm runs guests of an architecture.

    `image` is the file in build/kernel/NAME. `iommus` has the usual one first. `kernels` are those
    of --peer and --debug, and the one without any option ("main"). `cc` compiles the guest's
    process 1. `foreign`: the host's programs do not run there; the guest has others, in a layer
    over the host's files (scripts/guest-programs). `secure_boot` is the firmware of --secure-boot.
    """

    name: str
    qemu: str
    machine: tuple[str, ...]
    cpu: str
    image: str
    cmdline: str
    one_at_first: str
    iommus: dict[str, Iommu]
    kernels: dict[str, str]
    cc: str = "cc"
    foreign: bool = False
    secure_boot: tuple[str, ...] = ()

    @property
    def usual_iommu(self) -> str:
        """The kind of IOMMU without --iommu."""
        return next(iter(self.iommus))


# If the host is slow to run an emulated CPU, the kernel must not conclude that a timer does not
# tick (no_timer_check) or that a clock is unstable (tsc=nowatchdog).
#
# Distributions build VT-d in, but leave it off.
#
# A CPU that starts late calibrates its delay loop for seconds: lpj= avoids that. It assumes that a
# jiffy of 10 ms has no more cycles than at 4 GHz, so that no delay is too short.
INTEL = "intel_iommu=on"

# The firmware's variables have the test key of Debian's package ovmf. The guest's changes are lost.
OVMF = "if=pflash,format=raw,file=/usr/share/OVMF"
SECURE_OVMF = (
    *("-global", "driver=cfi.pflash01,property=secure,value=on"),
    *("-drive", f"{OVMF}/OVMF_CODE_4M.secboot.fd,unit=0,readonly=on"),
    *("-drive", f"{OVMF}/OVMF_VARS_4M.snakeoil.fd,unit=1,snapshot=on"),
)

X86 = Arch(
    name="x86_64",
    qemu="qemu-system-x86_64",
    machine=("-M", "q35,kernel-irqchip=split,hpet=off"),
    cpu="max",
    image="bzImage",
    cmdline=f"console=ttyS0 no5lvl no_timer_check tsc=nowatchdog {COMMON}",
    one_at_first="maxcpus=1 lpj=40000000",
    iommus={
        "intel": Iommu(("-device", "intel-iommu,intremap=on,x-scalable-mode=on"), INTEL),
        "intel-s1": Iommu(
            ("-device", "intel-iommu,intremap=on,x-scalable-mode=on,x-flts=on"), INTEL
        ),
        # Like many client machines: DMA addresses are limited to 512 GiB.
        "intel-39": Iommu(("-device", "intel-iommu,intremap=on,aw-bits=39"), INTEL),
        # From QEMU 10.1 on; older ones do not translate DMA.
        "amd": Iommu(("-device", "amd-iommu,dma-remap=on"), UNSAFE),
        "virtio": Iommu(("-device", "virtio-iommu-pci"), UNSAFE),
        "none": Iommu(),
    },
    kernels={"main": "main", "peer": "peer", "debug": "debug"},
    secure_boot=SECURE_OVMF,
)

# Firmware and ACPI, not a device tree: nested translation depends on the IORT. QEMU's own algorithm
# for pointer authentication is much faster to emulate than that of the architecture. The sanitizer
# kernel has a check of freed pages that is off by default; others ignore iommu.debug_pagealloc.
ARM64 = Arch(
    name="arm64",
    qemu="qemu-system-aarch64",
    machine=(
        *("-M", "virt,gic-version=3,acpi=on"),
        *("-bios", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"),
    ),
    cpu="max,pauth-impdef=on",
    image="Image",
    cmdline=f"console=ttyAMA0 iommu.debug_pagealloc=1 {COMMON}",
    one_at_first="maxcpus=1",
    iommus={
        "smmuv3": Iommu(
            ("-M", "iommu=smmuv3", "-global", "arm-smmuv3.stage=nested"), coherent=True
        ),
        "virtio": Iommu(("-device", "virtio-iommu-pci")),
        "none": Iommu(),
    },
    kernels={"main": "arm64", "peer": "arm64-peer", "debug": "arm64-debug"},
    cc="aarch64-linux-gnu-gcc",
    foreign=True,
)

ARCHES = {arch.name: arch for arch in (X86, ARM64)}


def arch_of(folder: Path) -> Arch | None:
    """The architecture of the kernel in a folder, if there is one."""
    for arch in ARCHES.values():
        if (folder / arch.image).is_file():
            return arch
    return None
