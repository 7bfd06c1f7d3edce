// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/fmt.h"
#include "../lib/holder.h"
#include "../lib/identity.h"
#include "holders.h"

static void set_holder(struct failure *failure, const struct holder *holder)
{
	snprintf(failure->holder, sizeof(failure->holder),
		 holder->pid == failure->fail.tgid ? "the process itself" :
						     "%s (%u)",
		 holder->comm, holder->pid);
}

/* The process that has a file of VFIO open in another descriptor. */
static bool find_opener(struct failure *failure, const char *name)
{
	char file[sizeof(WHY_FOLDER) + 48];
	struct holder holder;

	snprintf(file, sizeof(file), WHY_FOLDER "%.40s", name);
	if (!holder_of_file(&holder, file, failure->fail.tgid,
			    failure->fail.fd))
		return false;
	set_holder(failure, &holder);
	return true;
}

static bool is_other(const struct failure *failure, const struct holder *holder)
{
	return holder->pid != failure->fail.tgid;
}

/* Another process that has the group open, or one of its devices. */
static void find_owner(struct failure *failure, unsigned int group)
{
	struct holder holder;
	char folder[64];
	struct dirent **entries;
	bool found;
	int nr;

	snprintf(folder, sizeof(folder), WHY_FOLDER "%u", group);
	found = holder_of_file(&holder, folder, 0, -1) &&
		is_other(failure, &holder);
	snprintf(folder, sizeof(folder), "/sys/kernel/iommu_groups/%u/devices",
		 group);
	nr = scandir(folder, &entries, NULL, alphasort);
	for (int i = 0; i < nr; i++) {
		found = found ||
			(*entries[i]->d_name != '.' &&
			 holder_of_device(&holder, entries[i]->d_name) &&
			 is_other(failure, &holder));
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	if (found)
		set_holder(failure, &holder);
}

/* Returns false if the request is for no group. */
static bool find_group(const struct failure *failure, unsigned int *group)
{
	struct identity_device device;
	const char *name = failure->fail.file;
	int end = 0;

	if (!strncmp(name, "noiommu-", 8))
		name += 8;
	if (sscanf(name, "%u%n", group, &end) == 1 && !name[end])
		return true;
	if (!identity_device(&device, "", failure->subject.name) ||
	    device.group < 0)
		return false;
	*group = device.group;
	return true;
}

void holders_find(struct failure *failure)
{
	struct why_fail *fail = &failure->fail;
	bool in_folder = fail->command == WHY_OPEN;
	unsigned int group;
	char name[48];

	fmt_name(failure->subject.name, sizeof(failure->subject.name),
		 fail->device);
	fail->first = NO_GROUP;
	if (find_group(failure, &group))
		fail->first = group;
	/* Of the files of devices, those of groups have no name of their own. */
	if (!strncmp(fail->file, "vfio", 4) && !in_folder)
		snprintf(name, sizeof(name), "devices/%.32s", fail->file);
	else
		snprintf(name, sizeof(name), "%.32s", fail->file);
	if (in_folder ? fail->ret != -EBUSY : !strncmp(name, "[", 1))
		return;
	if (fail->ret == -EPERM || (fail->ret == -EBUSY && !in_folder)) {
		if (fail->first != NO_GROUP)
			find_owner(failure, group);
		return;
	}
	find_opener(failure, name);
}
