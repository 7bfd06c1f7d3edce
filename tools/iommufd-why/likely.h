/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why a request failed, where the kernel reports only an errno: rules about its
 * argument, its process and this machine. They look after the failure, so that
 * what they say is likely, not certain.
 */
#ifndef __LIKELY_H
#define __LIKELY_H

#include "../lib/ioctl.h"

#define LIKELY_LEN 256

enum likely_rule {
	LIKELY_NONE,
	LIKELY_OVERLAP,
	LIKELY_ALIGNMENT,
	LIKELY_RESERVED,
	LIKELY_DEVICE_MEMORY,
	LIKELY_NO_MEMORY,
	LIKELY_LIMIT,
};

/**
 * struct likely - a likely cause
 * @rule: the rule that applies
 * @text: says it, with the numbers; "" if no rule applies
 */
struct likely {
	enum likely_rule rule;
	char text[LIKELY_LEN];
};

void likely_cause(struct likely *likely, const struct ioctl_call *call);

/* Frees what the rules use. */
void likely_end(void);

#endif
