/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A hash table, with elements of one type by a key. */
#ifndef __LIB_HASH_H
#define __LIB_HASH_H

#include <stddef.h>

#define HASH_BUCKETS 4096

/* The first member of each element. The key, of whole 32-bit words, follows. */
struct hash_link {
	struct hash_link *next;
};

/**
 * struct hash - the table
 * @key_size: bytes of a key
 * @size: bytes of an element
 */
struct hash {
	size_t key_size;
	size_t size;
	struct hash_link *buckets[HASH_BUCKETS];
};

/* Starts with an empty table. */
void hash_init(struct hash *hash, size_t key_size, size_t size);

/* The element with this key, or NULL. */
void *hash_find(const struct hash *hash, const void *key);

/* The element with this key; adds it, zeroed except for its key, if missing. */
void *hash_get(struct hash *hash, const void *key);

/*
 * For loops: the element after @element, or the first one if it is NULL. Get
 * the next element before the current one is removed.
 */
void *hash_next(const struct hash *hash, const void *element);

/* Takes an element out of the table. The caller frees it. */
void hash_remove(struct hash *hash, void *element);

/* Frees all elements. */
void hash_clear(struct hash *hash);

#endif
