// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <endian.h>
#include <linux/pci_regs.h>
#include <stdint.h>
#include <stdio.h>
#include "objects.h"
#include "pri.h"

/* Looked for at most once in each extended capability of 8 bytes or more. */
#define MOST_CAPABILITIES ((4096 - 256) / 8)

/* Page tables that are remembered. */
#define TABLES 256

static struct why_subject tables[TABLES];
static size_t next;

void pri_note_queue(const struct why_subject *table)
{
	tables[next++ % TABLES] = *table;
}

/* The kernel's list has page tables that are older than this program. */
static bool has_fault_queue(__u32 ctx, __u32 hwpt)
{
	const struct list_object *found;

	for (size_t i = 0; i < TABLES; i++)
		if (tables[i].ctx == ctx && tables[i].device == hwpt)
			return true;
	found = objects_find(ctx, hwpt);
	return found && found->flags & LIST_FLAG_FAULTS;
}

static bool read_word(FILE *file, unsigned int offset, uint32_t *word)
{
	bool read = !fseek(file, offset, SEEK_SET) &&
		    fread(word, sizeof(*word), 1, file) == 1;

	*word = le32toh(*word);
	return read;
}

/* False if that can't be read. */
static bool lacks_pri(FILE *config)
{
	unsigned int offset = PCI_CFG_SPACE_SIZE;
	uint32_t header = 0;

	/* A conventional PCI device has no extended capabilities. */
	if (!fseek(config, 0, SEEK_END) && ftell(config) == PCI_CFG_SPACE_SIZE)
		return true;
	for (int i = 0; i < MOST_CAPABILITIES && offset; i++) {
		if (!read_word(config, offset, &header))
			return false;
		if (PCI_EXT_CAP_ID(header) == PCI_EXT_CAP_ID_PRI)
			return false;
		offset = PCI_EXT_CAP_NEXT(header);
	}
	return true;
}

bool pri_is_missing(const struct failure *failure)
{
	char path[128];
	bool lacks;
	FILE *file;

	if (failure->subject.kind != WHY_DEVICE)
		return false;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.32s/config",
		 failure->subject.name);
	file = fopen(path, "re");
	if (!file)
		return false;
	lacks = lacks_pri(file);
	fclose(file);
	return lacks &&
	       has_fault_queue(failure->fail.ctx, failure->subject.ioas);
}
