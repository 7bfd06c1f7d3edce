// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>
#include "places.h"

bool places_read(const struct top_place *place, __u32 *key, struct top_row *row)
{
	__u64 name = __atomic_load_n(&place->key, __ATOMIC_ACQUIRE);

	if (!name)
		return false;
	key[0] = name >> 32;
	key[1] = name;
	memcpy(row, &place->row, sizeof(*row));
	return true;
}

bool places_add(struct top_place *places, __u32 ctx, __u32 ioas,
		const struct top_row *row)
{
	struct top_place *place = &places[top_place_index(ctx, ioas)];
	__u64 name = top_place_key(ctx, ioas), old = 0;
	struct top_row *new = &place->row;

	if (!__atomic_compare_exchange_n(&place->key, &old, name, false,
					 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return old == name;
	/*
	 * Events count in it from here on. life.listed is not set: a creation
	 * that is still to come is that of a later object with the same id.
	 */
	new->tgid = row->tgid;
	new->uid = row->uid;
	memcpy(new->comm, row->comm, sizeof(new->comm));
	new->life.type = row->life.type;
	new->life.late = row->life.late;
	__atomic_fetch_add(&new->life.alive, row->life.alive, __ATOMIC_SEQ_CST);
	return true;
}

bool places_remove(struct top_place *places, __u32 ctx, __u32 ioas,
		   struct top_row *row)
{
	struct top_place *place = &places[top_place_index(ctx, ioas)];

	if (place->key != top_place_key(ctx, ioas))
		return false;
	memcpy(row, &place->row, sizeof(*row));
	memset(&place->row, 0, sizeof(place->row));
	__atomic_store_n(&place->key, 0, __ATOMIC_RELEASE);
	return true;
}
