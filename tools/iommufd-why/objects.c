// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "objects.h"

static struct list *list;

const struct list_object *objects_find(__u32 ctx, __u32 id)
{
	const struct listing *found = NULL;

	if (!list)
		list = list_open(SOURCE_OURS);
	if (list)
		found = list_read(list);
	for (size_t i = 0; found && i < found->nr_objects; i++)
		if (found->objects[i].ctx == ctx && found->objects[i].id == id)
			return &found->objects[i];
	return NULL;
}

void objects_name_device(struct failure *failure)
{
	struct why_subject *subject = &failure->subject;
	const struct list_object *device;

	if (!subject->device || *subject->name)
		return;
	device = objects_find(subject->ctx, subject->device);
	if (device && device->type == LIST_TYPE_DEVICE)
		memcpy(subject->name, device->name, sizeof(subject->name));
}

void objects_end(void)
{
	list_close(list);
	list = NULL;
}
