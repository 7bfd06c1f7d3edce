# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tools' library and their error paths, on the host, built with the sanitizers."""

import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
ADMIN, PERFMON, BPF = 1 << 21, 1 << 38, 1 << 39
ALL = ADMIN | PERFMON | BPF


@pytest.fixture(scope="module")
def build():
    """The directory of a build with AddressSanitizer and UBSan, which abort on any error."""
    folder = TOP / "build" / "sanitized"
    made = subprocess.run(
        ["make", "-s", "-C", TOP / "tools", f"O={folder}", "SANITIZE=1", "WERROR=1"],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture(scope="module")
def lib(build):
    """Calls a function of the library for each argument; returns the results."""

    def call(function, *arguments):
        command = [build / "tools" / "lib-test", function, *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(
            "\n"
        )[:-1]

    return call


@pytest.fixture(scope="module")
def top(build):
    """Runs iommufd-top."""

    def run(*arguments, **options):
        return subprocess.run(
            [build / "bin" / "iommufd-top", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    return run


FORMATS = {
    "bytes": {
        0: "0B",
        1023: "1023B",
        1024: "1.00K",
        10 * 1024 - 1: "10.0K",
        64 * 1024: "64.0K",
        1023 * 1024: "1023K",
        (1 << 20) - 1: "1.00M",
        1 << 30: "1.00G",
        1 << 40: "1.00T",
        (1 << 63) - 1: "8.00E",
        -1: "-1B",
        -4096: "-4.0K",
        -(1 << 30): "-1.0G",
        -(1023 << 20): "-1023M",
    },
    "count": {
        0: "0",
        999: "999",
        1000: "1.00k",
        9994: "9.99k",
        9996: "10.0k",
        99949: "99.9k",
        99951: "100k",
        999499: "999k",
        999500: "1.00M",
        262144: "262k",
        -262144: "-262k",
        (1 << 63) - 1: "9.22E",
    },
    "short": {
        0: "0",
        999: "999",
        1000: "1.0k",
        9949: "9.9k",
        9951: "10k",
        999500: "1.0M",
        10**9: "1.0G",
    },
    "rate": {
        0: "0",
        0.04: "0",
        0.5: "0.5",
        12.34: "12.3",
        99.94: "99.9",
        99.96: "100",
        1234.4: "1.23k",
    },
    "ns": {
        0: "0n",
        999: "999n",
        1000: "1.0u",
        9949: "9.9u",
        9951: "10u",
        999_499: "999u",
        999_500: "1.0m",
        2_500_000: "2.5m",
        999_500_000: "1.0s",
        99_400_000_000: "99s",
        99_500_000_000: "1.7M",
        3_600_000_000_000: "60M",
        (1 << 63): "2562048h",
    },
    "name": {
        "qemu-system-x86": "qemu-system-x86",
        "a name that is too long": "a name that is ",
        "\x1b[2Jred\n": "?[2Jred?",
        "ümlaut": "??mlaut",
        "": "",
    },
}


@pytest.mark.parametrize("function", FORMATS)
def test_format(lib, function):
    table = FORMATS[function]
    assert dict(zip(table, lib(function, *table), strict=True)) == table


@pytest.mark.parametrize(
    ("function", "width"), [("bytes", 5), ("count", 5), ("short", 4), ("ns", 4)]
)
def test_width(lib, function, width):
    """Columns stay aligned for any value, up to years of nanoseconds."""
    values = sorted(
        {
            abs(m * b**e + d)
            for b in (2, 10)
            for e in range(0, 55)
            for m in (1, 5, 9)
            for d in (-1, 0, 1)
        }
    )
    values = (
        [v for v in values if v < 3_590_000 * 10**9]
        if function == "ns"
        else [v for v in values if v < 1 << 63]
    )
    assert max(map(len, lib(function, *values))) <= width


def test_hash(lib):
    """Keys in the same bucket are told apart, and removed ones are gone."""
    keys = [*range(1, 5000), *range(1, 50000, 4096)]
    removed = [4095, 1, 8193, 99999]
    expected = {k: keys.count(k) for k in keys if k not in removed}
    arguments = ",".join(map(str, [*keys, *(-k for k in removed)]))
    found, *empty = lib("hash", arguments, "", "7,-7")
    assert dict(map(int, each.split(":")) for each in found.split()) == expected
    assert empty == ["", ""]


def test_buckets(lib):
    """Sixteen to a power of two, without a gap; each value is in its bucket."""
    edges = [*range(16), *((16 + step) << octave for octave in range(36) for step in range(16))]
    widths = [above - edge for edge, above in zip(edges, [*edges[1:], 1 << 40], strict=True)]
    expected = [
        f"{i} {edge} {width}" for i, (edge, width) in enumerate(zip(edges, widths, strict=True))
    ]
    assert lib("bucket", *edges) == expected
    assert (
        lib("bucket", *(edge + width - 1 for edge, width in zip(edges, widths, strict=True)))
        == expected
    )
    assert lib("bucket", 1 << 40, (1 << 64) - 1) == expected[-1:] * 2


@pytest.mark.parametrize(
    "values", [[7], [5] * 99 + [1000000], list(range(1, 1001)), [1500, 2500], [10**6] * 3 + [10**9]]
)
def test_percentiles(lib, values):
    total, p50, p99, upper = map(int, lib("percentiles", ",".join(map(str, values)))[0].split())
    ordered = sorted(values)

    def exact(percent):
        return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]

    assert total == len(values)
    assert p50 == pytest.approx(exact(50), rel=1 / 32)
    assert p99 == pytest.approx(exact(99), rel=1 / 32)
    assert max(values) <= upper <= max(values) * 17 / 16
    assert p50 <= p99 <= max(values)


def test_no_percentiles(lib):
    assert lib("percentiles", "") == ["0 0 0 0"]


@pytest.mark.parametrize(
    ("function", "table"),
    [
        (
            "interval",
            {
                "0.01": "0.01",
                "5": "5",
                "86400": "86400",
                "0": "no",
                "0.001": "no",
                "-1": "no",
                "nan": "no",
                "1e9": "no",
                "1s": "no",
                "": "no",
            },
        ),
        (
            "number",
            {
                "0:0": "0",
                "1:1": "1",
                "1:0": "no",
                "0:-1": "no",
                "0: -1": "no",
                "0:1.5": "no",
                "0:": "no",
                "0:99999999999999999999": "no",
            },
        ),
    ],
)
def test_arguments(lib, function, table):
    """The values that the tools accept as INTERVAL, as COUNT and as other numbers."""
    assert dict(zip(table, lib(function, *table), strict=True)) == table


def test_slots(lib):
    """0, and each power of two; the last has no end."""
    expected = {0: "0 0 0"}
    for slot in range(1, 41):
        first, last = 1 << (slot - 1), (1 << slot) - 1
        expected |= dict.fromkeys((first, last), f"{slot} {first} {last}")
    expected |= dict.fromkeys((1 << 40, (1 << 64) - 1), f"41 {1 << 40} {(1 << 64) - 1}")
    assert dict(zip(expected, lib("slot", *expected), strict=True)) == expected


@pytest.mark.parametrize(
    ("values", "says"), [("", "0 0 0"), ("7", "1 7 7"), ("1,2,3,1000000", "4 250001 1000000")]
)
def test_sums_of_slots(lib, values, says):
    assert lib("slots", values) == [says]


# Lines of the kernel's log, and what is read from them: access 1 is a read, 2 a write; cause 1 is
# not mapped, 2 without the right, 3 either of these, 4 out of range, 5 no page table.
DMA_FAULTS = {
    "DMAR: [DMA Write NO_PASID] Request device [0000:00:04.0] fault addr 0x1000"
    " [fault reason 0x05] PTE Write access is not set": (
        "VT-d 0000:00:04.0 access 2 pasid ffffffff iova 1000 cause 3: PTE Write access is not set"
    ),
    "DMAR: [DMA Read PASID 0x1a] Request device [0001:81:00.3] fault addr 0xfffffffff000"
    " [fault reason 0x71] SM: Present bit in first-level paging entry is clear": (
        "VT-d 0001:81:00.3 access 1 pasid 1a iova fffffffff000 cause 1:"
        " SM: Present bit in first-level paging entry is clear"
    ),
    "DMAR: [DMA Read NO_PASID] Request device [0000:3b:00.0] fault addr 0x0"
    " [fault reason 0x02] Present bit in context entry is clear": (
        "VT-d 0000:3b:00.0 access 1 pasid ffffffff iova 0 cause 5:"
        " Present bit in context entry is clear"
    ),
    "DMAR: [DMA Write PASID 0x0] Request device [0000:00:10.0] fault addr 0x10000000"
    " [fault reason 0x85] SM: No write permission for Write/AtomicOp request": (
        "VT-d 0000:00:10.0 access 2 pasid ffffffff iova 10000000 cause 2:"
        " SM: No write permission for Write/AtomicOp request"
    ),
    "DMAR: [INTR-REMAP] Request device [0000:00:1f.0] fault index 0x12 [fault reason 0x22]"
    " Present field in the IRTE entry is clear": "-",
    "DMAR: DRHD: handling fault status reg 2": "-",
    "vfio-pci 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0015"
    " address=0xfee0000000 flags=0x0020]": (
        "AMD-Vi 0000:01:00.0 access 2 pasid ffffffff iova fee0000000 cause 1:"
        " IO_PAGE_FAULT, flags 0x0020"
    ),
    "AMD-Vi: Event logged [IO_PAGE_FAULT device=0000:25:00.0 domain=0x0002 address=0x1000"
    " flags=0x0010]": (
        "AMD-Vi 0000:25:00.0 access 1 pasid ffffffff iova 1000 cause 2: IO_PAGE_FAULT, flags 0x0010"
    ),
    # An interrupt.
    "vfio-pci 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0015"
    " address=0xfffffffdf8000000 flags=0x0008]": "-",
    "arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:00:02.0 sid: 0x10"
    " ssid: 0x0 iova: 0x1000 ipa: 0x0": "-",
    "usb 1-1: something between the two lines": "-",
    'arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data write s1 "Input address caused fault"'
    " stag: 0x0": "SMMUv3 0000:00:02.0 access 2 pasid ffffffff iova 1000 cause 1:"
    " F_TRANSLATION, stage 1",
    # The second stage alone: both addresses are the same, but for the place in the page.
    "arm-smmu-v3 arm-smmu-v3.0.auto: event: F_PERMISSION client: 0000:00:02.0 sid: 0x10"
    " ssid: 0x0 iova: 0x40001008 ipa: 0x40001000": "-",
    'arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data read s2 "Input address caused fault"'
    " stag: 0x0": "SMMUv3 0000:00:02.0 access 1 pasid ffffffff iova 40001008 cause 2:"
    " F_PERMISSION, stage 2",
    # Both stages: what the host maps is the address between them.
    "arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:00:02.0 sid: 0x10"
    " ssid: 0x0 iova: 0x3008 ipa: 0x40020000": "-",
    'arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data write s2 "Input address caused fault"'
    "  stag: 0x0": "SMMUv3 0000:00:02.0 access 2 pasid ffffffff iova 40020008 cause 1:"
    " F_TRANSLATION, stage 2, for the guest's address 0x3008",
    # An entry of the guest's own table.
    "arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:00:02.0 sid: 0x10"
    " ssid: 0x0 iova: 0x4008 ipa: 0x50000000": "-",
    'arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data read s2 "Stage 1 translation table fetch"'
    " ttd_read stag: 0x0": "SMMUv3 0000:00:02.0 access 1 pasid ffffffff iova 50000000 cause 1:"
    " F_TRANSLATION, stage 2, for the guest's address 0x4008",
    "arm-smmu-v3 arm-smmu-v3.0.auto: event: C_BAD_STE client: 0000:00:02.0 sid: 0x10 ssid: 0x0": (
        "SMMUv3 0000:00:02.0 access 0 pasid ffffffff iova 0 cause 5: C_BAD_STE"
    ),
    "virtio_iommu virtio0: page fault from EP 32 at 0x1000 [W]": (
        "virtio-iommu 0000:00:04.0 access 2 pasid ffffffff iova 1000 cause 3: page fault"
    ),
    "virtio_iommu virtio0: page fault from EP 128 at 0x10001004 []": (
        "virtio-iommu 0000:00:10.0 access 0 pasid ffffffff iova 10001004 cause 3: page fault"
    ),
    "DMAR: [DMA Write NO_PASID] Request device [0000:00:04.0] fault addr": "-",
    "": "-",
}


def test_dma_faults(lib):
    """In order, because a report of SMMUv3 has two lines."""
    table = DMA_FAULTS
    assert dict(zip(table, lib("dma-fault", *table), strict=True)) == table


# Facts about address 0x5000, and what follows. Causes: 4 range, 5 blocked. Access: 1 read, 2 write.
# Flags of a mapping, hexadecimal: 1 read, 2 write, 4 revoked, 8 being mapped, 10 being unmapped.
WHERE = "IOAS 2 of context 1: "
DMA_EXPLANATIONS = {
    "cause=5": "detached | the device had no page table",
    "detached detach=597600000000": (
        "detached | the device had no page table: detached 2.4 s ago by thread detacher (13)"
    ),
    "guest hwpt=7": "guest | page table 7, which the guest manages, translates it",
    # The host's page table, below that of the guest, did not translate it.
    "guest second hwpt=7": f"not_mapped | {WHERE}not mapped | nothing is mapped",
    "cause=4": f"outside | {WHERE}outside of what the page table can translate",
    "unlisted": f"unknown | {WHERE}it is not known what is mapped",
    "unlisted ioas=0": "unknown",
    "access=2 at=5000+1000:1": f"read_only | {WHERE}0x5000-0x5fff is mapped read-only",
    "access=1 at=4000+2000:2": f"write_only | {WHERE}0x4000-0x5fff is mapped write-only",
    # An IOMMU that does not report the access has refused what the mapping lacks.
    "access=0 at=5000+1000:1": f"read_only | {WHERE}0x5000-0x5fff is mapped read-only",
    "access=0 at=5000+1000:2": f"write_only | {WHERE}0x5000-0x5fff is mapped write-only",
    "access=1 at=5000+1000:1": f"mapped | {WHERE}0x5000-0x5fff is mapped now",
    "access=2 at=5000+1000": f"mapped | {WHERE}0x5000-0x5fff is mapped now",
    "access=2 at=5000+1000:3 unmap=5000+1000/1000@599999000000": (
        f"mapped | {WHERE}0x5000-0x5fff is mapped now; it was unmapped 1 ms ago by thread unmapper"
        " (12): 0x5000-0x5fff"
    ),
    "access=2 at=5000+1000:7": (
        f"revoked | {WHERE}0x5000-0x5fff is a dma-buf that its owner has revoked"
    ),
    "access=2 at=5000+1000:13": f"unmapped | {WHERE}0x5000-0x5fff is being unmapped",
    "unmap=5000+1000/1000@420000000000 above=5001+1:3": (
        f"unmapped | {WHERE}unmapped 3 min ago by thread unmapper (12): 0x5000-0x5fff"
        " | nearest: 0x5001-0x5001, which begins 1 byte after the address"
    ),
    "unmap=4000+3000/2000@599500000000": (
        f"unmapped | {WHERE}perhaps unmapped 500 ms ago by thread unmapper (12), with 8.00K in"
        " 0x4000-0x6fff | nothing is mapped"
    ),
    "unmap=0+ffffffffffffffff/2000@599500000000 other=5000+1000:3 other_ctx=1 other_ioas=4": (
        f"unmapped | {WHERE}perhaps unmapped 500 ms ago by thread unmapper (12), with everything"
        " else in the IOAS; IOAS 4 maps 0x5000-0x5fff | nothing is mapped"
    ),
    "unlisted unmap=5000+1000/1000@599500000000": (
        f"unmapped | {WHERE}unmapped 500 ms ago by thread unmapper (12): 0x5000-0x5fff"
    ),
    "other=5000+1000:3 other_ctx=9 other_ioas=4 below=4000+800:3": (
        f"elsewhere | {WHERE}not mapped; IOAS 4 of context 9 maps 0x5000-0x5fff"
        " | nearest: 0x4000-0x47ff, which ends 2048 bytes before the address"
    ),
    "history=90000000000 below=0+5000:3 above=100000+1000:3": (
        f"not_mapped | {WHERE}not mapped, nor unmapped in the last 1 min"
        " | nearest: 0x0-0x4fff, which ends right before the address; 0x100000-0x100fff, which"
        " begins 1004K after the address"
    ),
}


def test_dma_explanations(lib):
    """The most important fact decides."""
    table = DMA_EXPLANATIONS
    assert dict(zip(table, lib("dma-explain", *table), strict=True)) == table


def test_dma_reserved(lib, tmp_path):
    """From the list of a group; a range that may be mapped does not count."""
    regions = tmp_path / "reserved_regions"
    regions.write_text(
        "0x0000000000001000 0x00000000000fffff direct-relaxable\n"
        "0x0000000000004000 0x0000000000007fff msi\n"
    )
    gone = tmp_path / "gone"
    assert lib("dma-explain", f"reserved={regions}", f"reserved={gone}") == [
        f"reserved | {WHERE}0x4000-0x7fff is reserved for the device (msi)",
        f"not_mapped | {WHERE}not mapped | nothing is mapped",
    ]


BTF = "sys/kernel/btf/vmlinux"
TRACEFS = "sys/kernel/tracing/events/"
DEVICE = "sys/class/misc/iommu"
MODULE = "sys/module/iommufd/initstate"


@pytest.mark.parametrize(
    ("files", "capabilities", "says"),
    [
        ([], 0, "needs root"),
        ([], BPF, "needs root"),
        ([], ALL, "does not describe its types"),
        ([], BPF | PERFMON, "does not describe its types"),
        ([BTF], ALL, "trace events can't be found"),
        ([BTF, TRACEFS], ALL, "iommufd is not loaded"),
        # Events of the part that is built in.
        ([BTF, TRACEFS + "iommufd/"], ALL, "iommufd is not loaded"),
        ([BTF, TRACEFS, DEVICE], ALL, "it is the stock one"),
        ([BTF, TRACEFS + "iommufd/", DEVICE, MODULE], ALL, "the iommufd module does not describe"),
        ([BTF, TRACEFS + "iommufd/", DEVICE, MODULE, "sys/kernel/btf/iommufd"], ALL, "nothing"),
        (
            [BTF, TRACEFS + "iommufd/", DEVICE, MODULE, "sys/kernel/btf/iommufd"],
            BPF | PERFMON,
            "CAP_SYS_ADMIN",
        ),
        ([BTF, TRACEFS + "iommufd/", DEVICE], BPF | PERFMON, "nothing"),
        ([BTF, "sys/kernel/debug/tracing/events/iommufd/", DEVICE], ALL, "nothing"),
    ],
)
def test_environment(lib, tmp_path, files, capabilities, says):
    """Each missing requirement has a message of its own."""
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(parents=True) if name.endswith("/") else path.touch()
    assert says in lib("env", f"{tmp_path}:{capabilities:x}")[0]


VFIO = "sys/module/vfio/initstate"
TYPE1 = "sys/module/vfio_iommu_type1/initstate"
TYPES = ["sys/kernel/btf/iommufd", "sys/kernel/btf/vfio", "sys/kernel/btf/vfio_iommu_type1"]


@pytest.mark.parametrize(
    ("files", "capabilities", "iommufd", "type1"),
    [
        # Built in: their types are those of the kernel.
        ([], BPF | PERFMON, "nothing", "nothing"),
        ([MODULE, VFIO, TYPE1], ALL, "the iommufd module does not", "of VFIO do not describe"),
        ([MODULE, VFIO, TYPE1, *TYPES[:2]], ALL, "nothing", "of VFIO do not describe"),
        ([MODULE, VFIO, TYPE1, *TYPES], ALL, "nothing", "nothing"),
        ([MODULE, VFIO, TYPE1, *TYPES], BPF | PERFMON, "iommufd is a module", "VFIO is a module"),
        ([TYPE1, *TYPES], BPF | PERFMON, "nothing", "VFIO is a module"),
    ],
)
def test_environment_of_lists(lib, tmp_path, files, capabilities, iommufd, type1):
    """They need types that are in modules, each with its own."""
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    says = lib("lists", f"{tmp_path}:{capabilities:x}")
    assert iommufd in says[0]
    assert type1 in says[1]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([TRACEFS], "neither of iommufd nor of system calls"),
        ([TRACEFS + "syscalls/sys_exit_ioctl/"], "nothing"),
        (["sys/kernel/debug/tracing/events/syscalls/sys_exit_ioctl/"], "nothing"),
    ],
)
def test_environment_of_stock_kernels(lib, tmp_path, files, says):
    for name in files:
        (tmp_path / name).mkdir(parents=True)
    assert says in lib("stock", tmp_path)[0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-d", "0"], "the delay must be from 0.01 to 86400 seconds, not '0'"),
        (["-d", "-1"], "the delay must be from"),
        (["-d", "soon"], "the delay must be from"),
        (["-d", "nan"], "the delay must be from"),
        (["-d", "1e9"], "the delay must be from"),
        (["-d", ""], "the delay must be from"),
        (["-n", "0"], "the number of refreshes must be 1 or more, not '0'"),
        (["-n", "-3"], "the number of refreshes must be 1 or more"),
        (["-n", "99999999999999999999999"], "the number of refreshes must be 1 or more"),
        (["-s", "colour"], "there is no column 'colour'"),
        (["-n", "2", "--", "true"], "COMMAND gives one report"),
        (["--frobnicate"], "unrecognized option"),
    ],
)
def test_usage(top, arguments, says):
    """An invalid command line is refused before anything else is checked."""
    refused = top(*arguments)
    assert refused.returncode == 64
    assert says in refused.stderr
    assert refused.stdout == ""


