/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random sequences of requests to iommufd.
 *
 * The seed alone determines a sequence. Each step has its own random numbers,
 * so that a sequence from which steps are removed makes the remaining ones as
 * before. This allows a failing sequence to be reduced.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iommufd_test.h"

#define PAGE	      4096UL
#define HUGE	      (2UL << 20)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define MOST_STEPS   512
#define MOST_OBJECTS 256
#define MOST_AREAS   96
#define MOST_RANGES  32
#define MOST_PINS    16
#define TRACE_SIZE   (512 << 10)

/* random.c */
struct rng {
	uint64_t state;
};

struct rng rng_of(uint64_t seed, uint64_t step);
uint64_t rnd(struct rng *rng);
uint64_t below(struct rng *rng, uint64_t limit);
bool chance(struct rng *rng, unsigned int percent);
/* A chance for a mistake: some sequences have hardly any. */
struct run;
bool wrong(struct run *run, unsigned int percent);

/*
 * The properties of a sequence; they follow from its seed unless the caller
 * sets them.
 */
enum flavour { PLAIN, FAILNTH, LIMITED, THREADS, FLAVOURS };
extern const char *const flavour_names[FLAVOURS];

struct options {
	uint64_t seed;
	uint64_t sequences;
	unsigned int seconds;
	unsigned int timeout;
	unsigned int steps;
	int flavour;
	const char *device;
	bool trace;
	/* Prints the next sequence, in case it is the last. */
	bool progress;
	/* Leaves out known differences between kernels. */
	bool common;
	/* Predicts nothing: for kernels with other correct results. */
	bool lenient;
	bool minimise;
	bool skip[MOST_STEPS];
};

extern struct options options;

/* A child's report to its parent, in shared memory. */
struct result {
	bool failed;
	unsigned int steps;
	unsigned int step;
	unsigned long calls;
	char message[512];
	unsigned long done[128];
	unsigned long refused[128];
	size_t trace_size;
	char trace[TRACE_SIZE];
};

/* memory.c: memory to map. */
enum source { VA, MEMFD, DMABUF };

struct memory {
	char *address;
	int fd;
	unsigned int pages;
	enum source source;
	/* The rights of the descriptor or the address. */
	bool writable;
	/* Pages that do not exist. */
	unsigned int hole, hole_end;
	bool huge;
	bool revoked;
};

enum { ANON, FILE_, READONLY, HOLE, HUGE_, SEALED, READ_FD, FIXED_MEMORIES };

#define DMA_BUFS 4
#define MEMORIES (FIXED_MEMORIES + DMA_BUFS)

/* space.c: the expected addresses of an IOAS. */
struct area {
	uint64_t iova, length;
	uint32_t prot;
	unsigned int memory;
	uint64_t offset;
	/* Shared by copies. */
#define PAGES_OF_VA (1U << 31)
	unsigned int pages;
	bool writable;
	/* Hardware queues in it. */
	unsigned int fixed;
	/* It maps a dma-buf that was revoked since. */
	bool dead;
};

struct space {
	struct area areas[MOST_AREAS];
	unsigned int nr_areas;
	struct iommu_iova_range usable[MOST_RANGES];
	unsigned int nr_usable;
	struct iommu_iova_range reserved[MOST_RANGES];
	unsigned int nr_reserved;
	struct iommu_iova_range allowed[MOST_RANGES];
	unsigned int nr_allowed;
	uint64_t alignment;
	bool small_pages;
};

struct area *space_first(struct space *space, uint64_t iova, uint64_t last);
bool space_covered(struct space *space, uint64_t iova, uint64_t last);
bool space_usable(const struct space *space, uint64_t iova, uint64_t last);
bool space_allowed(const struct space *space, uint64_t iova, uint64_t last);
bool space_has_room(struct space *space, uint64_t length, uint64_t offset);
bool space_cuts(const struct space *space, uint64_t iova, uint64_t last);
bool space_fixed(const struct space *space, uint64_t iova, uint64_t last);
void space_add(struct space *space, struct area area);
uint64_t space_remove(struct space *space, uint64_t iova, uint64_t last);

