/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included ahead of each file of VFIO, see dkms/vfio.mk. This is what
 * MODULE_IMPORT_NS() does, without other headers: files define pr_fmt() first.
 */
static const char import_namespace[] __used __section(".modinfo")
	__aligned(1) = "import_ns=VFIO_FOR_IOMMUFD";
