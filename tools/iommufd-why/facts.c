// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/file.h"
#include "../lib/fmt.h"
#include "facts.h"
#include "pinlimit.h"
#include "pri.h"

/* vfio-pci has region N at offset N << 40 of the device file. */
#define VFIO_REGION_SHIFT 40
#define VFIO_BARS	  6

static bool find_range(const struct failure *f, char *text)
{
	const struct why_subject *subject = &f->subject;

	if ((subject->kind != WHY_MAP && subject->kind != WHY_UNMAP) ||
	    !subject->length)
		return false;
	snprintf(text, FACT_SIZE, "0x%" PRIx64 " to 0x%" PRIx64,
		 (uint64_t)subject->iova,
		 (uint64_t)(subject->iova + subject->length - 1));
	return true;
}

static bool find_length(const struct failure *f, char *text)
{
	if (f->subject.kind != WHY_MAP && f->subject.kind != WHY_UNMAP)
		return false;
	fmt_bytes(text, f->subject.length);
	return true;
}

static bool find_ioas(const struct failure *f, char *text)
{
	if (!f->subject.ioas || f->subject.kind == WHY_HWPT)
		return false;
	snprintf(text, FACT_SIZE, "%u", f->subject.ioas);
	return true;
}

static bool find_device(const struct failure *f, char *text)
{
	if (!*f->subject.name)
		return false;
	fmt_name(text, sizeof(f->subject.name), f->subject.name);
	return true;
}

/*
 * Calls @see for the devices of the IOMMU group, which is the first number,
 * until it returns true because @text is complete.
 */
