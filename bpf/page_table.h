/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts the tables of an IOMMU's page table. No interface of the kernel shows
 * their number, so this reads the entries as the IOMMU does. It takes no lock: a
 * table that the kernel adds or frees meanwhile may or may not count.
 *
 * It knows the formats of VT-d (first and second stage) and of AMD-Vi, in the
 * structures of include/linux/generic_pt, and in those of the Intel driver
 * before Linux 7.0.
 */
#ifndef __IOMMUFD_PAGE_TABLE_H
#define __IOMMUFD_PAGE_TABLE_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_list.h"
#include "walk.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct iommu_domain_ops___table {
	void *iova_to_phys;
};

struct iommu_domain___table {
	bool is_iommupt;
	struct iommu_domain_ops___table *ops;
};

struct pt_iommu {
	struct iommu_domain___table domain;
};

struct pt_common {
	unsigned long top_of_table;
};

/* The same in each format. */
struct pt_vtdss {
	struct pt_common common;
};

struct pt_iommu_vtdss {
	struct pt_iommu iommu;
	struct pt_vtdss vtdss_pt;
};

struct dmar_domain {
	void *pgd;
	int agaw;
	struct iommu_domain___table domain;
};

#pragma clang attribute pop

/* Functions and variables of the kernel; only their addresses are used. */
extern const void pt_iommu_vtdss_iova_to_phys __ksym __weak;
extern const void pt_iommu_x86_64_iova_to_phys __ksym __weak;
extern const void pt_iommu_amdv1_iova_to_phys __ksym __weak;
extern const void intel_iommu_iova_to_phys __ksym __weak;
extern const void page_offset_base __ksym __weak;

enum table_format {
	TABLE_NONE,
	TABLE_INTEL,
	TABLE_AMD,
};

#define TABLE_ENTRIES	512
#define TABLE_CHUNK	8 /* entries that are read at once */
#define TABLE_LEVELS	8 /* a power of 2; the formats have up to 6 */
#define TABLE_TOP_LEVEL 7UL
#define TABLE_ADDRESS	0x000ffffffffff000ULL

/*
 * Intel: readable or writable, and neither a large page nor one with a memory
 * type. Other bits belong to software, or say that the IOMMU has used the entry.
 */
#define INTEL_PRESENT 0x003ULL
#define INTEL_NO_LINK 0x098ULL

/* AMD: present, and the level of the next table, 0 or 7 for a page. */
#define AMD_PRESENT    0x001ULL
#define AMD_NEXT(bits) ((bits) >> 9 & 7)

/* User space sets this: counting takes time with each table. */
bool wants_tables SEC(".data.tables");

/**
 * struct table_walk - a walk over a page table
 * @base: where the kernel has physical memory mapped
 * @level: of the table that it is in; the entries of level 0 are not read
 * @top: level of the first table
 * @pages: how many tables it has found
 * @failed: an entry could not be read
 * @at: the table of each level, and its next entry
 */
struct table_walk {
	enum table_format format;
	__u64 base;
	__u32 level;
	__u32 top;
	__u64 pages;
	int failed;
	struct {
		__u64 table;
		__u64 index;
	} at[TABLE_LEVELS];
	__u64 chunk[TABLE_CHUNK];
};

static struct table_walk tables SEC(".data.tables") __used;

static bool is_table(enum table_format format, __u64 entry)
{
	if (format == TABLE_INTEL)
		return entry & INTEL_PRESENT && !(entry & INTEL_NO_LINK);
	return entry & AMD_PRESENT && AMD_NEXT(entry) && AMD_NEXT(entry) != 7;
}

/* Counts what a chunk of a table that points to tables of level 0 has. */
static void count_chunk(void)
{
	int i;

	for (i = 0; i < TABLE_CHUNK; i++)
		if (is_table(tables.format, tables.chunk[i]))
			tables.pages++;
}

static void enter_table(__u64 entry)
{
	__u32 level = (tables.level - 1) & (TABLE_LEVELS - 1);

	tables.pages++;
	tables.level = level;
	tables.at[level].table = tables.base + (entry & TABLE_ADDRESS);
	tables.at[level].index = 0;
}

