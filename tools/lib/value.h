/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of any type that BTF describes. */
#ifndef __LIB_VALUE_H
#define __LIB_VALUE_H

#include <bpf/btf.h>
#include <json-c/json.h>
#include <stdbool.h>

/* Numbers, strings (arrays of char), arrays, and objects for structures. */
struct json_object *value_json(const struct btf *btf, __u32 type,
			       const void *data);

/*
 * Adds the numbers in @value to those in @to, of the same type, and frees
 * @value.
 */
void value_add(struct json_object *to, struct json_object *value);

/*
 * Writes the value of @text to a number, an enum or a bool. Returns NULL, or
 * why that is not possible.
 */
const char *value_parse(const struct btf *btf, __u32 type, void *data,
			const char *text);

/* The name of the value of an enum; NULL if it has none, or is no enum. */
const char *value_enumerator(const struct btf *btf, __u32 type,
			     const void *data);

/* Finds a member, or a variable of a section; false if it does not exist. */
bool value_member(const struct btf *btf, __u32 type, const char *name,
		  __u32 *member, __u32 *offset);

/* Strips typedefs, const and so on; returns the id of the remaining type. */
__u32 value_type(const struct btf *btf, __u32 type);

#endif
