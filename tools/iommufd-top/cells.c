// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include "../lib/identity.h"
#include "../lib/list.h"
#include "../lib/names.h"
#include "columns.h"
#include "cells.h"

const char *cell_command(char *buf, const struct entry *entry)
{
	const char *vm = identity_vm_name(entry->pid);

	snprintf(buf, CELL_LEN, "%s", *vm ? vm : entry->comm);
	return buf;
}

const char *cell_device(char *buf, const struct entry *entry)
{
	if (*entry->name)
		return strcpy(buf, entry->name);
	snprintf(buf, CELL_LEN, "id %u", entry->device);
	return buf;
}

const char *cell_kind(char *buf, const struct entry *entry)
{
	(void)buf;
	switch (entry->type) {
	case LIST_TYPE_HWPT_PAGING:
		return entry->automatic ? "auto" : "paging";
	case LIST_TYPE_HWPT_NESTED:
		return "nested";
	case LIST_TYPE_VIOMMU:
		return "viommu";
	default:
		return "-";
	}
}

const char *cell_flags(char *buf, const struct entry *entry)
{
	return strcpy(buf, *entry->flags ? entry->flags : "-");
}

const char *cell_reason(char *buf, const struct entry *entry)
{
	return strcpy(buf, entry->name);
}

const char *cell_errno(char *buf, const struct entry *entry)
{
	(void)buf;
	return names_errno(entry->last.error);
}

const char *cell_numbers(char *buf, const struct entry *entry)
{
	const struct last_failure *last = &entry->last;

	if (last->second)
		snprintf(buf, CELL_LEN, "%#llx %#llx", last->first,
			 last->second);
	else if (last->first)
		snprintf(buf, CELL_LEN, "%#llx", last->first);
	else
		strcpy(buf, "-");
	return buf;
}

const char *cell_request(char *buf, const struct entry *entry)
{
	const char *name = names_request(entry->last.command);

	if (name)
		return name;
	snprintf(buf, CELL_LEN, "%#x", entry->last.command);
	return buf;
}

const char *cell_share(char *buf, const struct entry *entry)
{
	int stars = entry->share / 100;

	memset(buf, '*', stars);
	buf[stars] = '\0';
	return buf;
}
