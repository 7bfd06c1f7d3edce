// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include "hash.h"
#include "tool.h"

static const void *key_of(const struct hash_link *link)
{
	return link + 1;
}

static size_t bucket_of(const struct hash *hash, const void *key)
{
	const __u32 *word = key, *end = word + hash->key_size / sizeof(*word);
	__u32 sum = 0;

	while (word < end)
		sum = sum * 31 + *word++;
	return sum % HASH_BUCKETS;
}

void hash_init(struct hash *hash, size_t key_size, size_t size)
{
	*hash = (struct hash){ .key_size = key_size, .size = size };
}

static struct hash_link *find_in(const struct hash *hash, size_t bucket,
				 const void *key)
{
	struct hash_link *link = hash->buckets[bucket];

	while (link && memcmp(key_of(link), key, hash->key_size))
		link = link->next;
	return link;
}

void *hash_find(const struct hash *hash, const void *key)
{
	return find_in(hash, bucket_of(hash, key), key);
}

void *hash_get(struct hash *hash, const void *key)
{
	size_t bucket = bucket_of(hash, key);
	struct hash_link *link = find_in(hash, bucket, key);

	if (link)
		return link;
	link = tool_memory(calloc(1, hash->size));
	memcpy(link + 1, key, hash->key_size);
	link->next = hash->buckets[bucket];
	hash->buckets[bucket] = link;
	return link;
}

void *hash_next(const struct hash *hash, const void *element)
{
	const struct hash_link *link = element;
	size_t bucket = 0;

	if (link && link->next)
		return link->next;
	if (link)
		bucket = bucket_of(hash, key_of(link)) + 1;
	while (bucket < HASH_BUCKETS && !hash->buckets[bucket])
		bucket++;
	return bucket < HASH_BUCKETS ? hash->buckets[bucket] : NULL;
}

void hash_remove(struct hash *hash, void *element)
{
	struct hash_link **link =
		&hash->buckets[bucket_of(hash, key_of(element))];

	while (*link != element)
		link = &(*link)->next;
	*link = (*link)->next;
}

void hash_clear(struct hash *hash)
{
	struct hash_link *link, *next;

	for (size_t i = 0; i < HASH_BUCKETS; i++) {
		for (link = hash->buckets[i]; link; link = next) {
			next = link->next;
			free(link);
		}
		hash->buckets[i] = NULL;
	}
}
