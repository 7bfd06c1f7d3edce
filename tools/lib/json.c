// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include "fmt.h"
#include "json.h"

void json_add(struct json_object *to, const char *name,
	      struct json_object *value)
{
	json_object_object_add(to, name, value);
}

void json_add_u64(struct json_object *to, const char *name, __u64 value)
{
	json_add(to, name, json_object_new_uint64(value));
}

void json_add_s64(struct json_object *to, const char *name, __s64 value)
{
	json_add(to, name, json_object_new_int64(value));
}

void json_add_bool(struct json_object *to, const char *name, bool value)
{
	json_add(to, name, json_object_new_boolean(value));
}

void json_add_text(struct json_object *to, const char *name, const char *text)
{
	char clean[1024];

	json_add(to, name,
		 json_object_new_string(fmt_name(clean, sizeof(clean), text)));
}

void json_print(struct json_object *line)
{
	puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	json_object_put(line);
}
