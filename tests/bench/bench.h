/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A measurement has four parts: memory of some kind (memory.c), a backend that
 * maps it (iommufd.c, type1.c, floor.c), rounds that are timed and marked
 * (round.c), and scenes that define the operations and their memory (cases.c,
 * mock.c, smmu.c, footprint.c, threads.c, hold.c, scaling.c, first.c).
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	      4096UL
#define HUGE	      (2UL << 20)
#define GIGANTIC      (1UL << 30)
#define MIB	      (1UL << 20)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The scaling cases: threads, different numbers of them, rounds. */
#define MAX_THREADS    64
#define MAX_COUNTS     16
#define ROUNDS_SCALING 64

/**
 * struct options - the command line
 * @only: pattern of the cases to run, or NULL
 * @size: bytes of the memory that is mapped
 * @repeat: number of measured rounds
 * @full: include cases that take minutes
 * @list: only list the cases
 * @wall: the clock shows real time: threads are measured, too
 * @threads: numbers of threads of the scaling cases, up to a zero
 * @seconds: how long each of these runs
 * @locks: locks are counted
 */
struct options {
	const char *only;
	size_t size;
	unsigned int repeat;
	bool full;
	bool list;
	bool wall;
	unsigned int threads[MAX_COUNTS + 1];
	double seconds;
	bool locks;
};

extern struct options options;

/* memory.c */

enum kind {
	PAGES_4K,
	PAGES_4K_SHUFFLED,
	PAGES_THP,
	PAGES_HUGETLB,
	PAGES_HUGETLB_SHUFFLED,
	PAGES_SHMEM,
	PAGES_GIGANTIC,
	PAGES_GIGANTIC_FILE,
};

/**
 * struct memory - memory to map
 * @kind: the kind of its pages
 * @file: memfd, or -1
 * @area: its address in this process
 * @size: bytes
 */
struct memory {
	enum kind kind;
	int file;
	char *area;
	size_t size;
};

const char *kind_name(enum kind kind);
const struct memory *memory_get(enum kind kind);
size_t memory_runs(size_t size);
uint64_t memory_iova(void);
void memory_put(void);

/* device.c */

/**
 * struct device - a device that is bound to vfio-pci
 * @address: its PCI address
 * @cdev: its character device
 * @group: that of its IOMMU group
 */
struct device {
	char address[16];
	char cdev[40];
	char group[40];
};

void device_get(unsigned int index, struct device *device);

/**
 * struct backend - maps memory for devices
 * @name: its name
 * @bit: its bit in @on of a scene
 * @open: gives each of a number of devices a page table of one space
 * @close: undoes everything, after a failure too
 * @map: maps memory by address
 * @map_file: maps a part of a file
 * @unmap: unmaps a range, the latest mapping first
 * @open_copy: creates a second space, for copies
 * @copy: copies a mapping to the same address in the second space
 * @unmap_copy: unmaps it there
 * @attach: gives one more device a page table of its own
 * @detach: removes it
 */
struct backend {
	const char *name;
	unsigned int bit;
	void (*open)(unsigned int tables);
	void (*close)(void);
	void (*map)(void *address, uint64_t iova, size_t length);
	void (*map_file)(int file, uint64_t iova, size_t length);
	void (*unmap)(uint64_t iova, size_t length);
	void (*open_copy)(void);
	void (*copy)(uint64_t iova, size_t length);
	void (*unmap_copy)(uint64_t iova, size_t length);
	void (*attach)(void);
	void (*detach)(void);
};

enum {
	ON_IOMMUFD = 1,
	ON_TYPE1 = 2,
	ON_FLOOR = 4,
	ON_MOCK = 8,
	ON_PINLIMIT = 16,
	ON_SMMU = 32,
	ON_ALL = ON_IOMMUFD | ON_TYPE1 | ON_FLOOR,
};

extern const struct backend *backend;
extern const struct backend iommufd_backend;
extern const struct backend type1_backend;
extern const struct backend floor_backend;
extern const struct backend mock_backend;
extern const struct backend smmu_backend;
/* The same as iommufd: scripts/bench attaches the policy. */
extern const struct backend pinlimit_backend;

/* scene.c */

#define SCENE_OPS 6
#define CASE_NAME 128

/**
 * struct scene - cases that are measured together
 * @on: the backends for which it is meant
 * @ops: the first parts of their names
 * @rest: the remainder of their names
 * @play: measures them in this order; leaves nothing mapped
 * @kind: kind of the memory
 * @size: how much is mapped; smaller memory is mapped repeatedly
 * @tables: number of page tables
 * @areas: number of additional areas
 * @threads: number of threads that run at the same time
 */
struct scene {
	unsigned int on;
	const char *ops[SCENE_OPS];
	char rest[64];
	void (*play)(const struct scene *scene);
	enum kind kind;
	size_t size;
	unsigned int tables;
	unsigned int areas;
	unsigned int threads;
};

void scene_run(const struct scene *scene);
int scene_case(const char *op, char *name);
void scene_reported(int op);
int scene_status(void);

/* Reports the error for the remaining cases of a scene, and ends the scene. */
void fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void control(int fd, unsigned long request, void *arg, const char *name);

#define CONTROL(fd, request, arg) control(fd, request, arg, #request)

int open_file(const char *path, int flags);
void write_file(const char *path, const char *text);

/* round.c */

typedef void step_fn(void);

/**
 * struct result - a case's output besides its values
 * @op: which one of the scene
 * @unit: the unit of the values, or the unit to divide them by
 * @units: the number of units
 * @runs: physically contiguous parts of the memory, if it is large
 */
struct result {
	const char *op;
	const char *unit;
	size_t units;
	size_t runs;
};

uint64_t now(void);
void clock_calibrate(void);
void measure(const struct result *result, step_fn *before, step_fn *step,
	     step_fn *after);
void report(const struct result *result, const uint64_t *values,
	    unsigned int count);
void report_error(const char *name, const char *text);

/* locks.c */

void locks_begin(void);
void locks_end(void);
void locks_print(uint64_t calls, unsigned int threads);

/* The scenes: cases.c and the others */

void size_name(char *name, size_t size, size_t bytes);
void play_cases(void);
void play_mock(void);
void play_smmu(void);
void run_footprint(enum kind kind);
void play_threads(unsigned int threads);
void play_hold(void);
void play_scaling(void);
void play_first(void);

/* Set in each thread of the scaling cases. */
extern __thread unsigned int lane;

#endif
