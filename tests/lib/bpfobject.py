# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""BPF objects through libbpf: programs to run, maps, and policies to attach."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from vmrun.paths import BUILD

OBJECTS = BUILD / "tools"
_lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
_POINTER = ctypes.c_void_p
for _name in (
    "bpf_object__open_file",
    "bpf_object__find_map_by_name",
    "bpf_object__find_program_by_name",
    "bpf_map__attach_struct_ops",
):
    getattr(_lib, _name).restype = _POINTER
_RINGBUF_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, _POINTER, _POINTER, ctypes.c_size_t)
_lib.ring_buffer__new.restype = _POINTER


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
    """A map of an object that is loaded."""

    def __init__(self, pointer: ctypes.c_void_p) -> None:
        self.pointer = pointer
        self.fd = _lib.bpf_map__fd(pointer)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        _check(_lib.bpf_map_update_elem(self.fd, key, value, ctypes.c_uint64(0)))

    def get(self, key: bytes) -> bytes | None:
        """The value, nothing if there is none."""
        value = ctypes.create_string_buffer(_lib.bpf_map__value_size(self.pointer))
        return None if _lib.bpf_map_lookup_elem(self.fd, key, value) else value.raw

    def records(self) -> list[bytes]:
        """What is in a ring buffer, which is empty then."""
        found: list[bytes] = []

        def take(_: object, data: int, size: int) -> int:
            found.append(ctypes.string_at(data, size))
            return 0

        callback = _RINGBUF_CALLBACK(take)
        ring = _pointer(_lib.ring_buffer__new(self.fd, callback, None, None))
        _lib.ring_buffer__consume(ring)
        _lib.ring_buffer__free(ring)
        return found


class Link:
    """A policy that is attached, until close()."""

    def __init__(self, policy: Map) -> None:
        self._pointer: ctypes.c_void_p | None = None
        self._pointer = _pointer(_lib.bpf_map__attach_struct_ops(policy.pointer))

    def __enter__(self) -> "Link":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def update(self, policy: Map) -> None:
        """Puts another policy in its place."""
        _check(_lib.bpf_link__update_map(self._pointer, policy.pointer))

    def close(self) -> None:
        """Detaches it."""
        if self._pointer:
            _lib.bpf_link__destroy(self._pointer)
        self._pointer = None


class Object:
    """An object file, loaded."""

    def __init__(self, path: Path) -> None:
        self._pointer = _pointer(_lib.bpf_object__open_file(str(path).encode(), None))
        try:
            _check(_lib.bpf_object__load(self._pointer))
        except OSError:
            self.close()
            raise

    def map(self, name: str) -> Map:
        """One of its maps."""
        return Map(_pointer(_lib.bpf_object__find_map_by_name(self._pointer, name.encode())))

    def run(self, name: str) -> int:
        """Runs a program of type syscall; what it returns."""
        program = _pointer(_lib.bpf_object__find_program_by_name(self._pointer, name.encode()))
        options = _TestRun(sz=ctypes.sizeof(_TestRun))
        fd = _lib.bpf_program__fd(program)
        _check(_lib.bpf_prog_test_run_opts(fd, ctypes.byref(options)))
        return ctypes.c_int(options.retval).value

    def close(self) -> None:
        """Unloads it; what is attached stays so."""
        _lib.bpf_object__close(self._pointer)


@contextmanager
def loaded(name: str) -> Iterator[Object]:
    """An object of bpf/, or a path."""
    path = OBJECTS / f"{name}.bpf.o" if os.sep not in name else Path(name)
    loaded_object = Object(path)
    try:
        yield loaded_object
    finally:
        loaded_object.close()


@contextmanager
def attached(name: str, settings: bytes = b"") -> Iterator[Object]:
    """A policy of bpf/, attached."""
    with loaded(f"policy_{name}") as policy:
        if settings:
            policy.map("settings")[bytes(4)] = settings
        with Link(policy.map(name)):
            yield policy
