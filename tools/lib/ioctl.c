// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "err.h"
#include "hist.h"
#include "ioctl.h"
#include "source.h"
#include "iommufd_ioctl.skel.h"
#include "slots.h"
#include "swap.h"
#include "tool.h"

/**
 * struct ioctl_watch - an open watch
 * @bpf: the programs
 * @rows: the map that they count in
 * @ring: ring buffer of single calls, NULL if calls are counted
 * @each: function that is called for each single call
 * @data: argument of @each
 * @report: the last report, with room for @room entries
 * @cpus: the rows of all CPUs for one key
 * @has_part: the parts of the time that the kernel shows
 */
struct ioctl_watch {
	struct iommufd_ioctl *bpf;
	struct swap rows;
	struct ring_buffer *ring;
	ioctl_fn each;
	void *data;
	struct ioctl_report report;
	size_t room;
	int nr_cpus;
	struct ioctl_row *cpus;
	bool has_part[IOCTL_PARTS];
};

/* The first words of the names of programs in bpf/parts.h. */
static const char *const part_names[IOCTL_PARTS] = {
	[IOCTL_PIN] = "pin_",
	[IOCTL_IOMMU] = "iommu_",
	[IOCTL_UNPIN] = "unpin_",
};

enum operation ioctl_operation(__u32 command)
{
	switch (command) {
	case IOCTL_IOAS_MAP:
	case IOCTL_IOAS_MAP_FILE:
	case IOCTL_IOAS_COPY:
	case IOCTL_TYPE1_MAP:
		return OP_MAP;
	case IOCTL_IOAS_UNMAP:
	case IOCTL_TYPE1_UNMAP:
		return OP_UNMAP;
	case IOCTL_HWPT_INVALIDATE:
		return OP_INVALIDATE;
	case IOCTL_DIRTY_BITMAP:
		return OP_DIRTY;
	default:
		return OPS;
	}
}

static int take_call(void *data, void *call, size_t size)
{
	struct ioctl_watch *watch = data;

	(void)size;
	watch->each(call, watch->data);
	return 0;
}

/* The part that a program measures, or IOCTL_PARTS. */
static enum ioctl_part part_of(const struct bpf_program *prog)
{
	const char *name = bpf_program__name(prog);
	int part = 0;

	while (part < IOCTL_PARTS &&
	       strncmp(name, part_names[part], strlen(part_names[part])))
		part++;
	return part;
}

/* Selects the programs for functions that this kernel has. */
static void choose_parts(struct ioctl_watch *watch)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct bpf_program *prog;

	if (!kernel)
		return;
	bpf_object__for_each_program(prog, watch->bpf->obj) {
		const char *function =
			strchr(bpf_program__section_name(prog), '/');
		enum ioctl_part part = part_of(prog);

		if (part == IOCTL_PARTS || !function ||
		    btf__find_by_name_kind(kernel, function + 1,
					   BTF_KIND_FUNC) < 0)
			continue;
		bpf_program__set_autoload(prog, true);
		watch->has_part[part] = true;
	}
	btf__free(kernel);
}

static void detach_part(struct ioctl_watch *watch, enum ioctl_part part)
{
	struct bpf_object_skeleton *all = watch->bpf->skeleton;

	watch->has_part[part] = false;
	for (int i = 0; i < all->prog_cnt; i++) {
		if (part_of(*all->progs[i].prog) != part)
			continue;
		bpf_link__destroy(*all->progs[i].link);
		*all->progs[i].link = NULL;
	}
}

/*
 * A kernel may be unable to attach to a function, as some are to functions with
 * many arguments. Its part is unknown then.
 */
static void attach_parts(struct ioctl_watch *watch)
{
	struct bpf_object_skeleton *all = watch->bpf->skeleton;

	for (int i = 0; i < all->prog_cnt; i++) {
		struct bpf_program *prog = *all->progs[i].prog;
		enum ioctl_part part = part_of(prog);

		if (part == IOCTL_PARTS || !watch->has_part[part] ||
		    !bpf_program__autoload(prog))
			continue;
		*all->progs[i].link = bpf_program__attach(prog);
		if (!*all->progs[i].link)
			detach_part(watch, part);
	}
}

/*
 * Attaches the program for the start of a call last, so that the end of each
 * call that it sees is seen too.
 */
static int attach(struct ioctl_watch *watch)
{
	struct iommufd_ioctl *bpf = watch->bpf;
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, bpf->obj)
		if (part_of(prog) != IOCTL_PARTS)
			bpf_program__set_autoattach(prog, false);
	bpf_program__set_autoattach(bpf->progs.ioctl_enter, false);
	err = iommufd_ioctl__attach(bpf);
	if (err)
		return -err;
	attach_parts(watch);
	bpf->links.ioctl_enter = bpf_program__attach(bpf->progs.ioctl_enter);
	return bpf->links.ioctl_enter ? 0 : errno;
}

