// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "limits.h"
#include "openmetrics.h"

static const struct family info = {
	"iommufd_pinlimit_owner",
	"info",
	NULL,
	"An owner of the kind that a pinlimit policy limits, and the path of its cgroup; empty if it is no cgroup or gone.",
};
static const struct family pinned = {
	"iommufd_pinlimit_pinned_bytes",
	"gauge",
	"bytes",
	"Memory of the owner that is pinned for DMA.",
};
static const struct family peak = {
	"iommufd_pinlimit_peak_bytes",
	"gauge",
	"bytes",
	"The most that the owner has had pinned at a time.",
};
static const struct family most = {
	"iommufd_pinlimit_limit_bytes",
	"gauge",
	"bytes",
	"The limit of the owner, +Inf if it has none.",
};
static const struct family refusals = {
	"iommufd_pinlimit_refusals",
	"counter",
	NULL,
	"Requests that would have exceeded the limit of the owner.",
};

/* The name of a sample of an owner, with its labels; @path: with its cgroup */
static void print_name(FILE *out, const struct family *family,
		       const char *suffix, const struct limited *of, bool path)
{
	static const char *const kinds[] = {
		[USER] = "user",
		[CGROUP] = "cgroup",
		[PROCESS] = "process",
	};
	const char *cgroup = of->cgroup ?: "";

	fprintf(out, "%s%s{policy=", family->name, suffix);
	openmetrics_value(out, of->policy, sizeof(of->policy));
	fprintf(out, ",by=\"%s\",owner=\"%llu\"", kinds[of->owner.by],
		(unsigned long long)of->owner.id);
	if (path) {
		fputs(",cgroup=", out);
		openmetrics_value(out, cgroup, strlen(cgroup));
	}
	fputs("} ", out);
}

static void print_bytes(FILE *out, const struct family *family,
			const struct limits *limits, size_t offset)
{
	openmetrics_family(out, family);
	for (size_t i = 0; i < limits->nr; i++) {
		const struct limited *of = &limits->owners[i];
		__u64 value;

		memcpy(&value, (const char *)of + offset, sizeof(value));
		print_name(out, family, "", of, false);
		if (family == &most && !value)
			fputs("+Inf\n", out);
		else
			fprintf(out, "%llu\n", value);
	}
}

void limits_print(FILE *out, const struct limits *limits)
{
	openmetrics_family(out, &info);
	for (size_t i = 0; i < limits->nr; i++) {
		print_name(out, &info, "_info", &limits->owners[i], true);
		fputs("1\n", out);
	}
	print_bytes(out, &pinned, limits,
		    offsetof(struct limited, usage.bytes));
	print_bytes(out, &peak, limits, offsetof(struct limited, usage.peak));
	print_bytes(out, &most, limits, offsetof(struct limited, limit));
	openmetrics_family(out, &refusals);
	for (size_t i = 0; i < limits->nr; i++) {
		print_name(out, &refusals, "_total", &limits->owners[i], false);
		fprintf(out, "%llu\n", limits->owners[i].usage.refused);
	}
}
