/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * JSON lines: one object per line. Members are in the order of the calls;
 * numbers are exact. Nested objects and arrays are json-c's own.
 *
 *	struct json_object *line = json_object_new_object();
 *
 *	json_add_u64(line, "time_ns", now);
 *	json_print(line);
 */
#ifndef __LIB_JSON_H
#define __LIB_JSON_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>

void json_add_u64(struct json_object *to, const char *name, __u64 value);
void json_add_s64(struct json_object *to, const char *name, __s64 value);
void json_add_bool(struct json_object *to, const char *name, bool value);
/* @text may be anything: all but printable ASCII is replaced with ?. */
void json_add_text(struct json_object *to, const char *name, const char *text);
/* Passes ownership of @value to @to. */
void json_add(struct json_object *to, const char *name,
	      struct json_object *value);

/* Prints @line on standard output, followed by a newline, and frees it. */
void json_print(struct json_object *line);

#endif
