# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The screen of iommufd-top on a terminal, and the effect of the keys."""

import contextlib
import errno
import os
import re
import signal
import subprocess
import sys

import iommufd_top as top
import pytest
from errnos import fails
from iommufd.ctx import NO_ID
from iommufd.edu import Edu
from iommufd.platform import MSI, X86
from screen import Screen
from tool_runner import environment, load_command

# The sanitizer kernel has no BTF.
pytestmark = [pytest.mark.guest(kernels="tools"), pytest.mark.limit(180)]

TITLES = 6
HINTS = "^q quit  h help"


def start(*options, view="ioas", term="xterm-256color", columns=80, lines=24, **more):
    """iommufd-top on a terminal, with its first picture drawn."""
    command = [top.TOP, "-d", "0.3", "-w", view, *options]
    env = environment(**{"TERM": term, "LC_ALL": "C.UTF-8", **more})
    screen = Screen(command, columns, lines, timeout=50, env=env)
    screen.wait(HINTS)
    return screen


@contextlib.contextmanager
def running(*command):
    """A command in the background, ended at the end."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment()) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture
def load():
    """Two active IOASes, one with large mappings."""
    options = ["--ioas", "2", "--size", "4K,64K", "--pause", "0.005"]
    with running(*load_command(*options)) as process:
        yield process.pid


def rows(screen):
    """The lines of the table as words, without the marks."""
    lines = [x.split() for x in screen.lines[TITLES + 1 : -1] if re.match(r" *\d+ ", x)]
    return [
        [w for i, w in enumerate(words) if (i, w) not in ((2, "x"), (2, "~"))] for words in lines
    ]


def sorting_title(screen):
    """The words of the title line that are not in reverse."""
    return "".join(" " if c.reverse else c.data for c in screen.cells(TITLES)).strip()


def test_table(load):
    with start() as screen:
        screen.wait(lambda: len(rows(screen)) == 2)
        assert screen.lines[0].startswith("iommufd-top ")
        assert "1 process, 1 context, 2 IOAS" in screen.lines[0]
        assert re.match(
            r"mapped \S+, pinned \S+, \S+ maps/s, \S+ unmaps/s, 0 inval/s, 0 failed$",
            screen.lines[1],
        )
        assert re.match(
            r"iommufd-top: \S+% CPU, \S+ events/s, 0 lost +every 0.3s, by maps$", screen.lines[3]
        )
        assert screen.lines[TITLES].split()[:7] == [
            "PID",
            "COMMAND",
            "IOAS",
            "MAPPED",
            "PIN",
            "MAP/s",
            "UNM/s",
        ]
        assert {(r[0], r[1]) for r in rows(screen)} == {(str(load), "dma-loa")}
        assert max(map(len, screen.lines)) <= 80
        screen.key("q")
        assert screen.finish() == 0
        # The terminal's own screen is back, and its cursor.
        assert b"\x1b[?1049l" in screen.written


def test_nothing():
    with start() as screen:
        screen.wait("^Nothing to show.$")
        # Every table has room for all of its columns.
        for key, last in zip("123456", ("FAIL",) * 4 + ("NUMBERS", "SHARE"), strict=True):
            screen.key(key)
            screen.wait(f"^(?!q quit).*[A-Z]+ .* {last}$")
            assert max(map(len, screen.lines)) <= 80
        screen.key("q")
        assert screen.finish() == 0


def test_sort(load):
    with start("-s", "ioas") as screen:
        screen.wait(lambda: len(rows(screen)) == 2)
        assert sorting_title(screen) == "IOAS"
        first, second = (int(r[2]) for r in rows(screen))
        assert first < second
        screen.key("r")
        screen.wait("by ioas reversed$")
        screen.wait(lambda: [int(r[2]) for r in rows(screen)] == [second, first])
        screen.key(">")
        screen.wait("by mapped ")
        assert sorting_title(screen) == "MAPPED"
        screen.key("<<")
        # The context does not fit in 80 columns.
        screen.wait("by command ")
        screen.key("sS,.")
        screen.wait("by command ")


def test_sort_wraps_round():
    with start("-s", "pid") as screen:
        screen.key("<")
        screen.wait("by failed$")
        assert sorting_title(screen) == "FAIL"
        screen.key(">")
        screen.wait("by pid$")


@pytest.mark.parametrize("key", ["p", " "])
def test_pause(load, key):
    with start() as screen:
        screen.wait(lambda: len(rows(screen)) == 2)
        screen.key(key)
        screen.wait("PAUSED$")
        before = screen.text
        screen.settle(1.5)
        assert screen.text == before
        # Keys still work, counting continues.
        screen.key("r")
        screen.wait("PAUSED(.|\n)*reversed")
        screen.key(key)
        screen.wait(lambda: "PAUSED" not in screen.text)
        assert float(re.search(r"over ([\d.]+)s", screen.lines[0])[1]) > 1.5


def test_help():
    with start() as screen:
        screen.key("h")
        screen.wait("up down +mark another row")
        assert "x: has just ended" in screen.text
        assert max(map(len, screen.lines)) <= 80
        assert screen.lines[-1].startswith("q quit")
        screen.key("x")
        screen.wait("^ +PID COMMAND")
        screen.key("?")
        screen.wait("up down +mark another row")
        screen.key("q")
        assert screen.finish() == 0


def test_delay():
    with start() as screen:
        screen.key("d")
        screen.wait("^Seconds between refreshes: _$")
        screen.key("0\r")
        screen.wait("^The delay must be from 0.01 to 86400 seconds$")
        assert "every 0.3s" in screen.lines[3]
        screen.key("d12x.\x7f5\r")
        screen.wait("every 125s")
        screen.key("d7\x1b")
        screen.wait(HINTS)
        assert "every 125s" in screen.lines[3]


def test_resize(load):
    with start() as screen:
        screen.wait(lambda: len(rows(screen)) == 2)
        screen.resize(110, 40)
        screen.wait("^ +PID COMMAND +CTX IOAS")
        screen.wait(f"^ *{load} dma-load ")
        assert screen.lines[-1].startswith("q quit")
        screen.resize(60, 8)
        screen.wait("^60x8 is too small: 80x10 needed$")
        screen.resize(80, 24)
        screen.wait(HINTS)
        screen.wait(lambda: len(rows(screen)) == 2)


def test_scroll():
    """More rows than lines."""
    command = load_command("--ioas", "30", "--no-device", "--size", "4K", "--pause", "0.01")
    with start("-s", "ioas") as screen, running(*command) as load:
        screen.wait(lambda: "30 IOAS" in screen.lines[0])

        def shown():
            return [int(r[2]) for r in rows(screen) if len(r) > 2]

        # One read from the terminal may end within a picture.
        screen.wait(lambda: len(shown()) == 16)
        first = shown()[0]
        screen.key("j" * 17)
        screen.wait(lambda: shown()[:1] == [first + 2])
        screen.key("k" * 17)
        screen.wait(lambda: shown()[:1] == [first])
        screen.key("\x1bOF")
        screen.wait(lambda: shown()[-1:] == [first + 29])
        screen.key("\x1bOH")
        screen.wait(lambda: shown()[:1] == [first])
        load.terminate()
        screen.wait("0 IOAS")


def test_ended(load):
    """An IOAS that ended is shown once more, marked."""
    with start("-d", "2") as screen:
        done = subprocess.run(
            load_command("--maps", "3", "--no-device", "--comm", "brief"),
            stdout=subprocess.DEVNULL,
            env=environment(),
        )
        assert done.returncode == 0
        screen.wait("brief +x ")
        screen.wait(lambda: "brief" not in screen.text)


def test_views():
    """From a process to its IOAS to the sizes of its mappings, and back; the other tables."""
    # The page for DMA would be a second size.
    command = load_command("--ioas", "2", "--size", "4K,64K", "--pause", "0.005", "--no-dma")
    screen = start(view="process", columns=120, lines=30)
    with screen, running(*command) as process:
        load = process.pid
        screen.wait(f"^ *{load} dma-load ")
        # The history of the total and of the row.
        screen.wait("^maps +[▁▂▃▄▅▆▇█]")
        screen.wait(lambda: re.search("[▁▂▃▄▅▆▇█]$", screen.lines[TITLES + 1]))
        screen.key("\r")
        screen.wait(rf"^of dma-load \({load}\)")
        screen.wait(lambda: len(rows(screen)) == 2)
        screen.key("s" * 3 + "j\r")
        place = screen.wait(rf"^of IOAS (\d+) of dma-load \({load}\)")
        screen.wait(lambda: rows(screen) and "BELOW" in screen.lines[TITLES])
        assert {r[3] for r in rows(screen)} == {place[1]}
        assert {r[4] for r in rows(screen)} in ({"4.00K"}, {"64.0K"})
        screen.key("\r")
        screen.wait("^There is nothing below sizes.$")
        # The other tables stay with the process.
        screen.key("4")
        screen.wait("^0000:00:[0-9a-f.]+ +")
        screen.wait(rf"^of dma-load \({load}\)")
        screen.key("\x7f")
        screen.wait(rf"^of dma-load \({load}\)")
        screen.wait("^ +PID COMMAND +CTX IOAS")
        screen.key("\x1b")
        screen.wait(lambda: not screen.lines[TITLES - 1].startswith("of "))
        screen.wait("^ +PID COMMAND +UID IOAS")
        screen.key("3")
        screen.wait(r"dma-load +\d+ +\d+ auto ")
        screen.key("\x1bOD")
        screen.wait("^This is the top: q quits.$")
        screen.key("\t\t")
        screen.wait("^Nothing has failed since this table was first opened.$")
        screen.key("\x1b[Z\x1b[Z\x1b[Z")
        screen.wait("^ +PID COMMAND +CTX IOAS")


def test_filter(load):
    """Only rows with a text; all again with Escape."""
    with start() as screen:
        screen.wait(lambda: len(rows(screen)) == 2)
        screen.key("/MOON\r")
        screen.wait("^No row contains that text.$")
        screen.wait("^with 'MOON'")
        screen.key("/DMA\x1b")
        screen.wait(HINTS)
        screen.key("/dma-\r")
        screen.wait(lambda: len(rows(screen)) == 2 and "with 'dma-'" in screen.text)
        screen.key("\x1b")
        screen.wait(lambda: "with 'dma-'" not in screen.text)


def test_process_ends():
    """The process on display ends: a message says so, and the way back still works."""
    command = load_command("--no-device", "--pause", "0.01")
    with start("-p", str(os.getpid()), view="process") as screen, running(*command) as load:
        screen.wait("^Nothing left to show.$")
        screen.key("q")
        assert screen.finish() == 0
        assert load.poll() is None


def test_dumb_terminal(load):
    """One that can't move the cursor gets lines of text."""
    done = Screen([top.TOP, "-n", "1", "-d", "0.3"], env=environment(TERM="dumb"))
    assert done.finish() == 0
    assert b"\x1b" not in done.written
    assert "PID COMMAND" in done.text


