// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "../lib/fmt.h"
#include "../lib/names.h"
#include "expand.h"
#include "facts.h"

/* A growing text, truncated if it does not fit. */
struct out {
	char *text;
	size_t used;
};

static void put(struct out *out, const char *text, size_t length)
{
	size_t left = EXPAND_SIZE - 1 - out->used;

	if (length > left)
		length = left;
	memcpy(out->text + out->used, text, length);
	out->used += length;
	out->text[out->used] = '\0';
}

static bool format_name(char *text, const char *name)
{
	if (name)
		snprintf(text, FACT_SIZE, "%s", name);
	return name;
}

static void format_pages(char *text, uint64_t pages)
{
	uint64_t size = sysconf(_SC_PAGESIZE);
	char bytes[FMT_LEN];

	if (pages > INT64_MAX / size)
		snprintf(text, FACT_SIZE, "%" PRIu64 " pages", pages);
	else
		snprintf(text, FACT_SIZE, "%" PRIu64 " pages (%s)", pages,
			 fmt_bytes(bytes, pages * size));
}

static void format_rights(char *text, uint64_t rights)
{
	static const char *const names[] = { "do nothing", "read", "write",
					     "read and write" };

	snprintf(text, FACT_SIZE, "%s", names[rights & 3]);
}

/* Returns false if the form or the number is not known. */
static bool format_number(char *text, uint64_t number, char form)
{
	switch (form) {
	case 'd':
		snprintf(text, FACT_SIZE, "%" PRIu64, number);
		return true;
	case 's':
		snprintf(text, FACT_SIZE, "%" PRId64, (int64_t)number);
		return true;
	case 'x':
		snprintf(text, FACT_SIZE, "0x%" PRIx64, number);
		return true;
	case 'b':
		if (number > INT64_MAX)
			return format_number(text, number, 'x');
		fmt_bytes(text, number);
		return true;
	case 'p':
		format_pages(text, number);
		return true;
	case 'k':
		return format_number(text,
				     number * (sysconf(_SC_PAGESIZE) / 1024),
				     'd');
	case 'e':
		return format_name(text, strerror((int)number));
	case 'c':
		return format_name(text, names_capability(number)) ||
		       format_number(text, number, 'd');
	case 't':
		return format_name(text, names_object_type(number));
	case 'r':
		format_rights(text, number);
		return true;
	default:
		return false;
	}
}

/* The value of the placeholder @key; *@zero is set if it is the number 0. */
static bool value_of(const struct failure *f, const char *key, char *text,
		     bool *zero)
{
	uint64_t number = *key == '1' ? f->fail.first : f->fail.second;

	*zero = false;
	if (*key != '1' && *key != '2')
		return fact_find(f, key, text);
	*zero = !number;
	return format_number(text, number, key[1]);
}

/*
 * Expands the text between @from and @to. Returns false if a value is not known
 * or is 0.
 */
static bool expand_part(struct out *out, const char *from, const char *to,
			const struct failure *f)
{
	bool known = true, zero;
	char key[16], value[FACT_SIZE];

	while (from < to) {
		const char *brace = memchr(from, '{', to - from), *end;

		if (!brace)
			break;
		put(out, from, brace - from);
		end = strchr(brace, '}');
		snprintf(key, sizeof(key), "%.*s", (int)(end - brace - 1),
			 brace + 1);
		if (!value_of(f, key, value, &zero)) {
			snprintf(value, sizeof(value), "?");
			known = false;
		}
		known &= !zero;
		put(out, value, strlen(value));
		from = end + 1;
	}
	put(out, from, to - from);
	return known;
}

/* Expands text in brackets, between @from and @to: [this|else that]. */
static void expand_option(struct out *out, const char *from, const char *to,
			  const struct failure *f)
{
	const char *other = memchr(from, '|', to - from);
	size_t before = out->used;

	if (expand_part(out, from, other ?: to, f))
		return;
	out->used = before;
	out->text[before] = '\0';
	if (other)
		expand_part(out, other + 1, to, f);
}

char *expand(char *text, const char *template, const struct failure *failure)
{
	struct out out = { .text = text };

	*text = '\0';
	while (*template) {
		const char *open = strchrnul(template, '['), *end;

		expand_part(&out, template, open, failure);
		if (!*open)
			break;
		end = strchr(open, ']');
		expand_option(&out, open + 1, end, failure);
		template = end + 1;
	}
	return text;
}