static bool is_chunk_empty(void)
{
	__u64 all = 0;
	int i;

	for (i = 0; i < TABLE_CHUNK; i++)
		all |= tables.chunk[i];
	return !all;
}

static long each_entry(__u64 step, void *data)
{
	__u32 level = tables.level & (TABLE_LEVELS - 1);
	__u64 index = tables.at[level].index;
	__u64 begin = index & ~(TABLE_CHUNK - 1ULL);
	__u64 entry;

	if (index >= TABLE_ENTRIES) {
		tables.level = level + 1;
		return level >= tables.top;
	}
	if (bpf_probe_read_kernel(tables.chunk, sizeof(tables.chunk),
				  (void *)(tables.at[level].table +
					   begin * sizeof(entry)))) {
		tables.failed = 1;
		return 1;
	}
	if (level == 1)
		count_chunk();
	if (level == 1 || is_chunk_empty()) {
		tables.at[level].index = begin + TABLE_CHUNK;
		return 0;
	}
	tables.at[level].index = index + 1;
	entry = tables.chunk[index & (TABLE_CHUNK - 1)];
	if (is_table(tables.format, entry))
		enter_table(entry);
	return 0;
}

static void begin_generic(void *domain, const void *function)
{
	struct pt_iommu_vtdss *table = domain;
	unsigned long top;

	if (function == &pt_iommu_vtdss_iova_to_phys ||
	    function == &pt_iommu_x86_64_iova_to_phys)
		tables.format = TABLE_INTEL;
	else if (function == &pt_iommu_amdv1_iova_to_phys)
		tables.format = TABLE_AMD;
	else
		return;
	top = BPF_CORE_READ(table, vtdss_pt.common.top_of_table);
	tables.top = top & TABLE_TOP_LEVEL;
	tables.at[tables.top & (TABLE_LEVELS - 1)].table = top &
							   ~TABLE_TOP_LEVEL;
}

/* An adjusted guest address width of 0 has two levels. */
static void begin_dmar(void *domain)
{
	struct dmar_domain *dmar =
		domain - bpf_core_field_offset(struct dmar_domain, domain);

	tables.format = TABLE_INTEL;
	tables.top = BPF_CORE_READ(dmar, agaw) + 1;
	tables.at[tables.top & (TABLE_LEVELS - 1)].table =
		(__u64)BPF_CORE_READ(dmar, pgd);
}

/* Finds the first table of a domain; leaves TABLE_NONE if it can't. */
static void begin_tables(void *address)
{
	struct iommu_domain___table *domain = address;
	const void *function;

	tables.format = TABLE_NONE;
	if (!&page_offset_base || !domain ||
	    bpf_probe_read_kernel(&tables.base, sizeof(tables.base),
				  &page_offset_base))
		return;
	function = BPF_CORE_READ(domain, ops, iova_to_phys);
	if (bpf_core_field_exists(domain->is_iommupt)) {
		if (BPF_CORE_READ(domain, is_iommupt))
			begin_generic(domain, function);
	} else if (bpf_core_field_exists(struct dmar_domain, pgd) &&
		   bpf_core_field_exists(struct dmar_domain, agaw) &&
		   function && function == &intel_iommu_iova_to_phys) {
		begin_dmar(domain);
	}
}

/*
 * The pages that the tables of a domain, which can be NULL, take; LIST_UNKNOWN
 * if they can't be read, or if user space does not want to know.
 */
static __u64 count_tables(void *domain)
{
	if (!wants_tables)
		return LIST_UNKNOWN;
	begin_tables(domain);
	if (tables.format == TABLE_NONE || tables.top >= TABLE_LEVELS)
		return LIST_UNKNOWN;
	tables.level = tables.top;
	tables.at[tables.top & (TABLE_LEVELS - 1)].index = 0;
	tables.pages = 1;
	tables.failed = 0;
	if (tables.top)
		bpf_loop(WALK_STEPS, each_entry, NULL, 0);
	else
		tables.level = 1;
	return tables.failed || tables.level <= tables.top ? LIST_UNKNOWN :
							     tables.pages;
}

#endif
