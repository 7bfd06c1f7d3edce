# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Checks that a call fails with the expected errno."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def fails(expected: int) -> Iterator[None]:
    """The body must raise OSError with this errno."""
    with pytest.raises(OSError) as caught:
        yield
    got = caught.value.errno
    assert got == expected, f"{errno.errorcode[got]} instead of {errno.errorcode[expected]}"


def errno_of(call: Callable[..., object], *args: object, **kwargs: object) -> int:
    """0, or the errno with which a call fails."""
    try:
        call(*args, **kwargs)
    except OSError as error:
        return error.errno
    return 0
