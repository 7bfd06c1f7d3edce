// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "dma_fault.h"

/* The reasons of VT-d, by code, as far as they say more than "other". */
static const struct {
	__u8 first, last;
	enum dma_fault_cause cause;
} vtd_causes[] = {
	/* Root or context entry not present. */
	{ 0x01, 0x02, DMA_FAULT_BLOCKED },
	{ 0x04, 0x04, DMA_FAULT_RANGE },
	/* An entry that is not present has no right either. */
	{ 0x05, 0x06, DMA_FAULT_EITHER },
	/* The same in scalable mode: root, context, PASID directory, table. */
	{ 0x39, 0x39, DMA_FAULT_BLOCKED },
	{ 0x41, 0x41, DMA_FAULT_BLOCKED },
	{ 0x51, 0x51, DMA_FAULT_BLOCKED },
	{ 0x59, 0x59, DMA_FAULT_BLOCKED },
	/* An entry without a page table: QEMU's VT-d finds it invalid. */
	{ 0x5b, 0x5b, DMA_FAULT_BLOCKED },
	/* First-level page tables have a bit for it. */
	{ 0x71, 0x71, DMA_FAULT_UNMAPPED },
	{ 0x74, 0x74, DMA_FAULT_RANGE },
	{ 0x75, 0x77, DMA_FAULT_RIGHT },
	{ 0x79, 0x79, DMA_FAULT_EITHER },
	{ 0x80, 0x80, DMA_FAULT_RANGE },
	{ 0x83, 0x84, DMA_FAULT_RANGE },
	{ 0x85, 0x86, DMA_FAULT_RIGHT },
};

static const struct {
	const char *name;
	enum dma_fault_cause cause;
} smmu_causes[] = {
	{ "F_TRANSLATION", DMA_FAULT_UNMAPPED },
	{ "F_PERMISSION", DMA_FAULT_RIGHT },
	{ "F_ADDR_SIZE", DMA_FAULT_RANGE },
	{ "C_BAD_STREAMID", DMA_FAULT_BLOCKED },
	{ "C_BAD_STE", DMA_FAULT_BLOCKED },
	{ "F_STREAM_DISABLED", DMA_FAULT_BLOCKED },
	{ "C_BAD_SUBSTREAMID", DMA_FAULT_BLOCKED },
};

/* The bits of an address that SMMUv3 leaves out in one of two fields. */
#define SMMU_IN_PAGE 0xfff

/* Bits of AMD's IO_PAGE_FAULT. */
#define AMD_INTERRUPT 0x008
#define AMD_PRESENT   0x010
#define AMD_WRITE     0x020

static enum dma_fault_cause vtd_cause(unsigned int code)
{
	for (size_t i = 0; i < sizeof(vtd_causes) / sizeof(vtd_causes[0]); i++)
		if (code >= vtd_causes[i].first && code <= vtd_causes[i].last)
			return vtd_causes[i].cause;
	return DMA_FAULT_OTHER;
}

static enum dma_fault_cause smmu_cause(const char *name)
{
	for (size_t i = 0; i < sizeof(smmu_causes) / sizeof(smmu_causes[0]);
	     i++)
		if (!strcmp(name, smmu_causes[i].name))
			return smmu_causes[i].cause;
	return DMA_FAULT_OTHER;
}

__attribute__((format(printf, 2, 3))) static void
add_reason(struct dma_fault *fault, const char *format, ...)
{
	size_t length = strlen(fault->reason);
	va_list args;

	va_start(args, format);
	vsnprintf(fault->reason + length, sizeof(fault->reason) - length,
		  format, args);
	va_end(args);
}

/* A PCI address, with the domain that lines of old kernels lack. */
static void set_device(struct dma_fault *fault, const char *address)
{
	bool has_domain = strchr(address, ':') != strrchr(address, ':');

	snprintf(fault->device, sizeof(fault->device), "%s%.40s",
		 has_domain ? "" : "0000:", address);
}

/*
 * DMAR: [DMA Write NO_PASID] Request device [0000:00:04.0] fault addr 0x1000
 * [fault reason 0x05] PTE Write access is not set
 */
