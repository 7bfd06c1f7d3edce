/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * JSON lines: an object a line. Members are added in the order of the calls;
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
/* @text may hold anything: what is not printable ASCII becomes a ?. */
void json_add_text(struct json_object *to, const char *name, const char *text);
/* @value belongs to @to from then on. */
void json_add(struct json_object *to, const char *name,
	      struct json_object *value);

/* Prints it as one line on standard output, and frees it. */
void json_print(struct json_object *line);

#endif