def test_older_mappings(context, ioas, buffer):
    """The sizes of mappings that existed before the start are not known, and the table says so."""
    context.map(ioas, buffer)
    with start() as screen:
        screen.wait(lambda: len(rows(screen)) == 1)
        screen.key("\r")
        screen.wait("^Its mappings are older than iommufd-top: their sizes are not known.$")
        context.map(ioas, buffer)
        screen.wait(lambda: rows(screen) and "BELOW" in screen.lines[TITLES])
        screen.key("q")
        assert screen.finish() == 0


@pytest.mark.parametrize("columns", [80, 130, 150])
def test_numbers_are_whole(context, ioas, buffer, columns):
    """A number is shown with all of its digits, or not at all."""
    with Edu(context, ioas), start(view="failure", columns=columns) as screen:
        screen.wait("^Nothing has failed")
        with fails(errno.EINVAL):
            context.map(ioas, buffer, iova=MSI[0])
        row = screen.wait("^iova_reserved .*$")[0].split()
        # On arm64, even 80 columns have room for the numbers.
        second = "+" if columns == 80 and X86 else f"{MSI[1]:#x}"
        assert row[row.index(f"{MSI[0]:#x}") + 1] == second
        screen.key("q")
        assert screen.finish() == 0


def test_failures_agree(context):
    """Failures of any kind are in the table, in the first lines and in the row of the process."""
    with start(view="failure", columns=120) as screen:
        screen.wait("^Nothing has failed")
        screen.key("p")
        screen.wait("PAUSED")
        for _ in range(7):
            with fails(errno.ENOENT):
                context.destroy(NO_ID)
        screen.key("pp")
        screen.wait("inval/s, 7 failed")
        screen.wait("^no_object +7 +7 ")
        screen.key("1")
        screen.wait(lambda: rows(screen) and rows(screen)[0][-1] == "7")
        screen.key("q")
        assert screen.finish() == 0


