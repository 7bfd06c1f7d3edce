# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""BPF objects through libbpf: programs to run, maps, and policies to attach."""

import ctypes
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from vmrun.paths import BUILD, built

OBJECTS = built("tools")
# The objects of tests/bpf.
TESTS = BUILD / "selftests"
_lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
_POINTER = ctypes.c_void_p
for _name in (
    "bpf_object__open_file",
    "bpf_object__find_map_by_name",
    "bpf_object__find_program_by_name",
    "bpf_map__attach_struct_ops",
    "bpf_program__attach",
    "bpf_map__initial_value",
    "bpf_object__next_map",
):
    getattr(_lib, _name).restype = _POINTER
# BPF_MAP_TYPE_STRUCT_OPS
STRUCT_OPS = 26
_RINGBUF_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_size_t)
_lib.ring_buffer__new.restype = _POINTER

# Receives all messages of libbpf, the verifier's log among them.
_messages: list[str] = []


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, _POINTER)
def _print(level: int, form: bytes, arguments: int) -> int:
    """A callback with a va_list, which is a pointer on this machine."""
    text = ctypes.create_string_buffer(1 << 16)
    size = ctypes.c_size_t(len(text))
    if level < DEBUG:
        ctypes.CDLL(None).vsnprintf(text, size, form, _POINTER(arguments))
        _messages.append(text.value.decode(errors="replace"))
    return 0


DEBUG = 2
_lib.libbpf_set_print(_print)


class NotLoaded(OSError):
    """Raised when an object is refused; the text says why."""

    def __init__(self, error: int, log: str) -> None:
        super().__init__(error, f"{os.strerror(error)}\n{log}")
        self.log = log


