/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of any type that BTF describes. */
#ifndef __VALUE_H
#define __VALUE_H

#include <bpf/btf.h>
#include <json-c/json.h>
#include <stdbool.h>

/* Numbers, strings (of arrays of char), arrays, and objects for structures. */
struct json_object *value_json(const struct btf *btf, __u32 type,
			       const void *data);

/* Adds the numbers in a value, which is freed, to those in another like it. */
void value_add(struct json_object *to, struct json_object *value);

/*
 * Writes what @text says into a number, an enum or a bool. NULL, or why it can't
 * be done.
 */
const char *value_parse(const struct btf *btf, __u32 type, void *data,
			const char *text);

/* Finds a member, or a variable of a section; false if there is none. */
bool value_member(const struct btf *btf, __u32 type, const char *name,
		  __u32 *member, __u32 *offset);

/* Strips typedefs, const and the like; the id of what is left. */
__u32 value_type(const struct btf *btf, __u32 type);

#endif