static bool read_vtd(const char *line, struct dma_fault *fault)
{
	char access[8], pasid[24], device[24];
	unsigned long long iova;
	unsigned int code, number;
	int end = 0;

	line = strstr(line, "DMAR: [DMA ");
	if (!line ||
	    sscanf(line,
		   "DMAR: [DMA %7s %23[^]]] Request device [%23[^]]] fault addr %llx [fault reason %x] %n",
		   access, pasid, device, &iova, &code, &end) != 5 ||
	    !end)
		return false;
	fault->iommu = "VT-d";
	set_device(fault, device);
	fault->access = access[0] == 'R' ? DMA_FAULT_READ : DMA_FAULT_WRITE;
	/* In scalable mode, PASID 0 means that the request has none. */
	fault->pasid = sscanf(pasid, "PASID %x", &number) == 1 && number ?
			       number :
			       DMA_FAULT_NO_PASID;
	fault->iova = iova;
	fault->cause = vtd_cause(code);
	snprintf(fault->reason, sizeof(fault->reason), "%s", line + end);
	return true;
}

/*
 * vfio-pci 0000:01:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0015
 * address=0x1000 flags=0x0020], or, if the kernel has no such device,
 * [IO_PAGE_FAULT device=0000:01:00.0 domain=0x0015 ...
 */
static bool read_amd(const char *line, struct dma_fault *fault)
{
	unsigned int domain, flags;
	unsigned long long iova;
	const char *event;
	char device[24];

	event = strstr(line, "AMD-Vi: Event logged [IO_PAGE_FAULT ");
	if (!event)
		return false;
	event = strchr(event, '[');
	if (sscanf(event,
		   "[IO_PAGE_FAULT device=%23s domain=%x address=%llx flags=%x]",
		   device, &domain, &iova, &flags) != 4 &&
	    (sscanf(event, "[IO_PAGE_FAULT domain=%x address=%llx flags=%x]",
		    &domain, &iova, &flags) != 3 ||
	     sscanf(line, "%*s %23[0-9a-f:.] AMD-Vi", device) != 1))
		return false;
	/* Interrupts are not translated by page tables of ours. */
	if (flags & AMD_INTERRUPT)
		return false;
	fault->iommu = "AMD-Vi";
	/* Before the driver's own prefix there is a colon. */
	if (device[strlen(device) - 1] == ':')
		device[strlen(device) - 1] = '\0';
	set_device(fault, device);
	fault->access = flags & AMD_WRITE ? DMA_FAULT_WRITE : DMA_FAULT_READ;
	fault->pasid = DMA_FAULT_NO_PASID;
	fault->iova = iova;
	fault->cause = flags & AMD_PRESENT ? DMA_FAULT_RIGHT :
					     DMA_FAULT_UNMAPPED;
	snprintf(fault->reason, sizeof(fault->reason),
		 "IO_PAGE_FAULT, flags 0x%04x", flags);
	return true;
}

/*
 * arm-smmu-v3 arm-smmu-v3.0.auto: event: F_TRANSLATION client: 0000:00:02.0
 * sid: 0x10 ssid: 0x0 iova: 0x1000 ipa: 0x0
 */
static bool read_smmu(const char *line, struct dma_fault *fault, __u64 *ipa)
{
	char name[32], device[40];
	unsigned long long iova, between;
	unsigned int sid, ssid;
	int found;

	line = strstr(line, ": event: ");
	found = line ? sscanf(line,
			      ": event: %31s client: %39s sid: %x ssid: %x iova: %llx ipa: %llx",
			      name, device, &sid, &ssid, &iova, &between) :
		       0;
	if (found < 4)
		return false;
	fault->iommu = "SMMUv3";
	snprintf(fault->device, sizeof(fault->device), "%s", device);
	/* Stage 1 without PASIDs reports 0. */
	fault->pasid = ssid ?: DMA_FAULT_NO_PASID;
	fault->iova = found >= 5 ? iova : 0;
	*ipa = found == 6 ? between : 0;
	fault->access = DMA_FAULT_UNKNOWN;
	fault->cause = smmu_cause(name);
	snprintf(fault->reason, sizeof(fault->reason), "%s", name);
	return true;
}