static bool each_device(const struct failure *f, char *text,
			bool (*see)(char *text, const char *device,
				    const char *driver))
{
	struct dirent **entries;
	char folder[128], path[PATH_MAX];
	bool done = false;
	int nr;

	snprintf(folder, sizeof(folder),
		 "/sys/kernel/iommu_groups/%" PRIu64 "/devices",
		 (uint64_t)f->fail.first);
	nr = scandir(folder, &entries, NULL, alphasort);
	for (int i = 0; i < nr; i++) {
		char driver[64] = "";

		snprintf(path, sizeof(path), "%s/%s/driver", folder,
			 entries[i]->d_name);
		file_link_name(driver, sizeof(driver), path);
		if (!done && *entries[i]->d_name != '.')
			done = see(text, entries[i]->d_name, driver);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	return done;
}

static bool add_device(char *text, const char *device, const char *driver)
{
	size_t used = strlen(text);

	snprintf(text + used, FACT_SIZE - used, "%s%s: %s", used ? ", " : "",
		 device, *driver ? driver : "no driver");
	return false;
}

static bool find_devices(const struct failure *f, char *text)
{
	*text = '\0';
	each_device(f, text, add_device);
	return *text;
}

/* Bridge and stub drivers do no DMA and don't block the group. */
static bool name_driven(char *text, const char *device, const char *driver)
{
	static const char *const harmless[] = { "", "pcieport", "pci-stub" };

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (!strcmp(driver, harmless[i]))
			return false;
	if (!strncmp(driver, "vfio", 4))
		return false;
	snprintf(text, FACT_SIZE, "%s", device);
	return true;
}

static bool find_driven(const struct failure *f, char *text)
{
	return each_device(f, text, name_driven);
}

/*
 * The device of a file of vfio-pci. If the kernel does not tell it, the name of
 * a character device does; that of a file from a group does not.
 */
static bool find_mapped(const struct failure *f, char *device, size_t size)
{
	unsigned int number;
	char link[PATH_MAX];

	snprintf(device, size, "a VFIO device");
	if (*f->fail.device)
		fmt_name(device, sizeof(f->fail.device), f->fail.device);
	else if (sscanf(f->fail.file, "vfio%u", &number) == 1)
		snprintf(link, sizeof(link),
			 "/sys/class/vfio-dev/vfio%u/device", number);
	else
		return !strcmp(f->fail.file, "[vfio-device]");
	return *f->fail.device || file_link_name(device, size, link);
}

/* A BAR that is mapped with mmap of a vfio-pci file, and its device. */
static bool find_bar(const struct failure *f, char *text)
{
	uint64_t offset = f->fail.offset, bar = offset >> VFIO_REGION_SHIFT;
	char device[64];

	if (bar >= VFIO_BARS || !find_mapped(f, device, sizeof(device)))
		return false;
	snprintf(text, FACT_SIZE,
		 "offset 0x%" PRIx64 " of BAR %" PRIu64 " of %s",
		 offset - (bar << VFIO_REGION_SHIFT), bar, device);
	return true;
}

static bool find_memory(const struct failure *f, char *text)
{
	if (!*f->fail.file)
		return false;
	if (!find_bar(f, text))
		fmt_name(text, sizeof(f->fail.file), f->fail.file);
	return true;
}

static const char *region_text(const char *type)
{
	if (!strcmp(type, "msi"))
		return "the interrupt window (MSI)";
	if (!strncmp(type, "direct", 6))
		return "memory of the firmware (RMRR)";
	return "reserved by the IOMMU driver";
}

/* Fills in @text if a region in this file contains @at. */
static bool search_regions(const char *path, uint64_t at, char *text)
{
	uint64_t first, last;
	char type[32];
	FILE *file = fopen(path, "re");
	bool found = false;

	if (!file)
		return false;
	while (!found && fscanf(file, "%" SCNx64 " %" SCNx64 " %31s", &first,
				&last, type) == 3)
		found = first <= at && at <= last;
	fclose(file);
	if (found)
		snprintf(text, FACT_SIZE, "%s", region_text(type));
	return found;
}

static bool find_region(const struct failure *f, char *text)
{
	bool found = false;
	glob_t files;

	if (glob("/sys/kernel/iommu_groups/*/reserved_regions", 0, NULL,
		 &files))
		return false;
	for (size_t i = 0; !found && i < files.gl_pathc; i++)
		found = search_regions(files.gl_pathv[i], f->fail.first, text);
	globfree(&files);
	return found;
}

/* Of a limit that is no power of two there are no bits to tell. */
static bool is_limit(uint64_t first)
{
	return first > 1 && !(first & (first - 1));
}

static bool find_bits(const struct failure *f, char *text)
{
	if (!is_limit(f->fail.first))
		return false;
	snprintf(text, FACT_SIZE, "%d", __builtin_ctzll(f->fail.first));
	return true;
}

static bool find_reach(const struct failure *f, char *text)
{
	if (!is_limit(f->fail.first) || f->fail.first > INT64_MAX)
		return false;
	fmt_bytes(text, f->fail.first);
	return true;
}

static bool find_pid(const struct failure *f, char *text)
{
	snprintf(text, FACT_SIZE, "%u", f->fail.tgid);
	return true;
}

static bool find_uid(const struct failure *f, char *text)
{
	snprintf(text, FACT_SIZE, "%u", f->fail.uid);
	return true;
}

static bool find_comm(const struct failure *f, char *text)
{
	fmt_name(text, sizeof(f->fail.comm), f->fail.comm);
	return true;
}

static bool find_policy(const struct failure *f, char *text)
{
	fmt_name(text, sizeof(f->fail.policy), f->fail.policy);
	return *text;
}

/* Of a request to VFIO. */
static bool find_group(const struct failure *f, char *text)
{
	if (f->fail.first == NO_GROUP)
		return false;
	snprintf(text, FACT_SIZE, "%" PRIu64, (uint64_t)f->fail.first);
	return true;
}

/* Of a file of VFIO that could not be opened: its path in /dev/vfio. */
static bool find_file(const struct failure *f, char *text)
{
	fmt_name(text, sizeof(f->fail.file), f->fail.file);
	return *text;
}

static bool find_refused(const struct failure *f, char *text)
{
	snprintf(text, FACT_SIZE, "%s", f->refused);
	return *text;
}

static bool find_holder(const struct failure *f, char *text)
{
	snprintf(text, FACT_SIZE, "%s", f->holder);
	return *text;
}

/* Of a device that was to be attached to a page table with a fault queue. */
static bool find_nopri(const struct failure *f, char *text)
{
	return find_device(f, text) && pri_is_missing(f);
}

static const struct {
	const char *name;
	bool (*find)(const struct failure *f, char *text);
} facts[] = {
	{ "pid", find_pid },	     { "comm", find_comm },
	{ "uid", find_uid },	     { "policy", find_policy },
	{ "ioas", find_ioas },	     { "range", find_range },
	{ "length", find_length },   { "device", find_device },
	{ "devices", find_devices }, { "driven", find_driven },
	{ "memory", find_memory },   { "region", find_region },
	{ "bits", find_bits },	     { "reach", find_reach },
	{ "refused", find_refused }, { "holder", find_holder },
	{ "nopri", find_nopri },     { "file", find_file },
	{ "group", find_group },     { "pinlimit", find_pinlimit },
	{ "raise", find_raise },
};

bool fact_find(const struct failure *failure, const char *name, char *text)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		if (!strcmp(facts[i].name, name))
			return facts[i].find(failure, text);
	return false;
}
