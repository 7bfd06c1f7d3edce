// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "openmetrics.h"

static bool old;

void openmetrics_set_old(bool wanted)
{
	old = wanted;
}

void openmetrics_end(FILE *out)
{
	if (!old)
		fputs("# EOF\n", out);
}

/* There, a family has the name of its samples, and no unit. */
static void print_old_family(FILE *out, const struct family *family)
{
	const char *suffix = "", *type = family->type;

	if (!strcmp(type, "counter"))
		suffix = "_total";
	if (!strcmp(type, "info")) {
		suffix = "_info";
		type = "gauge";
	}
	fprintf(out, "# HELP %s%s %s\n", family->name, suffix, family->help);
	fprintf(out, "# TYPE %s%s %s\n", family->name, suffix, type);
}

void openmetrics_family(FILE *out, const struct family *family)
{
	if (old) {
		print_old_family(out, family);
		return;
	}
	fprintf(out, "# TYPE %s %s\n", family->name, family->type);
	if (family->unit)
		fprintf(out, "# UNIT %s %s\n", family->name, family->unit);
	fprintf(out, "# HELP %s %s\n", family->name, family->help);
}

void openmetrics_sample(FILE *out, const struct family *family,
			const char *suffix, __u64 value)
{
	fprintf(out, "%s%s %llu\n", family->name, suffix, value);
}

/*
 * Length of the UTF-8 character that @text begins with, 0 if it is invalid:
 * truncated, overlong, a surrogate or too large.
 */
static size_t character(const unsigned char *text, size_t size)
{
	size_t length = *text < 0x80 ? 1 :
			*text < 0xc2 ? 0 :
			*text < 0xe0 ? 2 :
			*text < 0xf0 ? 3 :
			*text < 0xf5 ? 4 :
				       0;

	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((*text == 0xe0 && text[1] < 0xa0) ||
	    (*text == 0xed && text[1] > 0x9f) ||
	    (*text == 0xf0 && text[1] < 0x90) ||
	    (*text == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

void openmetrics_value(FILE *out, const char *value, size_t size)
{
	size_t left = strnlen(value, size), length;

	fputc('"', out);
	for (; left; value += length, left -= length) {
		length = character((const unsigned char *)value, left);
		if (!length) {
			fputs("\xef\xbf\xbd", out);
			length = 1;
		} else if (*value == '\n') {
			fputs("\\n", out);
		} else if (*value == '"' || *value == '\\') {
			fprintf(out, "\\%c", *value);
		} else {
			fwrite(value, 1, length, out);
		}
	}
	fputc('"', out);
}

void openmetrics_seconds(FILE *out, __u64 ns)
{
	fprintf(out, "%llu.%09llu", ns / 1000000000, ns % 1000000000);
}
