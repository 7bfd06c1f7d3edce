/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Data of iommufd_type1.bpf.c, for tools/lib/source_type1.c. It sends the
 * records of iommufd_list.h: a container is a context with one IOAS.
 */
#ifndef __IOMMUFD_TYPE1_H
#define __IOMMUFD_TYPE1_H

/* The id of the mappings of a container; those of its devices follow. */
#define TYPE1_MAPPINGS 1

/* The facts that depend on one or more members of the kernel's structures. */
enum type1_fact {
	TYPE1_CONTAINERS,
	TYPE1_MAPPED,
	TYPE1_PINS,
	TYPE1_ROOM,
	TYPE1_TABLE_PAGES,
	TYPE1_DEVICES,
	TYPE1_FACTS,
};

#endif
