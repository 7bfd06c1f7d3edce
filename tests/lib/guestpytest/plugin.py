# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The plugin, used on the host and in guests: options, markers, parameters."""

import pytest
from _pytest.mark import ParameterSet
from vmrun.arch import ARM64, X86
from vmrun.paths import arch_of_kernel

from . import config as guests

OURS = ("main", "debug", "arm64", "arm64-debug")
# Those that `make test` uses.
USUAL = ("debug", "stock", "debian-7.3")
# Names for sets of kernels in markers. "tools" is for tests of tools, "bpf" for those that, because
# of their BPF programs, also run on special kernels; "plain" is for tests that one kernel of ours
# can stand for, "peers" for the same of the peer, "upstream" for peers of all series.
INSTALLED = ("stock", "stock-7.2", "stock-arm64", "replaced")
UNTOUCHED = ("debian-6.1", "debian-6.12", "debian-7.2", "debian-7.3")
OLDER_PEERS = ("peer-6.12", "peer-7.2")
PEERS = ("peer", "arm64-peer")
GROUPS = {
    "ours": OURS,
    "untouched": UNTOUCHED,
    "installed": INSTALLED,
    "upstream": (*PEERS, *OLDER_PEERS),
    "tools": ("main", *INSTALLED, "arm64"),
    "bpf": ("main", *INSTALLED, "debug-bpf", "builtin", "arm64"),
    "plain": ("main", "arm64"),
    "peers": PEERS,
    "smmu": tuple(ARM64.kernels.values()),
}
# Kernels that run only the tests that name them: any other test would behave as on the kernel that
# they derive from.
SPECIAL = (
    *("container", "peer-container", "debug-bpf", "builtin"),
    *(*INSTALLED, *UNTOUCHED, *OLDER_PEERS),
)
# As a module of an installed kernel, iommufd has no mock IOMMU, and no faults are injected. Other
# series have other requests to their mock IOMMU.
WITHOUT_MOCK = (*INSTALLED, *UNTOUCHED, *OLDER_PEERS)
# Take minutes on the sanitizer kernel, where other tests run the same code.
LONG_ON_DEBUG = {"test_bar.py", "test_vfio_container.py"}
MARKERS = (
    "guest(kernels=, iommu=, devices=, smp=, memory=, hugepages=, append=, icount=, parallel=,"
    " beside=, mock=): the guest in which a test of tests/guest runs; kernels may be 'ours',"
    " 'installed', 'untouched', 'upstream', 'tools', 'bpf', 'plain', 'peers' or 'smmu';"
    " kernels and iommu may be lists; beside names special kernels to run on, too; mock keeps the"
    " test from kernels without the mock IOMMU or fault injection; parallel runs the emulated CPUs"
    " at the same time, for races, and forbids the test to switch tracing on or off",
    "limit(seconds): how long a test may take on a kernel without sanitizers",
    "on_host(before=, after=): functions called on the host, with the guest's Machine, before"
    " the test and after it has passed",
    "full: slow, runs with --full only; on the debug kernel, so does each test with another IOMMU"
    " than intel",
    "x86(why): tests something that only x86 has; skipped on other kernels, for this reason",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("guest")
    group.addoption(
        "--kernels",
        "--kernel",
        metavar="NAME[,NAME...]",
        help="kernels of build/kernel on which each guest test runs in turn: "
        f"by default {','.join(USUAL)}",
    )
    group.addoption("--full", action="store_true", help="also run slow tests")
    group.addoption("--guest-worker", action="store_true", help="used inside guests")


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getoption("--guest-worker"):
        from .worker import Worker

        config.pluginmanager.register(Worker(config), "guest-worker")
    else:
        from .host import Host

        config.pluginmanager.register(Host(config), "guest-host")


def kernels_of(config: pytest.Config) -> list[str]:
    """The kernels that the command line names, else the usual ones."""
    option = config.getoption("--kernels")
    return option.split(",") if option else [*USUAL]


def _named(names: tuple[str, ...]) -> set[str]:
    """The kernels of a marker, without names for sets."""
    return {k for name in names for k in GROUPS.get(name, (name,))}


def _able(kernels: list[str], wish: guests.Wish) -> list[str]:
    """Those of the kernels that a test can run on."""
    if wish.mock:
        kernels = [k for k in kernels if k not in WITHOUT_MOCK]
    if wish.kernels is None:
        return [k for k in kernels if k not in SPECIAL or k in _named(wish.beside)]
    return [k for k in kernels if k in _named(wish.kernels)]


def _on_kernel(kernel: str, wish: guests.Wish) -> list[ParameterSet]:
    """The kernel with each IOMMU that the test asks for; without one of these, a skipped test."""
    if iommus := wish.iommus_of(kernel):
        return [pytest.param(kernel, iommu) for iommu in iommus]
    arch = arch_of_kernel(kernel)
    why = f"{arch.name} has none of the IOMMUs {', '.join(wish.iommus)}"
    return [pytest.param(kernel, arch.usual_iommu, marks=pytest.mark.skip(reason=why))]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs each guest test on each kernel and each IOMMU that it asks for."""
    if not guests.is_guest_path(metafunc.definition.path):
        return
    wish = guests.wish(metafunc.definition)
    kernels = _able(kernels_of(metafunc.config), wish)
    for name in ("kernel", "iommu"):
        if name not in metafunc.fixturenames:
            metafunc.fixturenames.append(name)
    pairs = [pair for kernel in kernels for pair in _on_kernel(kernel, wish)]
    metafunc.parametrize(("kernel", "iommu"), pairs, indirect=True)


@pytest.fixture
def kernel(request: pytest.FixtureRequest) -> str:
    """The name of the kernel that the test runs on."""
    return request.param


@pytest.fixture(scope="session")
def any_kernel(pytestconfig: pytest.Config) -> str:
    """For a test on the host that boots a guest: the stock kernel, which boots fastest."""
    kernels = kernels_of(pytestconfig)
    return "stock" if "stock" in kernels else kernels[0]


@pytest.fixture
def iommu(request: pytest.FixtureRequest) -> str:
    """The kind of IOMMU of the guest."""
    return request.param


def _takes_long(item: pytest.Item) -> bool:
    """Marked "full", or on a slow kernel with another IOMMU than the first, or in LONG_ON_DEBUG."""
    if item.get_closest_marker("full"):
        return True
    if not guests.is_guest_path(item.path):
        return False
    guest = guests.config_of(item)  # type: ignore[arg-type]
    usual = guest.iommu == guest.arch.usual_iommu
    return guest.sanitized and (not usual or item.path.name in LONG_ON_DEBUG)


def _skip_foreign(item: pytest.Item) -> None:
    """Skips a test of x86 on another architecture."""
    mark = item.get_closest_marker("x86")
    if mark and guests.is_guest_path(item.path):
        guest = guests.config_of(item)  # type: ignore[arg-type]
        if guest.arch is not X86:
            item.add_marker(pytest.mark.skip(reason=f"only x86 has it: {mark.args[0]}"))


def _deselected(item: pytest.Item, full: bool) -> bool:
    # A test for our kernels only, when only the peer is asked for, has no parameters.
    empty = any(
        m.name == "skip" and "empty parameter set" in m.kwargs.get("reason", "")
        for m in item.iter_markers()
    )
    return empty or (not full and _takes_long(item))


def _in_parallel(config: pytest.Config) -> bool:
    """Whether this process is one of several that pytest-xdist has started."""
    return hasattr(config, "workerinput")


def _group(item: pytest.Item, parallel: bool) -> tuple[guests.GuestConfig, str] | None:
    """Tests of one group run in one guest; a test outside of guests has no group.

    Most tests need the same guest of the sanitizer kernel. With several processes, each folder of
    such tests is a group, so that two guests share the work.
    """
    if not guests.runs_in_guest(item):
        return None
    config = guests.config_of(item)  # type: ignore[arg-type]
    return config, item.path.parent.name if parallel and config.sanitized else ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    full = config.getoption("--full")
    dropped = [i for i in items if _deselected(i, full)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [i for i in items if i not in set(dropped)]
    for item in items:
        _skip_foreign(item)
    # Host tests first, then guest by guest, each in order of first appearance. With several
    # processes, the tests of one guest stay together, and the slowest guests come first.
    parallel = _in_parallel(config)
    keys = {item: _group(item, parallel) for item in items}
    order: dict[tuple[guests.GuestConfig, str] | None, int] = {None: -1}
    for key in keys.values():
        order.setdefault(key, len(order))
    if parallel:
        for key in order:
            order[key] -= len(order) * (key is not None and key[0].sanitized)
        for item in items:
            item.stash[guests.NODEID] = item.nodeid
            item.add_marker(pytest.mark.xdist_group(name=str(order[keys[item]])))
    items.sort(key=lambda item: order[keys[item]])
