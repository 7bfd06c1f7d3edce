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


def test_sanitized_in_guest(build):
    """All of iommufd-top at work, as text, JSON and the report on a command."""
    top = build / "bin" / "iommufd-top"
    load = "/usr/bin/python3 -m iommufd.load --maps 20"
    script = (
        f"{top} -- {load} && {top} --json -- {load} && {top} -n 3 -d 0.2 && {top} -s pid -- true"
    )
    done = subprocess.run(
        [TOP / "scripts" / "vm", "--", "sh", "-c", script],
        capture_output=True,
        text=True,
        cwd=TOP,
        timeout=300,
        env={**os.environ, "PYTHONPATH": "tests/lib"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "21 maps of 1.25M, 20 unmaps of 1.25M, 321 pages pinned" in done.stdout