static int begin(struct ioctl_watch *watch, const struct ioctl_options *options,
		 bool parts)
{
	struct iommufd_ioctl *bpf = iommufd_ioctl__open();
	int err;

	if (!bpf)
		return errno;
	watch->bpf = bpf;
	bpf->rodata->only_tgid = options->pid;
	bpf->rodata->ancestor = options->ancestor;
	bpf->rodata->by_size = options->by_size;
	bpf->rodata->by_ioas = options->by_ioas;
	bpf->rodata->container_number = source_device("vfio");
	bpf->rodata->one_by_one = options->each;
	bpf->rodata->only_failed = options->only_failed;
	bpf->rodata->slower_ns = options->slower_ns;
	if (parts)
		choose_parts(watch);
	bpf->rodata->has_parts = parts;
	err = iommufd_ioctl__load(bpf);
	if (err)
		return -err;
	if (!swap_begin(&watch->rows, bpf->maps.rows, bpf->maps.first_rows))
		return errno;
	if (options->each) {
		watch->ring = ring_buffer__new(bpf_map__fd(bpf->maps.calls),
					       take_call, watch, NULL);
		if (!watch->ring)
			return errno;
	}
	return attach(watch);
}

static void end(struct ioctl_watch *watch)
{
	ring_buffer__free(watch->ring);
	swap_end(&watch->rows);
	iommufd_ioctl__destroy(watch->bpf);
	watch->ring = NULL;
	watch->rows.current = -1;
	watch->bpf = NULL;
	memset(watch->has_part, 0, sizeof(watch->has_part));
}

struct ioctl_watch *ioctl_open(const struct ioctl_options *options)
{
	struct ioctl_watch *watch = tool_memory(calloc(1, sizeof(*watch)));
	int err;

	watch->rows.current = -1;
	watch->each = options->each;
	watch->data = options->data;
	watch->nr_cpus = libbpf_num_possible_cpus();
	watch->cpus = tool_memory(calloc(watch->nr_cpus, sizeof(*watch->cpus)));
	err = begin(watch, options, options->parts);
	if (err && options->parts) {
		/* Not each kernel can have programs at functions. */
		end(watch);
		err = begin(watch, options, false);
	}
	if (!err)
		return watch;
	tool_refused(err);
	ioctl_close(watch);
	return NULL;
}

void ioctl_close(struct ioctl_watch *watch)
{
	end(watch);
	free(watch->report.entries);
	free(watch->cpus);
	free(watch);
}

bool ioctl_has_part(const struct ioctl_watch *watch, enum ioctl_part part)
{
	return watch->has_part[part];
}

void ioctl_add(struct ioctl_row *to, const struct ioctl_row *from)
{
	to->calls += from->calls;
	to->bytes += from->bytes;
	to->ns += from->ns;
	if (to->max_ns < from->max_ns)
		to->max_ns = from->max_ns;
	/* A CPU that has seen no call of the process has neither. */
	if (*from->comm) {
		memcpy(to->comm, from->comm, sizeof(to->comm));
		to->uid = from->uid;
	}
	for (int i = 0; i < HIST_BUCKETS; i++)
		to->hist[i] += from->hist[i];
	for (int i = 0; i < IOCTL_PARTS; i++)
		slots_merge(&to->part[i], &from->part[i]);
}

void ioctl_add_slots(struct slots *to, const struct ioctl_row *row)
{
	/* No bucket is split between two slots. */
	for (int i = 0; i < HIST_BUCKETS; i++)
		to->count[slot_of(hist_lower(i))] += row->hist[i];
	to->sum += row->ns;
	if (to->max < row->max_ns)
		to->max = row->max_ns;
}

static struct ioctl_entry *add_entry(struct ioctl_watch *watch)
{
	struct ioctl_report *report = &watch->report;

	if (report->nr == watch->room) {
		watch->room = watch->room * 2 + 16;
		report->entries =
			tool_memory(reallocarray(report->entries, watch->room,
						 sizeof(*report->entries)));
	}
	return memset(&report->entries[report->nr++], 0,
		      sizeof(*report->entries));
}

static int by_key(const void *a, const void *b)
{
	const struct ioctl_key *x = &((const struct ioctl_entry *)a)->key;
	const struct ioctl_key *y = &((const struct ioctl_entry *)b)->key;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	if (x->command != y->command)
		return x->command < y->command ? -1 : 1;
	if (x->error != y->error)
		return x->error < y->error ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->ioas > y->ioas) - (x->ioas < y->ioas);
}

const struct ioctl_report *ioctl_read(struct ioctl_watch *watch)
{
	struct ioctl_report *report = &watch->report;
	struct ioctl_key key, *last = NULL;
	int fd = swap_next(&watch->rows);

	if (fd < 0) {
		err_say("can't read the counters: %s", strerror(errno));
		return NULL;
	}
	report->nr = 0;
	while (!bpf_map_get_next_key(fd, last, &key)) {
		struct ioctl_entry *entry = add_entry(watch);

		last = &key;
		entry->key = key;
		if (bpf_map_lookup_elem(fd, &key, watch->cpus))
			continue;
		for (int cpu = 0; cpu < watch->nr_cpus; cpu++)
			ioctl_add(&entry->row, &watch->cpus[cpu]);
	}
	close(fd);
	if (report->nr)
		qsort(report->entries, report->nr, sizeof(*report->entries),
		      by_key);
	return report;
}

struct ioctl_moves ioctl_moves_of(const struct ioctl_watch *watch,
				  const char name[IOCTL_NAME_LEN])
{
	int map = bpf_map__fd(watch->bpf->maps.moves);
	struct ioctl_moves moves = {};

	bpf_map_lookup_elem(map, name, &moves);
	return moves;
}

int ioctl_fd(const struct ioctl_watch *watch)
{
	return ring_buffer__epoll_fd(watch->ring);
}

void ioctl_take(struct ioctl_watch *watch)
{
	ring_buffer__consume(watch->ring);
}

__u64 ioctl_lost(const struct ioctl_watch *watch)
{
	return watch->bpf->bss->lost;
}