def test_not_root(build):
    """An unprivileged user is told so, whatever else is missing."""
    runner = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
    ]
    if os.geteuid():
        runner = []
    copy = Path("/tmp") / f"iommufd-top-{os.getpid()}"
    copy.write_bytes((build / "bin" / "iommufd-top").read_bytes())
    copy.chmod(0o755)
    try:
        refused = subprocess.run([*runner, copy, "-b", "-n", "1"], capture_output=True, text=True)
    finally:
        copy.unlink()
    assert refused.returncode == 1
    assert "this needs root, or the capabilities CAP_BPF and CAP_PERFMON\n" in refused.stderr
    assert "\nRun it with sudo. " in refused.stderr
    assert refused.stdout == ""


def test_sanitized_in_guest(build, any_kernel):
    """All of iommufd-top at work, as text, JSON and the report on a command."""
    top = build / "bin" / "iommufd-top"
    load = "/usr/bin/python3 -m iommufd.load --maps 20"
    script = (
        f"{top} -- {load} && {top} --json -- {load} && {top} -n 3 -d 0.2 && {top} -s pid -- true"
    )
    done = subprocess.run(
        [TOP / "scripts" / "vm", "--kernel", any_kernel, "--", "sh", "-c", script],
        capture_output=True,
        text=True,
        cwd=TOP,
        timeout=300,
        env={**os.environ, "PYTHONPATH": "tests/lib"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "21 maps of 1.25M, 20 unmaps of 1.25M, 321 pages pinned" in done.stdout
