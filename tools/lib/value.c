// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fmt.h"
#include "value.h"

__u32 value_type(const struct btf *btf, __u32 type)
{
	const struct btf_type *t = btf__type_by_id(btf, type);

	while (btf_is_mod(t) || btf_is_typedef(t) || btf_is_var(t)) {
		type = t->type;
		t = btf__type_by_id(btf, type);
	}
	return type;
}

/* Reads a number of 1 to 8 bytes with the right sign. */
static __s64 read_number(const void *data, size_t size, bool is_signed)
{
	__u64 value = 0;
	int unused = 64 - 8 * size;

	memcpy(&value, data, size);
	return is_signed ? (__s64)(value << unused) >> unused : (__s64)value;
}

static bool is_signed(const struct btf_type *t)
{
	return btf_is_int(t) ? btf_int_encoding(t) & BTF_INT_SIGNED :
			       btf_kflag(t);
}

static bool is_char(const struct btf *btf, const struct btf_type *t)
{
	return btf_is_int(t) && t->size == 1 &&
	       !strcmp(btf__name_by_offset(btf, t->name_off), "char");
}

static struct json_object *text_json(const char *data, size_t size)
{
	char text[256], clean[256];

	snprintf(text, sizeof(text), "%.*s", (int)size, data);
	return json_object_new_string(fmt_name(clean, sizeof(clean), text));
}

static struct json_object *
array_json(const struct btf *btf, const struct btf_type *t, const void *data)
{
	const struct btf_array *array = btf_array(t);
	__u32 element = value_type(btf, array->type);
	struct json_object *out;

	if (is_char(btf, btf__type_by_id(btf, element)))
		return text_json(data, array->nelems);
	out = json_object_new_array();
	for (__u32 i = 0; i < array->nelems; i++)
		json_object_array_add(out,
				      value_json(btf, element,
						 data + i * btf__resolve_size(btf,
									      element)));
	return out;
}

static struct json_object *
struct_json(const struct btf *btf, const struct btf_type *t, const void *data)
{
	struct json_object *out = json_object_new_object();
	const struct btf_member *member = btf_members(t);

	/* Bit fields are not supported: none of these structures has one. */
	for (__u16 i = 0; i < btf_vlen(t); i++, member++)
		if (!btf_member_bitfield_size(t, i))
			json_object_object_add(out,
					       btf__name_by_offset(btf,
								   member->name_off),
					       value_json(btf, member->type,
							  data + btf_member_bit_offset(t,
										       i) /
									  8));
	return out;
}

static struct json_object *
section_json(const struct btf *btf, const struct btf_type *t, const void *data)
{
	struct json_object *out = json_object_new_object();
	const struct btf_var_secinfo *var = btf_var_secinfos(t);

	for (__u16 i = 0; i < btf_vlen(t); i++, var++) {
		const struct btf_type *v = btf__type_by_id(btf, var->type);

		json_object_object_add(out,
				       btf__name_by_offset(btf, v->name_off),
				       value_json(btf, v->type,
						  data + var->offset));
	}
	return out;
}

static struct json_object *number_json(const struct btf_type *t,
				       const void *data)
{
	__s64 value = read_number(data, t->size, is_signed(t));

	if (btf_is_int(t) && btf_int_encoding(t) & BTF_INT_BOOL)
		return json_object_new_boolean(value);
	return is_signed(t) ? json_object_new_int64(value) :
			      json_object_new_uint64(value);
}

struct json_object *value_json(const struct btf *btf, __u32 type,
			       const void *data)
{
	const struct btf_type *t;

	t = btf__type_by_id(btf, value_type(btf, type));
	switch (btf_kind(t)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return t->size <= 8 ? number_json(t, data) : NULL;
	case BTF_KIND_PTR:
		return json_object_new_uint64(read_number(data, 8, false));
	case BTF_KIND_ARRAY:
		return array_json(btf, t, data);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return struct_json(btf, t, data);
	case BTF_KIND_DATASEC:
		return section_json(btf, t, data);
	default:
		return NULL;
	}
}

static void add_numbers(struct json_object *to, struct json_object *value)
{
	if (json_object_is_type(to, json_type_int)) {
		json_object_int_inc(to, json_object_get_int64(value));
	} else if (json_object_is_type(to, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(to); i++)
			add_numbers(json_object_array_get_idx(to, i),
				    json_object_array_get_idx(value, i));
	} else if (json_object_is_type(to, json_type_object)) {
		json_object_object_foreach(to, name, member)
			add_numbers(member,
				    json_object_object_get(value, name));
	}
}

