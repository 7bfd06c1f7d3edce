// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* IOASes, their addresses and options, and the destruction of any object. */

#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

void ioas_alloc(struct run *run)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };

	cmd.flags = chance(&run->rng, 2);
	must(run, cmd.flags, EOPNOTSUPP);
	call(run, IOMMU_IOAS_ALLOC, &cmd);
	judged(run, "flags %u", cmd.flags);
	if (!run->error)
		object_add(run, IOAS, cmd.out_ioas_id);
}

/*
 * The usable ranges on the mock: its aperture if there is a page table, without
 * reserved ranges.
 */
static unsigned int expected(struct run *run, struct object *ioas,
			     struct iommu_iova_range *ranges)
{
	struct space *space = ioas->space;
	struct iommu_iova_range aperture = aperture_of(run, ioas);
	uint64_t at = aperture.start, end = aperture.last;
	unsigned int n = 0;

	for (;;) {
		uint64_t last = end;
		bool inside = false;

		for (unsigned int i = 0; i < space->nr_reserved; i++) {
			struct iommu_iova_range *r = &space->reserved[i];

			if (r->start <= at && at <= r->last) {
				if (r->last >= end)
					return n;
				at = r->last + 1;
				inside = true;
			} else if (r->start > at && r->start - 1 < last) {
				last = r->start - 1;
			}
		}
		if (inside)
			continue;
		ranges[n++] = (struct iommu_iova_range){ at, last };
		if (last == end || n == MOST_RANGES)
			return n;
		at = last + 1;
	}
}

static void compare(struct run *run, struct object *ioas,
		    const struct iommu_iova_range *got, unsigned int nr)
{
	struct iommu_iova_range want[MOST_RANGES];
	unsigned int n;

	if (options.device || run->world->wild)
		return;
	n = expected(run, ioas, want);
	check(run, n == nr && !memcmp(got, want, n * sizeof(*want)),
	      "other usable ranges");
}

void ioas_ranges(struct run *run)
{
	struct iommu_iova_range ranges[MOST_RANGES] = {};
	struct object *ioas = pick(run, IOAS);
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = id_of(run, ioas),
		.num_iovas = chance(&run->rng, 70) ? MOST_RANGES :
						     below(&run->rng, 4),
		.allowed_iovas = (uintptr_t)ranges,
	};
	uint32_t room = cmd.num_iovas;

	wants_object(run, ioas, IOAS);
	may(run, room < MOST_RANGES, EMSGSIZE);
	call(run, IOMMU_IOAS_IOVA_RANGES, &cmd);
	judged(run, "%s room %u", name_of(ioas), room);
	if (run->error && run->error != EMSGSIZE)
		return;
	said(run, "%u ranges, alignment %llu", cmd.num_iovas,
	     (unsigned long long)cmd.out_iova_alignment);
	for (unsigned int i = 0; i < cmd.num_iovas && i < room; i++)
		said(run, "%#llx..%#llx", (unsigned long long)ranges[i].start,
		     (unsigned long long)ranges[i].last);
	if (!run->error && is(ioas, IOAS))
		compare(run, ioas, ranges, cmd.num_iovas);
}

static bool overlap(const struct iommu_iova_range *ranges, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < i; j++)
			if (ranges[i].start <= ranges[j].last &&
			    ranges[j].start <= ranges[i].last)
				return true;
	return false;
}

