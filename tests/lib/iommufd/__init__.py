# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Drives /dev/iommu, vfio-pci and a few emulated devices from Python.

Nothing here hides an errno: if the kernel refuses a request, OSError is raised.
"""
