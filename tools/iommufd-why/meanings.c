// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The meanings are generated from docs/reasons.toml. */
#include <errno.h>
#include <stddef.h>
#include "meanings.h"

static const struct {
	int error;
	const char *text;
} meanings[] = {
#include "iommufd-why/meanings.inc"
};

const char *meaning_find(int error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].error == error)
			return meanings[i].text;
	return "iommufd itself does not return it, but a driver may";
}