void ioas_allow(struct run *run)
{
	struct iommu_iova_range ranges[4];
	struct object *ioas = pick(run, IOAS);
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = id_of(run, ioas),
		.num_iovas = below(&run->rng, 5),
		.allowed_iovas = (uintptr_t)ranges,
	};
	bool empty = false, reserved = false;

	for (unsigned int i = 0; i < cmd.num_iovas; i++) {
		ranges[i].start = some_iova(run, ioas);
		ranges[i].last =
			ranges[i].start + (1 + below(&run->rng, 64)) * PAGE - 1;
		if (chance(&run->rng, 10))
			ranges[i].last = UINT64_MAX;
		empty = empty || ranges[i].last < ranges[i].start;
	}
	wants_object(run, ioas, IOAS);
	if (is(ioas, IOAS)) {
		ioas_refresh(run, ioas);
		for (unsigned int i = 0; i < cmd.num_iovas; i++)
			reserved = reserved ||
				   !space_usable(ioas->space, ranges[i].start,
						 ranges[i].last);
	}
	must(run, reserved, EADDRINUSE);
	must(run, empty || overlap(ranges, cmd.num_iovas), EINVAL);
	call(run, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
	judged(run, "%s %u", name_of(ioas), cmd.num_iovas);
	for (unsigned int i = 0; i < cmd.num_iovas; i++)
		said(run, "%#llx..%#llx", (unsigned long long)ranges[i].start,
		     (unsigned long long)ranges[i].last);
	if (run->error || !is(ioas, IOAS))
		return;
	ioas->space->nr_allowed = cmd.num_iovas;
	memcpy(ioas->space->allowed, ranges, sizeof(ranges));
}

/*
 * A few pages, or everything below or above an address, so that little room is
 * left.
 */
static void some_interval(struct run *run, struct object *ioas, uint64_t *start,
			  uint64_t *last)
{
	*start = some_iova(run, ioas) & ~(PAGE - 1);
	*last = *start + (1 + below(&run->rng, 16)) * PAGE - 1;
	switch (below(&run->rng, 8)) {
	case 0:
		*last = UINT64_MAX;
		break;
	case 1:
		*start = 0;
	}
}

void ioas_reserve(struct run *run)
{
	struct object *ioas = pick(run, IOAS);
	struct space *space = is(ioas, IOAS) ? ioas->space : NULL;
	struct iommu_test_cmd cmd = {};
	uint64_t start, last;

	some_interval(run, ioas, &start, &last);
	if (last <= start || (!start && last == UINT64_MAX) ||
	    (space && space->nr_reserved == MOST_RANGES / 2))
		return;
	cmd.add_reserved.start = start;
	cmd.add_reserved.length = last - start + 1;
	wants_object(run, ioas, IOAS);
	if (space) {
		must(run, space_first(space, start, last), EADDRINUSE);
		for (unsigned int i = 0; i < space->nr_allowed; i++)
			must(run,
			     space->allowed[i].start <= last &&
				     start <= space->allowed[i].last,
			     EADDRINUSE);
	}
	mock(run, &cmd, IOMMU_TEST_OP_ADD_RESERVED, id_of(run, ioas));
	judged(run, "%s @%#llx..%#llx", name_of(ioas),
	       (unsigned long long)start, (unsigned long long)last);
	if (!run->error && space)
		space->reserved[space->nr_reserved++] =
			(struct iommu_iova_range){ start, last };
}

static void rlimit_mode(struct run *run)
{
	struct world *world = run->world;
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = below(&run->rng, 2),
		.val64 = below(&run->rng, chance(&run->rng, 10) ? 3 : 2),
	};
	bool set = cmd.op == IOMMU_OPTION_OP_SET;
	bool empty = true;

	for (unsigned int i = 0; i < world->nr_objects; i++)
		empty = empty && !world->objects[i]->alive;
	must(run, set && cmd.val64 > 1, EINVAL);
	must(run, set && !empty, EBUSY);
	/*
	 * The id of a vDEVICE that was destroyed with its device is a
	 * tombstone.
	 */
	may(run, set && world->counts[VDEVICE], EBUSY);
	must(run, set && world->flavour == LIMITED, EPERM);
	call(run, IOMMU_OPTION, &cmd);
	judged(run, "op %u rlimit mode", cmd.op);
	if (!run->error && !set)
		said(run, "%llu", (unsigned long long)cmd.val64);
}

static bool unaligned(const struct space *space)
{
	for (unsigned int i = 0; i < space->nr_areas; i++) {
		const struct area *area = &space->areas[i];

		if ((area->iova | area->length | area->offset) % PAGE)
			return true;
	}
	return false;
}

