# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The ledger, which compares failures with their events, notices a difference."""

import errno
import fcntl
from collections.abc import Iterator

import pytest
from errnos import fails
from iommufd import ioctl, mock_uapi, uapi
from iommufd.ctx import NO_ID, Context
from iommufd.ledger import Ledger

pytestmark = pytest.mark.guest(kernels="tools")


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with Ledger() as ledger:
        yield ledger


def test_all_is_well(ledger: Ledger, context: Context) -> None:
    with ledger.held():
        for _ in range(2):
            with fails(errno.ENOENT):
                context.destroy(NO_ID)


def test_nothing_is_told(ledger: Ledger, context: Context) -> None:
    with pytest.raises(AssertionError, match="no event for command 0x3b80 with ENOENT"):
        with ledger.held():
            assert ioctl.on_failure
            ioctl.on_failure(context.fd, uapi.NUMBER["DESTROY"], errno.ENOENT)


def test_another_errno_is_told(ledger: Ledger, context: Context) -> None:
    with pytest.raises(AssertionError, match="no event for command 0x3b80 with EBUSY"):
        with ledger.held():
            assert ioctl.on_failure
            ioctl.on_failure(context.fd, uapi.NUMBER["DESTROY"], errno.EBUSY)
            with fails(errno.ENOENT):
                context.destroy(NO_ID)


def test_told_without_a_call(ledger: Ledger, context: Context) -> None:
    with pytest.raises(AssertionError, match=r"an event without a call: .* no_object"):
        with ledger.held(), fails(errno.ENOENT):
            fcntl.ioctl(context.fd, uapi.NUMBER["DESTROY"], uapi.Destroy(id=NO_ID))


@pytest.mark.guest(mock=True)
def test_no_reason(ledger: Ledger, context: Context) -> None:
    """Only the mock's own command may fail without a reason."""
    with ledger.held(), fails(errno.EOPNOTSUPP):
        ioctl.ioctl(context.fd, mock_uapi.TEST_CMD, mock_uapi.MockCommand(op=0x7FFFFFFF))