/* object.c */
enum kind {
	IOAS,
	HWPT,
	NESTED,
	VIOMMU,
	VDEVICE,
	VEVENTQ,
	FAULT,
	HW_QUEUE,
	STDEV,
	IDEV,
	ACCESS,
	KINDS
};

struct pin {
	uint32_t id;
	uint64_t iova, length;
};

struct object {
	enum kind kind;
	unsigned int number;
	uint32_t id;
	int fd;
	bool alive;
	/* Freed with its last user. */
	bool automatic;
	unsigned int users;
	struct object *on[3];

	/* IOAS */
	struct space *space;
	/* HWPT, NESTED */
	uint32_t flags;
	/* With MOCK_IOMMUPT_HUGE; those end at HUGE_APERTURE_LAST */
#define HUGE_APERTURE_LAST 0x3fffffffffULL
	bool huge;
	/* STDEV: its IDEV and its target; VDEVICE: its IDEV */
	struct object *device;
	struct object *hwpt;
	struct object *pasids[4];
	/* ACCESS */
	bool pins;
	struct pin pinned[MOST_PINS];
	/* VIOMMU: its mmap() offer */
	uint64_t offset, length;
	char *maps[4];
	/* HW_QUEUE */
	uint64_t iova;
	unsigned int index;
};

struct want {
	bool any;
	/* Several things are wrong: which errno that makes does not matter. */
	bool vague;
	unsigned char must[12], may[12];
	unsigned int nr_must, nr_may;
};

/*
 * Shared by all threads of a sequence. Protected by the lock, which is dropped
 * for each call.
 */
struct world {
	pthread_mutex_t lock;
	int fd;
	enum flavour flavour;
	/* Nothing is predicted. */
	bool wild;
	/* The part of possible mistakes that is made, in percent. */
	unsigned int nasty;
	struct object *objects[MOST_OBJECTS];
	unsigned int nr_objects;
	unsigned int counts[KINDS];
	unsigned int nr_pages;
	struct memory memories[MEMORIES];
	struct object *compat;
	struct result *result;
	uint64_t seed;
};

/* One thread of a sequence. */
struct run {
	struct world *world;
	struct rng rng;
	unsigned int step;
	unsigned int op;
	int nth_fd;
	unsigned int nth;
	/* Of the last call */
	int error;
	bool injected;
	/* It must not fail even then. */
	bool strict;
	struct want want;
};

struct op {
	const char *name;
	unsigned int weight;
	/* Kinds of objects, by bit, that the step needs. */
	unsigned int needs;
	void (*run)(struct run *run);
};

extern const struct op mock_ops[], vfio_ops[];
extern const unsigned int mock_op_count, vfio_op_count;

struct object *object_add(struct run *run, enum kind kind, uint32_t id);
void object_depend(struct object *object, struct object *on);
void object_undepend(struct object *object, struct object *on);
void object_end(struct object *object);
struct object *object_by_id(struct run *run, uint32_t id);
struct object *pick(struct run *run, enum kind kind);
struct object *prefer(struct run *run, enum kind kind,
		      bool (*suits)(struct run *run,
				    const struct object *object));
bool has_areas(struct run *run, const struct object *ioas);
bool is_parent(struct run *run, const struct object *hwpt);
bool tracks_dirty(struct run *run, const struct object *hwpt);
bool is_for_pasids(struct run *run, const struct object *hwpt);
bool has_pasids(struct run *run, const struct object *device);
struct object *stdev_of(struct run *run, const struct object *idev);
struct object *queue_of(const struct object *hwpt);
struct object *pick_of(struct run *run, const enum kind *kinds, unsigned int n);
struct object *right(struct run *run, enum kind kind);
bool is(const struct object *object, enum kind kind);
uint32_t id_of(struct run *run, const struct object *object);
const char *name_of(const struct object *object);
struct iommu_iova_range aperture_of(struct run *run, const struct object *ioas);
unsigned int hwpts_on(struct run *run, const struct object *ioas);
void ioas_refresh(struct run *run, struct object *ioas);

