/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is measured is put together from four parts: memory of some kind
 * (memory.c), something that maps it (a backend: iommufd.c, type1.c, floor.c),
 * rounds that are timed and marked (round.c), and scenes that say what is done
 * with which memory (cases.c, mock.c, footprint.c, threads.c, hold.c).
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	      4096UL
#define HUGE	      (2UL << 20)
#define MIB	      (1UL << 20)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * struct options - what the command line says
 * @only: pattern of the cases to run, or NULL
 * @size: bytes of the memory that is mapped
 * @repeat: rounds that are measured
 * @full: also what takes minutes
 * @list: say what cases there are, nothing more
 * @wall: the clock is that of the wall: threads are measured, too
 */
struct options {
	const char *only;
	size_t size;
	unsigned int repeat;
	bool full;
	bool list;
	bool wall;
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
};

/**
 * struct memory - what is mapped
 * @kind: which pages it has
 * @file: memfd, or -1
 * @area: where it is in our address space
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
 * struct device - a device that vfio-pci has
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
 * struct backend - something that maps memory for devices
 * @name: what it is called
 * @bit: its bit in what a scene is for
 * @open: gives so many devices a page table each, of one space
 * @close: undoes all, after a failure too
 * @map: maps memory by address
 * @map_file: maps a part of a file
 * @unmap: unmaps all in a range; what was mapped last goes first
 * @open_copy: makes a second space, that of copies
 * @copy: maps the same at the same place of it
 * @unmap_copy: unmaps it there
 * @attach: gives one more device a page table of its own
 * @detach: takes it away
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
	ON_ALL = ON_IOMMUFD | ON_TYPE1 | ON_FLOOR,
};

extern const struct backend *backend;
extern const struct backend iommufd_backend;
extern const struct backend type1_backend;
extern const struct backend floor_backend;
extern const struct backend mock_backend;

/* scene.c */

#define SCENE_OPS 6
#define CASE_NAME 128

/**
 * struct scene - some cases that are measured together
 * @on: which backends it is for
 * @ops: their names begin with these
 * @rest: and go on with this
 * @play: measures them, in this order; nothing is left mapped after it
 * @kind: of the memory
 * @size: how much is mapped, of the same memory again and again if it is not so large
 * @tables: page tables
 * @areas: areas that are there besides
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
};

void scene_run(const struct scene *scene);
int scene_case(const char *op, char *name);
void scene_reported(int op);
int scene_status(void);

/* Says why what is left of a scene's cases has failed, and ends the scene. */
void fail(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void control(int fd, unsigned long request, void *arg, const char *name);

#define CONTROL(fd, request, arg) control(fd, request, arg, #request)

int open_file(const char *path, int flags);
void write_file(const char *path, const char *text);

/* round.c */

typedef void step_fn(void);

/**
 * struct result - what a case says beside its values
 * @op: which of the scene's
 * @unit: what the values are of, or are to be divided by
 * @units: how many of them
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

/* cases.c, mock.c, footprint.c, threads.c, hold.c: the scenes */

void size_name(char *name, size_t size, size_t bytes);
void play_cases(void);
void play_mock(void);
void run_footprint(enum kind kind);
void play_threads(unsigned int threads);
void play_hold(void);

#endif
