// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The sentences are generated from docs/reasons.toml. */
#include <errno.h>
#include <string.h>
#include "sentences.h"

const struct sentence sentences[] = {
#include "iommufd-why/sentences.inc"
};

const size_t nr_sentences = sizeof(sentences) / sizeof(*sentences);

const struct sentence *sentence_find(const char *reason, int error)
{
	for (size_t i = 0; i < nr_sentences; i++)
		if (!strcmp(sentences[i].reason, reason) &&
		    (!sentences[i].error || sentences[i].error == error))
			return &sentences[i];
	return NULL;
}