static void huge_pages(struct run *run)
{
	struct object *ioas = pick(run, IOAS);
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = below(&run->rng, 2),
		.object_id = id_of(run, ioas),
		.val64 = below(&run->rng, chance(&run->rng, 10) ? 3 : 2),
	};
	bool set = cmd.op == IOMMU_OPTION_OP_SET;

	wants_object(run, ioas, IOAS);
	must(run, set && cmd.val64 > 1, EINVAL);
	if (set && !cmd.val64 && is(ioas, IOAS) && !ioas->space->small_pages) {
		must(run, hwpts_on(run, ioas) && ioas->space->nr_areas, EINVAL);
		must(run, unaligned(ioas->space), EADDRINUSE);
	}
	call(run, IOMMU_OPTION, &cmd);
	judged(run, "%s op %u huge pages %llu", name_of(ioas), cmd.op,
	       (unsigned long long)(set ? cmd.val64 : 0));
	if (run->error || !is(ioas, IOAS))
		return;
	if (set) {
		ioas->space->small_pages = !cmd.val64;
		return;
	}
	said(run, "%llu", (unsigned long long)cmd.val64);
	check(run, cmd.val64 == !ioas->space->small_pages,
	      "another choice of page sizes");
}

void ioas_option(struct run *run)
{
	struct iommu_option cmd = { .size = sizeof(cmd) };

	switch (below(&run->rng, 8)) {
	case 0:
		rlimit_mode(run);
		return;
	case 1:
		cmd.option_id = 2 + below(&run->rng, 3);
		must(run, true, EOPNOTSUPP);
		call(run, IOMMU_OPTION, &cmd);
		judged(run, "unknown %u", cmd.option_id);
		return;
	default:
		huge_pages(run);
	}
}

/*
 * User memory stays with its process; files and device memory can change the
 * process.
 */
static bool stays(struct run *run)
{
	struct world *world = run->world;

	for (unsigned int i = 0; i < world->nr_objects; i++) {
		struct object *ioas = world->objects[i];

		for (unsigned int a = 0;
		     is(ioas, IOAS) && a < ioas->space->nr_areas; a++)
			if (ioas->space->areas[a].pages & PAGES_OF_VA)
				return true;
	}
	return false;
}

/* A process that takes over the pages, and exits. */
static int by_a_child(int fd)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(ioctl(fd, IOMMU_IOAS_CHANGE_PROCESS, &cmd) ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return EINTR;
	return WEXITSTATUS(status);
}

void change_process(struct run *run)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };
	bool child = chance(&run->rng, 30) && run->world->flavour == PLAIN;

	must(run, stays(run), EINVAL);
	if (child)
		run->error = by_a_child(run->world->fd);
	else
		call(run, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
	judged(run, "%s", child ? "by a child" : "");
}

static struct object *any_object(struct run *run)
{
	/* Not too often for objects with many dependents. */
	static const enum kind kinds[] = { IOAS,     HWPT,    HWPT,  NESTED,
					   VIOMMU,   VDEVICE, FAULT, VEVENTQ,
					   HW_QUEUE, IDEV,    NESTED };

	return pick_of(run, kinds, ARRAY_SIZE(kinds));
}

void destroy(struct run *run)
{
	struct object *object = any_object(run);
	struct iommu_destroy cmd = {
		.size = sizeof(cmd),
		.id = id_of(run, object),
	};

	/* A device of the mock is destroyed by another request. */
	if (is(object, STDEV))
		return;
	if (!object || !object->alive || object->kind == ACCESS)
		must(run, true, ENOENT);
	else
		must(run, object->users || object->kind == IDEV, EBUSY);
	run->strict = true;
	call(run, IOMMU_DESTROY, &cmd);
	judged(run, "%s", name_of(object));
	if (run->error || !object || !object->alive)
		return;
	if (object->kind == HW_QUEUE && is(object->hwpt->on[0], IOAS)) {
		struct space *space = object->hwpt->on[0]->space;
		uint64_t last = object->iova + (object->length - 1);
		struct area *area;

		for (uint64_t at = object->iova;
		     (area = space_first(space, at, last));
		     at = area->iova + area->length) {
			if (area->fixed)
				area->fixed--;
			if (area->iova + (area->length - 1) >= last)
				break;
		}
	}
	object_end(object);
}