class Members(ctypes.Structure):
    """struct iommufd_bpf_ops before it is loaded. Function pointers may be cleared."""

    _fields_ = [
        ("hwpt_alloc", ctypes.c_uint64),
        ("hwpt_alloc_done", ctypes.c_uint64),
        ("hwpt_free", ctypes.c_uint64),
        ("hwpt_invalidate", ctypes.c_uint64),
        ("hwpt_invalidate_done", ctypes.c_uint64),
        ("name", ctypes.c_char * 16),
        ("priority", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("cgroup_id", ctypes.c_uint64),
        ("charge", ctypes.c_uint64),
        ("uncharge", ctypes.c_uint64),
    ]


def _check(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def _pointer(result: int | None) -> ctypes.c_void_p:
    if not result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return _POINTER(result)


class _TestRun(ctypes.Structure):
    """struct bpf_test_run_opts"""

    _fields_ = [
        ("sz", ctypes.c_size_t),
        ("data_in", _POINTER),
        ("data_out", _POINTER),
        ("data_size_in", ctypes.c_uint32),
        ("data_size_out", ctypes.c_uint32),
        ("ctx_in", _POINTER),
        ("ctx_out", _POINTER),
        ("ctx_size_in", ctypes.c_uint32),
        ("ctx_size_out", ctypes.c_uint32),
        ("retval", ctypes.c_uint32),
        ("repeat", ctypes.c_int),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    ]


class Map:
    """A map of an object."""

    def __init__(self, pointer: ctypes.c_void_p) -> None:
        self.pointer = pointer

    @property
    def fd(self) -> int:
        """-1 before the object is loaded."""
        return _lib.bpf_map__fd(self.pointer)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        _check(_lib.bpf_map_update_elem(self.fd, key, value, ctypes.c_uint64(0)))

    def get(self, key: bytes) -> bytes | None:
        """Returns the value of a key, or None."""
        value = ctypes.create_string_buffer(_lib.bpf_map__value_size(self.pointer))
        return None if _lib.bpf_map_lookup_elem(self.fd, key, value) else value.raw

    def __iter__(self) -> Iterator[bytes]:
        """Iterates over the keys of a hash map."""
        key, following = None, ctypes.create_string_buffer(_lib.bpf_map__key_size(self.pointer))
        while not _lib.bpf_map_get_next_key(self.fd, key, following):
            key = following.raw
            yield key

    @property
    def members(self) -> Members:
        """The members of a policy, which may be changed until it is loaded."""
        return Members.from_address(_lib.bpf_map__initial_value(self.pointer, None))

    def records(self, patience: float = 0) -> list[bytes]:
        """Drains a ring buffer. If it is empty, waits up to `patience` seconds for a record."""
        found: list[bytes] = []

        def take(_: object, data: int, size: int) -> int:
            found.append(ctypes.string_at(data, size))
            return 0

        callback = _RINGBUF_CALLBACK(take)
        ring = _pointer(_lib.ring_buffer__new(self.fd, callback, None, None))
        end = time.monotonic() + patience
        _lib.ring_buffer__consume(ring)
        while not found and (left := end - time.monotonic()) > 0:
            _lib.ring_buffer__poll(ring, ctypes.c_int(int(left * 1000) + 1))
        _lib.ring_buffer__free(ring)
        return found


class Link:
    """An attached policy, or an attached program (given by its pointer), until close()."""

    def __init__(self, what: Map | ctypes.c_void_p) -> None:
        self._pointer: ctypes.c_void_p | None = None
        if isinstance(what, Map):
            self._pointer = _pointer(_lib.bpf_map__attach_struct_ops(what.pointer))
        else:
            self._pointer = _pointer(_lib.bpf_program__attach(what))

    def __enter__(self) -> "Link":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def id(self) -> int:
        """Its id, as other programs see it."""
        text = Path(f"/proc/self/fdinfo/{_lib.bpf_link__fd(self._pointer)}").read_text()
        fields = dict(line.split(":", 1) for line in text.splitlines())
        return int(fields["link_id"])

    def update(self, policy: Map) -> None:
        """Replaces the policy by another one."""
        _check(_lib.bpf_link__update_map(self._pointer, policy.pointer))

    def close(self) -> None:
        """Detaches it."""
        if self._pointer:
            _lib.bpf_link__destroy(self._pointer)
        self._pointer = None


class Object:
    """A loaded object file. `prepare` is called with it before it is loaded."""

    def __init__(self, path: Path, prepare: Callable[["Object"], None] | None = None) -> None:
        del _messages[:]
        self._pointer = _pointer(_lib.bpf_object__open_file(str(path).encode(), None))
        try:
            if prepare:
                prepare(self)
            if (result := _lib.bpf_object__load(self._pointer)) < 0:
                raise NotLoaded(-result, "".join(_messages))
        except BaseException:
            self.close()
            raise

    def map(self, name: str) -> Map:
        """Returns a map by its name."""
        return Map(_pointer(_lib.bpf_object__find_map_by_name(self._pointer, name.encode())))

    def only(self, name: str) -> None:
        """Loads only this one of its policies."""
        current = _lib.bpf_object__next_map(self._pointer, None)
        wanted = self.map(name).pointer.value
        while current:
            pointer = _POINTER(current)
            if _lib.bpf_map__type(pointer) == STRUCT_OPS:
                _check(_lib.bpf_map__set_autocreate(pointer, ctypes.c_bool(current == wanted)))
            current = _lib.bpf_object__next_map(self._pointer, pointer)

    def program(self, name: str) -> ctypes.c_void_p:
        """Returns a program by its name."""
        return _pointer(_lib.bpf_object__find_program_by_name(self._pointer, name.encode()))

    def run(self, name: str, argument: bytes = b"") -> int:
        """Runs a program of type syscall and returns its return value."""
        program = self.program(name)
        options = _TestRun(sz=ctypes.sizeof(_TestRun))
        # The program may write to it.
        data = ctypes.create_string_buffer(argument, len(argument))
        if argument:
            options.ctx_in = ctypes.addressof(data)
            options.ctx_size_in = len(argument)
        fd = _lib.bpf_program__fd(program)
        _check(_lib.bpf_prog_test_run_opts(fd, ctypes.byref(options)))
        return ctypes.c_int(options.retval).value

    def close(self) -> None:
        """Unloads the object. Whatever is attached stays attached."""
        _lib.bpf_object__close(self._pointer)


def path_of(name: str) -> Path:
    """The path of an object of bpf/ or tests/bpf, given its name."""
    paths = [folder / f"{name}.bpf.o" for folder in (OBJECTS, TESTS)]
    return next((path for path in paths if path.exists()), paths[-1])


@contextmanager
def loaded(name: str, prepare: Callable[[Object], None] | None = None) -> Iterator[Object]:
    """Loads an object of bpf/ or tests/bpf, given its name or path."""
    loaded_object = Object(Path(name) if os.sep in name else path_of(name), prepare)
    try:
        yield loaded_object
    finally:
        loaded_object.close()


def programs() -> set[str]:
    """The names of all BPF programs in the kernel."""
    listed = subprocess.run(
        ["/usr/sbin/bpftool", "-j", "prog"], check=True, capture_output=True, text=True
    )
    return {program.get("name", "") for program in json.loads(listed.stdout)}


@contextmanager
def attached(
    name: str, settings: bytes = b"", prepare: Callable[[Object], None] | None = None
) -> Iterator[Object]:
    """Attaches a policy of bpf/."""
    with loaded(f"policy_{name}", prepare) as policy:
        if settings:
            policy.map("settings")[bytes(4)] = settings
        with Link(policy.map(name)):
            yield policy