/*
 * The address that stage 2 did not translate. The report has that of its page;
 * the rest is the same on both sides of stage 1, unless it was the access to an
 * entry of stage 1 that failed.
 */
static void set_second_stage(struct dma_fault *fault, __u64 ipa,
			     const char *line)
{
	__u64 va = fault->iova;

	fault->is_second = true;
	fault->iova = ipa;
	if (strstr(line, "Input address"))
		fault->iova |= va & SMMU_IN_PAGE;
	if (fault->iova != va)
		add_reason(fault, ", for the guest's address 0x%llx", va);
}

/*
 * The second line: arm-smmu-v3 arm-smmu-v3.0.auto: unpriv data write s1
 * "Input address caused fault" stag: 0x0
 */
static bool read_smmu_access(const char *line, struct dma_fault *fault,
			     __u64 ipa)
{
	char access[8], stage[8];

	line = strstr(line, "priv ");
	if (!line || sscanf(line, "priv %*s %7s %7s", access, stage) != 2)
		return false;
	fault->access = access[0] == 'r' ? DMA_FAULT_READ : DMA_FAULT_WRITE;
	add_reason(fault, ", stage %c", stage[1]);
	if (stage[1] == '2')
		set_second_stage(fault, ipa, line);
	return true;
}

/* From the letters of virtio-iommu; QEMU gives none. */
static enum dma_fault_access virtio_access(const char *letters)
{
	if (*letters == 'R')
		return DMA_FAULT_READ;
	return *letters == 'W' ? DMA_FAULT_WRITE : DMA_FAULT_UNKNOWN;
}

/*
 * virtio_iommu virtio0: page fault from EP 32 at 0x1000 [W]. An endpoint of PCI
 * has the number of its bus, device and function.
 */
static bool read_virtio(const char *line, struct dma_fault *fault)
{
	unsigned long long iova;
	unsigned int endpoint;
	char what[16];
	int end = 0;

	line = strstr(line, "virtio_iommu ");
	if (!line ||
	    sscanf(line, "virtio_iommu %*s %15s fault from EP %u at %llx [%n",
		   what, &endpoint, &iova, &end) != 3 ||
	    !end)
		return false;
	fault->iommu = "virtio-iommu";
	snprintf(fault->device, sizeof(fault->device), "%04x:%02x:%02x.%u",
		 endpoint >> 16, endpoint >> 8 & 0xff, endpoint >> 3 & 0x1f,
		 endpoint & 7);
	fault->access = virtio_access(line + end);
	fault->pasid = DMA_FAULT_NO_PASID;
	fault->iova = iova;
	fault->cause = !strcmp(what, "page")   ? DMA_FAULT_EITHER :
		       !strcmp(what, "domain") ? DMA_FAULT_BLOCKED :
						 DMA_FAULT_OTHER;
	snprintf(fault->reason, sizeof(fault->reason), "%s fault", what);
	return true;
}

bool dma_fault_read(struct dma_fault_log *log, const char *line,
		    struct dma_fault *fault)
{
	if (log->is_pending && strstr(line, "arm-smmu-v3") &&
	    read_smmu_access(line, &log->pending, log->ipa)) {
		log->is_pending = false;
		*fault = log->pending;
		return true;
	}
	memset(fault, 0, sizeof(*fault));
	if (read_vtd(line, fault) || read_amd(line, fault) ||
	    read_virtio(line, fault))
		return true;
	if (!read_smmu(line, fault, &log->ipa))
		return false;
	/* Only faults of a page table have an address and a second line. */
	if (!strstr(line, " iova: "))
		return true;
	log->pending = *fault;
	log->is_pending = true;
	return false;
}

const char *dma_fault_cause_text(enum dma_fault_cause cause)
{
	switch (cause) {
	case DMA_FAULT_UNMAPPED:
		return "not mapped";
	case DMA_FAULT_RIGHT:
		return "mapped without the right to do this";
	case DMA_FAULT_EITHER:
		return "not mapped, or mapped without the right to do this";
	case DMA_FAULT_RANGE:
		return "beyond the addresses that the IOMMU translates";
	case DMA_FAULT_BLOCKED:
		return "the device has no page table";
	default:
		return "see the reason";
	}
}