void value_add(struct json_object *to, struct json_object *value)
{
	add_numbers(to, value);
	json_object_put(value);
}

const char *value_enumerator(const struct btf *btf, __u32 type,
			     const void *data)
{
	const struct btf_type *t;
	const struct btf_enum *e;
	__s64 value;

	t = btf__type_by_id(btf, value_type(btf, type));
	if (!btf_is_enum(t))
		return NULL;
	value = read_number(data, t->size, is_signed(t));
	e = btf_enum(t);
	for (__u16 i = 0; i < btf_vlen(t); i++, e++)
		if (e->val == value)
			return btf__name_by_offset(btf, e->name_off);
	return NULL;
}

static bool parse_enum(const struct btf *btf, const struct btf_type *t,
		       const char *text, __u64 *value)
{
	const struct btf_enum *e = btf_enum(t);

	for (__u16 i = 0; btf_is_enum(t) && i < btf_vlen(t); i++, e++) {
		if (strcasecmp(btf__name_by_offset(btf, e->name_off), text))
			continue;
		*value = e->val;
		return true;
	}
	return false;
}

/* A number may have a suffix: a power of 1024, as of bytes. */
static bool parse_suffix(const char *text, __u64 *value)
{
	static const char suffixes[] = "KMGT";
	const char *suffix = strchr(suffixes, *text);

	if (!*text)
		return true;
	if (!suffix || text[1])
		return false;
	for (; suffix >= suffixes; suffix--)
		if (__builtin_mul_overflow(*value, 1024ULL, value))
			return false;
	return true;
}

static bool parse_number(const char *text, bool with_sign, __u64 *value)
{
	char *end;

	errno = 0;
	*value = with_sign ? (__u64)strtoll(text, &end, 0) :
			     strtoull(text, &end, 0);
	if (end == text || errno)
		return false;
	return with_sign ? !*end :
			   !strchr(text, '-') && parse_suffix(end, value);
}

static bool parse_bool(const char *text, __u64 *value)
{
	*value = !strcmp(text, "true") || !strcmp(text, "1");
	return *value || !strcmp(text, "false") || !strcmp(text, "0");
}

const char *value_parse(const struct btf *btf, __u32 type, void *data,
			const char *text)
{
	const struct btf_type *t;
	__u64 value, kept = 0;

	t = btf__type_by_id(btf, value_type(btf, type));
	if (!(btf_is_int(t) || btf_is_any_enum(t)) || t->size > 8)
		return "the setting is not a number";
	if (btf_is_int(t) && btf_int_encoding(t) & BTF_INT_BOOL) {
		if (!parse_bool(text, &value))
			return "it must be true or false";
	} else if (!parse_enum(btf, t, text, &value) &&
		   !parse_number(text, is_signed(t), &value)) {
		return "it is not a valid number";
	}
	memcpy(&kept, &value, t->size);
	if ((__u64)read_number(&kept, t->size, is_signed(t)) != value)
		return "the number is too large";
	memcpy(data, &value, t->size);
	return NULL;
}

bool value_member(const struct btf *btf, __u32 type, const char *name,
		  __u32 *member, __u32 *offset)
{
	const struct btf_type *t;

	t = btf__type_by_id(btf, value_type(btf, type));
	if (btf_is_datasec(t)) {
		const struct btf_var_secinfo *var = btf_var_secinfos(t);

		for (__u16 i = 0; i < btf_vlen(t); i++, var++) {
			const struct btf_type *v =
				btf__type_by_id(btf, var->type);

			*member = v->type;
			*offset = var->offset;
			if (!strcmp(btf__name_by_offset(btf, v->name_off),
				    name))
				return true;
		}
	} else if (btf_is_struct(t)) {
		const struct btf_member *m = btf_members(t);

		for (__u16 i = 0; i < btf_vlen(t); i++, m++) {
			*member = m->type;
			*offset = btf_member_bit_offset(t, i) / 8;
			if (!strcmp(btf__name_by_offset(btf, m->name_off),
				    name))
				return true;
		}
	}
	return false;
}
