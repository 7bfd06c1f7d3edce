/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Threads that concurrently make all kinds of requests to a few contexts.
 *
 * All threads share slots with ids and descriptors: while one thread uses an
 * entry, another may destroy or close it. That is intended, so failures of
 * calls are only counted.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iommufd_test.h"

#define CONTEXTS      2
#define SLOTS	      4
#define MEMORIES      4
#define PAGE	      4096UL
#define HUGE	      (2UL << 20)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum kind { IOAS, STDEV, IDEV, HWPT, KINDS };

struct context {
	atomic_int fd;
	atomic_uint ids[KINDS][SLOTS];
	atomic_int accesses[SLOTS];
	atomic_int dma_bufs[SLOTS];
};

/*
 * Memory that every thread maps; it is freed and replaced while it is mapped.
 */
struct memory {
	char *address;
	size_t size;
	int file;
	int flags;
};

struct world {
	struct context contexts[CONTEXTS];
	struct memory memories[MEMORIES];
	atomic_bool stop;
};

struct worker {
	struct world *world;
	struct context *context;
	uint64_t random;
	unsigned long done[64];
	unsigned long refused[64];
};

/* One call or a few; true on success. */
struct op {
	const char *name;
	unsigned int weight;
	bool (*run)(struct worker *worker);
};

extern const struct op ops[];
extern const unsigned int op_count;

/* world.c */
void make_memory(struct world *world);
void open_context(struct context *context);
void close_context(struct context *context);
bool disturb_memory(struct worker *worker);

/*
 * check.c: a small world of the thread's own, in which everything has to work
 */
bool check_own(struct worker *worker);

/* A random number below a limit, and a random slot. */
uint64_t below(struct worker *worker, uint64_t limit);
unsigned int take(struct worker *worker, enum kind kind);
void put(struct worker *worker, enum kind kind, unsigned int id);

int command(int fd, struct iommu_test_cmd *cmd, unsigned int op,
	    unsigned int id);
int destroy(int fd, unsigned int id);
void die(const char *what) __attribute__((noreturn));

#endif
