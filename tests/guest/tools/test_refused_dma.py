# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""iommufd-top and iommufd-exporter count DMA that the IOMMU refused, by device."""

import iommufd_top as top
import pytest
from iommufd.ctx import Context
from iommufd.edu import Edu
from iommufd.faults import expect_fault
from iommufd_exporter import Exporter

pytestmark = pytest.mark.guest(kernels="tools", beside="installed")

IOVA = 0x10000000


@pytest.mark.guest(kernels=("tools", "peers"))
def test_top(context: Context, ioas: int) -> None:
    """In the table of devices: in the interval, and since the start."""
    with (
        top.Stream("-d", "0.5", view="device") as stream,
        Edu(context, ioas) as device,
        Edu(context, ioas, index=1) as other,
    ):
        expect_fault(device.dma_write, IOVA)
        report = stream.until(lambda report: any(row["refused_dma"] for row in report["rows"]))
        rows = {row["device"]: row for row in report["rows"]}
        first = rows[device.address]["refused_dma"]
        assert rows[device.address]["all_refused_dma"] >= first >= 1
        assert rows[other.address]["all_refused_dma"] == 0


def test_exporter(context: Context, ioas: int) -> None:
    """A device appears with its first fault."""
    with Exporter() as exporter, Edu(context, ioas) as device:
        assert exporter.scrape().labels("iommufd_refused_dma_total") == []
        expect_fault(device.dma_write, IOVA)
        found = exporter.scrape()
        count = found.value("iommufd_refused_dma_total", device=device.address)
        assert count is not None and count >= 1
        exporter.text()
