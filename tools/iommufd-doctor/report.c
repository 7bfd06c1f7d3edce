// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "../lib/fmt.h"
#include "../lib/json.h"
#include "report.h"

#define LINE_SIZE 1024

static const char *const names[STATES] = {
	[STATE_OK] = "ok",
	[STATE_WARNING] = "warning",
	[STATE_PROBLEM] = "problem",
	[STATE_NONE] = "n/a",
};

static void print_json(const char *check, const char *device, enum state state,
		       const char *text, const char *advice)
{
	struct json_object *line = json_object_new_object();

	json_add_text(line, "check", check);
	if (device)
		json_add_text(line, "device", device);
	json_add_text(line, "state", names[state]);
	json_add_text(line, "what", text);
	if (*advice)
		json_add_text(line, "advice", advice);
	json_print(line);
}

static void print_text(const char *check, const char *device, enum state state,
		       const char *text, const char *advice)
{
	int indent = printf("%-8s %-11s ", names[state], check);

	if (device)
		printf("%s ", device);
	printf("%s\n", text);
	if (*advice)
		printf("%*s%s\n", indent, "", advice);
}

void report(struct report *report, const char *check, const char *device,
	    enum state state, const char *advice, const char *format, ...)
{
	char raw[LINE_SIZE], text[LINE_SIZE], line[LINE_SIZE];
	va_list args;

	report->counts[state]++;
	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	fmt_name(text, sizeof(text), raw);
	/* The first line is enough. */
	snprintf(raw, sizeof(raw), "%.*s", (int)strcspn(advice ?: "", "\n"),
		 advice ?: "");
	fmt_name(line, sizeof(line), raw);
	if (report->json)
		print_json(check, device, state, text, line);
	else if (state != STATE_NONE || report->verbose)
		print_text(check, device, state, text, line);
}

void report_end(const struct report *report)
{
	unsigned int problems = report->counts[STATE_PROBLEM];
	unsigned int warnings = report->counts[STATE_WARNING];

	if (report->json) {
		struct json_object *line = json_object_new_object();

		json_add_u64(line, "problems", problems);
		json_add_u64(line, "warnings", warnings);
		json_print(line);
	} else {
		printf("%u problem%s, %u warning%s\n", problems,
		       problems == 1 ? "" : "s", warnings,
		       warnings == 1 ? "" : "s");
	}
}