/* call.c: makes a request and checks its result. */
int call(struct run *run, unsigned long request, void *argument);
int call_on(struct run *run, int fd, unsigned long request, void *argument);
int mock(struct run *run, struct iommu_test_cmd *cmd, unsigned int op,
	 uint32_t id);
void arm(struct run *run);
void disarm(struct run *run);
void must(struct run *run, bool condition, int error);
void may(struct run *run, bool condition, int error);
void any(struct run *run);
void vague(struct run *run);
void wants_object(struct run *run, const struct object *object, enum kind kind);
void said(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void judged(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void check(struct run *run, bool good, const char *what);
void unlocked(struct run *run);
void locked(struct run *run);

/* memory.c */
void memories_open(struct world *world);
int memory_new_dmabuf(struct world *world, int fd, unsigned int pages);
unsigned int some_memory(struct run *run, bool file);
bool memory_bad(const struct world *world, unsigned int memory, uint64_t offset,
		uint64_t length, bool write);
const char *memory_name(unsigned int memory);

/* ops_*.c */
void map_va(struct run *run);
void map_file(struct run *run);
void copy(struct run *run);
void unmap(struct run *run);
void unmap_all(struct run *run);
void type1_map(struct run *run);
void type1_unmap(struct run *run);
void type1_ask(struct run *run);
void vfio_ioas(struct run *run);
uint64_t some_iova(struct run *run, struct object *ioas);

void ioas_alloc(struct run *run);
void ioas_ranges(struct run *run);
void ioas_allow(struct run *run);
void ioas_reserve(struct run *run);
void ioas_option(struct run *run);
void change_process(struct run *run);
void destroy(struct run *run);

void device_attach(struct run *run);
void device_replace(struct run *run);
void device_detach(struct run *run);
void device_info(struct run *run);
void pasid_attach(struct run *run);
void pasid_replace(struct run *run);
void pasid_detach(struct run *run);
void pasids_detach(struct world *world, const struct object *stdev);
void stdev_end(struct run *run, struct object *stdev);

void hwpt_alloc(struct run *run);
void nested_alloc(struct run *run);
void invalidate(struct run *run);
void dirty_set(struct run *run);
void dirty_get(struct run *run);
void dirty_mark(struct run *run);

void fault_alloc(struct run *run);
void fault_trigger(struct run *run);
void fault_read(struct run *run);
void fault_write(struct run *run);
void event_trigger(struct run *run);
void event_read(struct run *run);
void queue_close(struct run *run);
void queue_misuse(struct run *run);

void viommu_alloc(struct run *run);
void vdevice_alloc(struct run *run);
void veventq_alloc(struct run *run);
void hw_queue_alloc(struct run *run);
void viommu_map(struct run *run);
void viommu_unmap(struct run *run);

void access_create(struct run *run);
void access_pin(struct run *run);
void access_unpin(struct run *run);
void access_rw(struct run *run);
void access_replace(struct run *run);
void access_close(struct run *run);

void dmabuf_get(struct run *run);
void dmabuf_revoke(struct run *run);
void memory_limit(struct run *run);
void disturb(struct run *run);
void check_map(struct run *run);
void check_refs(struct run *run);
void raw(struct run *run);

void cdev_bind(struct run *run);
void cdev_attach(struct run *run);
void cdev_detach(struct run *run);
void cdev_close(struct run *run);

/* sequence.c: one sequence in a process of its own. */
void sequence(uint64_t seed, struct result *result);
enum flavour flavour_of(uint64_t seed);
const struct op *ops_of(unsigned int *count);

/* child.c: runs one, and waits for its end; false if it cannot be ended. */
bool child_run(uint64_t seed, struct result *result);
/* minimise.c: removes steps that a failing sequence does not need. */
void minimise(uint64_t seed, struct result *result);

/* left.c: what a sequence must not leave. */
bool left_in_process(struct world *world, char *message, size_t size);
long pinned_pages(void);
bool charges_left(void);

/* failnth.c */
bool failnth_prepare(void);

/* kcov.c */
void kcov_start(void);
void kcov_stop(void);
void kcov_open(void);
void kcov_print(void);

#endif
