# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""scripts/bench: its counts match the clock, and its gate finds functions that got slower."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from benchrun import wall
from benchrun.kernels import Subject
from benchrun.results import Run, load
from guestpytest.plugin import kernels_of
from vmrun.paths import ROOT

BENCH = ROOT / "scripts" / "bench"
WORKLOAD = ROOT / "build" / "bench" / "workload"
BASELINES = ROOT / "tests" / "bench" / "baseline"
BASELINE = BASELINES / "main.json"
LIMIT = 1800
MOVED, FAILED = 1, 2

Done = subprocess.CompletedProcess
CASE = "map/4k/64M"
# A function that CASE runs.
SLOWED = "iommufd_cmd_ioas_map"


def bench(*words: str | Path, **options) -> Done:
    return subprocess.run(
        [BENCH, *words], capture_output=True, text=True, timeout=LIMIT, check=False, **options
    )


@pytest.fixture(scope="module", autouse=True)
def main_kernel(pytestconfig: pytest.Config) -> None:
    """These tests use one kernel, which `make test` does not build."""
    if "main" not in kernels_of(pytestconfig):
        pytest.skip("this is for the kernel main")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one run of the cases in the baseline."""
    baseline = json.loads(BASELINE.read_text())
    out = tmp_path_factory.mktemp("bench")
    words = ["--size", str(baseline["size"]), "--repeat", str(baseline["repeat"])]
    words += ["--backends", ",".join(baseline["backends"])]
    done = bench("--kernels", "main", *words, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "results.json"


@pytest.fixture(scope="module")
def run(measured: Path) -> Run:
    return load(measured)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Callable[[dict], None]], Path]:
    """The baseline of the measured kernel, changed by a function."""

    def change(how: Callable[[dict], None]) -> Path:
        data = json.loads(BASELINE.read_text())
        how(data)
        file = tmp_path / "baseline.json"
        file.write_text(json.dumps(data))
        return file

    return change


def entry(data: dict, case: str) -> dict:
    return next(x for x in data["cases"] if x["case"] == case)


def gate_holds(results: Path, kernel: str) -> None:
    """Skips if the baseline is from another compiler or kernel release, whose numbers differ."""
    now = Subject(kernel, ()).describe()
    then = json.loads((BASELINES / f"{kernel}.json").read_text())["kernel"]
    for what in ("release", "compiler"):
        if getattr(now, what) != then[what]:
            pytest.skip(f"the baseline's {what} is {then[what]}, here it is {getattr(now, what)}")
    done = bench("--check", "--from", results, "--kernels", kernel)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 moved by more than 1%" in done.stdout


def test_nothing_got_dearer(measured: Path) -> None:
    """On the kernel that is always built; the benchmark kernel follows below."""
    gate_holds(measured, "main")


def test_profile_is_what_the_clock_says(run: Run) -> None:
    """Two independent counts."""
    counted = [c for c in run.cases if c.unit != "byte"]
    assert len(counted) > 50
    off = {}
    for case in counted:
        difference = sum(case.functions.values()) - min(case.value)
        # The cost of reading the clock is subtracted, as if nothing were between two reads.
        if abs(difference) > 10 + min(case.value) / 10000:
            off[case.case] = difference
    assert not off


def test_functions_have_names(run: Run) -> None:
    functions = next(c for c in run.cases if c.case == CASE).functions
    assert {f"{SLOWED} [iommufd]", "__x64_sys_ioctl", "(user space)"} <= functions.keys()


def test_profile_is_shown(measured: Path, run: Run) -> None:
    """Functions per unit, the largest first. Apart from small ones, they add up to the total."""
    done = bench("--from", measured, "--profile", CASE)
    assert done.returncode == 0, done.stderr
    title, _, whole, *lines = done.stdout.splitlines()
    assert title == f"{CASE}: instructions a page, by function"
    counts = [float(line.split()[-1]) for line in lines if line]
    assert counts == sorted(counts, reverse=True)
    case = next(c for c in run.cases if c.case == CASE)
    assert float(whole.split()[-1]) == pytest.approx(case.per_unit(), abs=0.1)
    assert sum(counts) == pytest.approx(case.per_unit(), rel=0.05)


def held_against(measured: Path, baseline: Path) -> Done:
    """As if the baseline belonged to the measured kernel, whatever kernel that is."""
    data = json.loads(baseline.read_text())
    data["kernel"] = json.loads(measured.read_text())["kernels"][0]
    baseline.write_text(json.dumps(data))
    return bench("--check", "--from", measured, "--baseline", baseline, "--kernels", "main")


def test_names_what_got_dearer(measured: Path, run: Run, changed) -> None:
    """A baseline in which one function took less: it is listed first, with the increase."""
    case = next(c for c in run.cases if c.case == CASE)
    dearer = max(case.functions, key=lambda name: case.functions[name])

    def cheaper(data: dict) -> None:
        # The others as they are now, so that this is the only difference.
        data["cases"] = [x for x in data["cases"] if x["case"] != CASE]
        functions = dict(case.functions)
        less = functions[dearer] // 2
        functions[dearer] -= less
        then = {k: getattr(case, k) for k in ("backend", "case", "op", "unit", "units", "runs")}
        data["cases"].append(then | {"value": min(case.value) - less, "functions": functions})

    done = held_against(measured, changed(cheaper))
    assert done.returncode == MOVED
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if CASE in line)
    more = case.functions[dearer] / 2 / case.units
    assert "instructions a page (+" in lines[at]
    change, text = lines[at + 1].split(maxsplit=1)
    assert float(change) == pytest.approx(more, abs=0.1)
    assert text.startswith(f"{dearer}: ")
    assert at + 2 == len(lines) or not lines[at + 2].startswith("    "), "nothing else changed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: entry(d, CASE).update(case="map/gone"), "not measured: map/gone"),
        (lambda d: d["cases"].remove(entry(d, CASE)), f"new: {CASE}"),
    ],
    ids=["missing", "new"],
)
def test_all_is_compared(measured: Path, changed, change, words: str) -> None:
    """A case missing on one side is no success."""
    done = held_against(measured, changed(change))
    assert done.returncode == MOVED
    assert words in done.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["kernel"].update(config="0" * 16), "the configuration's hash is"),
        (lambda d: d["kernel"].update(compiler="tcc"), "the compiler is"),
        (lambda d: d["kernel"].update(release="6.1"), "the version is"),
        (lambda d: d.update(cases=[]), "no case of"),
        (lambda d: d.update(format=0), "format 0, this is for"),
        (lambda d: d.pop("size"), "is no baseline: KeyError"),
        (lambda d: entry(d, CASE).pop("value"), "what is this?"),
        (lambda d: entry(d, CASE).update(units=0), "what is this?"),
    ],
)
def test_unusable_baseline(changed, change, words: str) -> None:
    """Reported before anything is measured."""
    done = bench("--check", "--kernels", "main", "--baseline", changed(change))
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert words in done.stderr


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no JSON", '{"format": 1, "cases": 3}'])
def test_no_baseline(tmp_path: Path, text: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text)
    done = bench("--check", "--kernels", "main", "--baseline", file)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert "is no baseline" in done.stderr


def test_missing_baseline_and_kernel(tmp_path: Path) -> None:
    gone = tmp_path / "gone.json"
    done = bench("--check", "--kernels", "main", "--baseline", gone)
    assert (done.returncode, done.stderr.count("--update-baseline")) == (FAILED, 1)
    done = bench("--kernels", "no-such-kernel")
    assert done.returncode == FAILED
    assert "run scripts/build-kernel no-such-kernel" in done.stderr


# A workload that one can tell what to do: the last word is --list, or the name of the backend.
FAKE = """\
#!/bin/sh
case "$*" in
*--list) printf '%s\\n' good bad late; exit ;;
esac
echo '{"case": "good", "op": "o", "units": 2, "unit": "page", "value": [5, 4]}'
"""
BAD = '{"case": "bad", "backend": "iommufd", "error": "it hurts"}'


@pytest.mark.parametrize(
    ("rest", "status", "words"),
    [
        (f"echo '{BAD}'; exit 1", MOVED, ["bad (main, iommufd): it hurts", "late (main, iommufd)"]),
        ("kill -9 $$", MOVED, ["the workload ended with status 137", "did not come to it"]),
        ("echo Ouch", FAILED, ["what is no result: 'Ouch'"]),
    ],
    ids=["says so", "killed", "nonsense"],
)
def test_case_that_fails(tmp_path: Path, rest: str, status: int, words: list[str]) -> None:
    """Successful cases are shown; failed ones are named, whether they reported it or not."""
    fake = tmp_path / "fake"
    fake.write_text(FAKE + rest + "\n")
    fake.chmod(0o755)
    kernel = ["--kernels", "main", "--backends", "iommufd", "--size", "32"]
    done = bench(*kernel, "--workload", fake, "--out", tmp_path / "out")
    assert done.returncode == status, done.stdout + done.stderr
    for word in words:
        assert word in done.stderr
    if status == MOVED:
        assert "2.00" in done.stdout.splitlines()[-1]
        failures = json.loads((tmp_path / "out" / "results.json").read_text())["failures"]
        assert {"bad", "late"} <= {f["case"] for f in failures}


def test_pattern_without_a_case() -> None:
    done = bench("--kernels", "main", "--only", "no-such-case")
    assert done.returncode == FAILED
    assert "no case was measured" in done.stderr


@pytest.mark.usefixtures("measured")
def test_wall_clock() -> None:
    """On the machine that runs it, which is a guest here: medians and their intervals."""
    devices = [word for _ in range(2) for word in ("--device", "edu")]
    words = ["--wall", "--repeat", "9", "--size", "32", "--only", "map/4k/2M"]
    vm = [ROOT / "scripts" / "vm", *devices, "--memory", "1G", "--hugepages", "16", "--"]
    done = subprocess.run(
        [*vm, BENCH, *words, "--backends", "iommufd", "--workload", WORKLOAD, "--out", "/tmp/out"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    head, line = done.stdout.splitlines()
    assert head.split()[-4:] == ["median", "95", "%", "interval"]
    case, _, kernel, _, rounds, median, low, _, high = line.split()
    assert (case, kernel, rounds) == ("map/4k/2M", "here", "9")
    assert 0 < float(low) <= float(median) <= float(high)


@pytest.mark.parametrize(("count", "ends"), [(5, None), (6, (0, 5)), (9, (1, 7)), (15, (3, 11))])
def test_interval(count: int, ends: tuple[int, int] | None) -> None:
    """As in tables of order statistics."""
    assert wall.interval(list(reversed(range(count)))) == ends


@pytest.fixture
def slower_kernel(tmp_path: Path) -> Path:
    """The kernel with a module in which one function does unnecessary work."""
    source, out, kernel = (tmp_path / name for name in ("source", "out", "kernel"))
    shutil.copytree(ROOT / "kernel", source)
    test_header = "drivers/iommu/iommufd/iommufd_test.h"
    (source / "iommufd_test.h").symlink_to(ROOT / "build" / "linux" / "pristine" / test_header)
    built = ROOT / "build" / "kernel" / "main"
    objects = (built / "vmlinux").resolve().parent
    begin = re.compile(rf"^int {SLOWED}\(.*?\n{{\n", re.MULTILINE | re.DOTALL)
    (file,) = [f for f in source.rglob("*.c") if begin.search(f.read_text())]
    loop = "\tfor (int i = 0; i < 40000; i++)\n\t\tbarrier();\n"
    file.write_text(begin.sub(lambda found: found[0] + loop, file.read_text()))
    script = f"""
        . {ROOT}/scripts/lib/common.sh
        . {ROOT}/scripts/lib/kmake.sh
        kmake {objects.parent} {objects.name} -j2 M={source} MO={out} modules
    """
    subprocess.run(["bash", "-ec", script], check=True, timeout=LIMIT)
    kernel.mkdir()
    for name in ("bzImage", "vmlinux", "config", "release"):
        (kernel / name).symlink_to((built / name).resolve())
    shutil.copytree(built / "modroot", kernel / "modroot", symlinks=True)
    (module,) = (kernel / "modroot").rglob("iommufd.ko")
    subprocess.run(["strip", "-g", "-o", module, out / "iommufd.ko"], check=True)
    return kernel


@pytest.mark.full
def test_slower_function_is_named(slower_kernel: Path, measured: Path, changed) -> None:
    """Compiled, measured, found: nothing else moved."""
    kernel = json.loads(measured.read_text())["kernels"][0]
    baseline = changed(lambda d: d.update(kernel=kernel))
    done = bench("--check", "--kernels", slower_kernel, "--baseline", baseline, "--only", CASE)
    assert done.returncode == MOVED, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert CASE in lines[1]
    assert f"{SLOWED} [iommufd]" in lines[2]


@pytest.mark.full
def test_whole_matrix(tmp_path: Path) -> None:
    """What `make bench` does: all cases on all kernels, a chart, and no regression."""
    done = bench("--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "bench.svg").stat().st_size > 10000
    gate_holds(tmp_path / "results.json", "bench")


@pytest.mark.full
def test_chart_is_the_same_each_time(measured: Path, tmp_path: Path) -> None:
    """Drawn from the same results, with an invented floor, as main's run has none."""
    data = json.loads(measured.read_text())
    data["cases"] += [c | {"backend": "floor"} for c in data["cases"] if c["backend"] == "iommufd"]
    results = tmp_path / "results.json"
    results.write_text(json.dumps(data))
    pictures = []
    for name in ("one", "two"):
        done = bench("--from", results, "--out", tmp_path / name)
        assert done.returncode == 0, done.stderr
        pictures.append(
            [(tmp_path / name / f"bench.{kind}").read_bytes() for kind in ("svg", "png")]
        )
    assert pictures[0] == pictures[1]
    assert pictures[0][0].startswith(b"<?xml") and pictures[0][1].startswith(b"\x89PNG")


def test_charge_hook(tmp_path: Path) -> None:
    """The same requests with the policy pinlimit, beside those without any policy."""
    words = ["--size", "32", "--only", "one/*", "--backends", "iommufd,pinlimit"]
    done = bench("--kernels", "main", *words, "--out", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    costs = {(c.case, c.backend): c.per_unit() for c in load(tmp_path / "results.json").cases}
    for op in ("map", "unmap"):
        case = f"one/{op}/areas=0"
        free, limited = costs[case, "iommufd"], costs[case, "pinlimit"]
        assert free < limited < 4 * free
        assert f"{case} (pinlimit)" in done.stdout