@pytest.mark.parametrize("term", ["xterm", "vt100", "linux", "screen", "dumb-colour"])
def test_terminals(load, term):
    """Any terminal that ncurses knows; for others a message with advice."""
    if term == "dumb-colour":
        done = Screen([top.TOP], env=environment(TERM=term))
        assert done.finish() == 1
        assert "can't use this terminal (TERM is 'dumb-colour')" in done.text
        assert "or use --batch." in done.text
        return
    with start(term=term) as screen:
        screen.wait(lambda: len(rows(screen)) == 2)
        screen.key(">q")
        assert screen.finish() == 0


COLOUR = re.compile(rb"\x1b\[[0-9;]*\b3[0-7]m")


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour(no_color, coloured):
    """Failures are red, or bold without colours."""
    failing = [
        "import contextlib, time",
        "from iommufd.ctx import Context",
        "context = Context(); ioas = context.ioas_alloc()",
        "while True:",
        "    time.sleep(0.05)",
        "    with contextlib.suppress(OSError): context.unmap(ioas, 4096, 4096)",
    ]
    command = [sys.executable, "-c", "\n".join(failing)]
    with start(NO_COLOR=no_color, LC_ALL="C") as screen, running(*command) as process:
        # Without UTF-8, curves use other characters.
        screen.wait("failed [-.,~=+*# ]*[-.,~=+*#]")
        screen.wait(lambda: any(r[-1] != "0" for r in rows(screen)))
        cell = screen.cells(TITLES + 1)[-1]
        assert (cell.bold, cell.fg) == (True, "red" if coloured else "default")
        assert bool(COLOUR.search(screen.written)) == coloured
        screen.key("5")
        screen.wait(rf"^not_mapped +\d+ +[\d.]+ +\d+\w +{process.pid} ")
        screen.key("j")
        screen.wait(
            rf"^not_mapped: IOMMU_IOAS_UNMAP of python3 \({process.pid}\): ENOENT, 0x1000 0x1000$"
        )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
def test_signal(signum):
    """The terminal is as before."""
    with start() as screen:
        screen.child.kill(signum)
        assert screen.finish() == 0
        assert b"\x1b[?1049l" in screen.written


def test_ctrl_c():
    with start() as screen:
        screen.key("\x03")
        assert screen.finish() == 0


def test_iterations():
    with start("-n", "2") as screen:
        assert screen.finish() == 0


def test_hangup():
    """It ends when its terminal goes away."""
    with start() as screen:
        screen.hang_up()
        assert screen.child.wait() == 0
