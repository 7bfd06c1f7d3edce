// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Objects of a VM with an SMMUv3 of its own: nested page tables, vIOMMUs,
 * vDEVICEs, and commands of the guest. No DMA uses them, so the guest's own
 * tables don't have to exist.
 */
#include <stdio.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "iommufd.h"

#define CALLS	    32
#define MAX_ENTRIES 256
/* The guest's number of the device. */
#define VIRTUAL_ID 0x5a

/* A valid stream table entry with both stages, and the context descriptor. */
#define STE_VALID      1
#define STE_BOTH       (5 << 1)
#define STE_DESCRIPTOR 0x40000000ULL

/* TLBI_NH_VA of an address space. */
#define TLBI_NH_VA 0x12
#define TLBI_ASID  (7ULL << 48)

static uint32_t parent, viommu, tables[2];

static uint32_t nested_alloc(void)
{
	struct iommu_hwpt_arm_smmuv3 ste = {
		.ste = { STE_VALID | STE_BOTH | STE_DESCRIPTOR },
	};
	struct iommu_hwpt_alloc alloc = {
		.pt_id = viommu,
		.data_type = IOMMU_HWPT_DATA_ARM_SMMUV3,
		.data_len = sizeof(ste),
		.data_uptr = (uintptr_t)&ste,
	};

	return iommufd_hwpt_alloc(alloc);
}

static uint32_t viommu_alloc(void)
{
	struct iommu_viommu_alloc alloc = {
		.size = sizeof(alloc),
		.type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		.dev_id = iommufd.device,
		.hwpt_id = parent,
	};

	CONTROL(iommufd.file, IOMMU_VIOMMU_ALLOC, &alloc);
	return alloc.out_viommu_id;
}

static uint32_t vdevice_alloc(void)
{
	struct iommu_vdevice_alloc alloc = {
		.size = sizeof(alloc),
		.viommu_id = viommu,
		.dev_id = iommufd.device,
		.virt_id = VIRTUAL_ID,
	};

	CONTROL(iommufd.file, IOMMU_VDEVICE_ALLOC, &alloc);
	return alloc.out_vdevice_id;
}

static void set_up(void)
{
	struct iommu_hwpt_alloc alloc = {
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
	};

	iommufd_open(1);
	alloc.pt_id = iommufd.ioas[0];
	parent = iommufd_hwpt_alloc(alloc);
	viommu = viommu_alloc();
}

static void measure_calls(const struct scene *scene, void (*calls)(void))
{
	struct result result = {
		.op = scene->ops[0],
		.unit = "call",
		.units = CALLS,
	};

	measure(&result, NULL, calls, NULL);
}

/* Objects that are created and destroyed, one after the other. */

static uint32_t (*create)(void);

static void create_and_destroy(void)
{
	for (unsigned int call = 0; call < CALLS; call++)
		iommufd_destroy(create());
}

static void play_objects(const struct scene *scene)
{
	set_up();
	measure_calls(scene, create_and_destroy);
}

static void run_objects(const char *name, uint32_t (*alloc)(void))
{
	struct scene scene = { ON_SMMU, { "create" }, .play = play_objects };

	snprintf(scene.rest, sizeof(scene.rest), "%s", name);
	create = alloc;
	scene_run(&scene);
}

/* A device that moves between two page tables. */

static void replace(void)
{
	for (unsigned int call = 0; call < CALLS; call++)
		iommufd_attach(tables[call % 2]);
}

static void attach_nested(void)
{
	set_up();
	vdevice_alloc();
	for (unsigned int i = 0; i < ARRAY_SIZE(tables); i++)
		tables[i] = nested_alloc();
	iommufd_attach(tables[1]);
}

static void play_replace(const struct scene *scene)
{
	attach_nested();
	if (scene->tables == 1)
		tables[0] = parent;
	measure_calls(scene, replace);
}

/* @nested: how many of the two page tables are the guest's. */
static void run_replace(const char *name, unsigned int nested)
{
	struct scene scene = {
		ON_SMMU, { "replace" }, .play = play_replace, .tables = nested
	};

	snprintf(scene.rest, sizeof(scene.rest), "%s", name);
	scene_run(&scene);
}

/* Commands of the guest. */

static struct iommu_viommu_arm_smmuv3_invalidate entries[MAX_ENTRIES];
static unsigned int nentries;

static void invalidate(void)
{
	for (unsigned int call = 0; call < CALLS; call++) {
		struct iommu_hwpt_invalidate cmd = {
			.size = sizeof(cmd),
			.hwpt_id = viommu,
			.data_uptr = (uintptr_t)entries,
			.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
			.entry_len = sizeof(entries[0]),
			.entry_num = nentries,
		};

		CONTROL(iommufd.file, IOMMU_HWPT_INVALIDATE, &cmd);
	}
}

static void play_invalidate(const struct scene *scene)
{
	attach_nested();
	nentries = scene->size;
	for (unsigned int i = 0; i < nentries; i++) {
		entries[i].cmd[0] = TLBI_NH_VA | TLBI_ASID;
		entries[i].cmd[1] = i * PAGE;
	}
	measure_calls(scene, invalidate);
}

static void run_invalidate(unsigned int count)
{
	struct scene scene = { ON_SMMU,
			       { "invalidate" },
			       .play = play_invalidate,
			       .size = count };

	snprintf(scene.rest, sizeof(scene.rest), "smmu/%u", count);
	scene_run(&scene);
}

void play_smmu(void)
{
	run_objects("nested", nested_alloc);
	run_objects("viommu", viommu_alloc);
	run_objects("vdevice", vdevice_alloc);
	run_replace("nested", 2);
	run_replace("nested-and-parent", 1);
	run_invalidate(1);
	run_invalidate(16);
	run_invalidate(MAX_ENTRIES);
}

const struct backend smmu_backend = {
	.name = "smmu",
	.bit = ON_SMMU,
	.open = iommufd_open,
	.close = iommufd_close,
};
