// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Requests that map, copy and unmap. */

#include <errno.h>
#include <string.h>

#include "fuzz.h"

#define WINDOW 2048
#define PROTS  (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)

struct request {
	struct object *ioas;
	uint32_t flags;
	unsigned int memory;
	uint64_t offset, length, iova;
};

/* Few addresses, so that requests collide; some are at boundaries. */
uint64_t some_iova(struct run *run, struct object *ioas)
{
	static const uint64_t borders[] = {
		0,
		PAGE,
		MOCK_APERTURE_START - PAGE,
		MOCK_APERTURE_LAST + 1UL - PAGE,
		0xfee00000,
		0xfeefe000,
		1ULL << 39,
		1ULL << 48,
		0ULL - 4 * PAGE,
		UINT64_MAX,
	};
	struct space *space = is(ioas, IOAS) ? ioas->space : NULL;
	uint64_t iova = MOCK_APERTURE_START + below(&run->rng, WINDOW) * PAGE;

	if (space && space->nr_areas && chance(&run->rng, 15))
		iova = space->areas[below(&run->rng, space->nr_areas)].iova;
	if (wrong(run, 5))
		iova = borders[below(&run->rng, ARRAY_SIZE(borders))];
	if (wrong(run, 5))
		iova += below(&run->rng, PAGE);
	return iova;
}

static uint32_t some_flags(struct run *run)
{
	uint32_t flags = IOMMU_IOAS_MAP_READABLE;

	if (chance(&run->rng, 70))
		flags |= IOMMU_IOAS_MAP_WRITEABLE;
	if (wrong(run, 2))
		flags = below(&run->rng, 16);
	if (chance(&run->rng, 85))
		flags |= IOMMU_IOAS_MAP_FIXED_IOVA;
	return flags;
}

static void some_part(struct run *run, struct request *request)
{
	uint64_t pages = run->world->memories[request->memory].pages;
	uint64_t first = below(&run->rng, pages);
	uint64_t most = pages - first;

	if (most > 32 && !chance(&run->rng, 10))
		most = 32;
	request->offset = first * PAGE;
	request->length = (1 + below(&run->rng, most)) * PAGE;
	if (wrong(run, 5))
		request->offset += below(&run->rng, PAGE);
	if (wrong(run, 5) || request->offset % PAGE)
		request->length -= below(&run->rng, PAGE);
	if (request->offset + request->length > pages * PAGE)
		request->length = pages * PAGE - request->offset;
	if (wrong(run, 1))
		request->length = chance(&run->rng, 50) ? 0 : UINT64_MAX;
}

/*
 * The checks of every map request; false if the request does not get to the
 * addresses.
 */
static bool wants_form(struct run *run, const struct request *request)
{
	const uint32_t known = PROTS | IOMMU_IOAS_MAP_FIXED_IOVA;
	bool fixed = request->flags & IOMMU_IOAS_MAP_FIXED_IOVA;

	must(run, request->flags & ~known, EOPNOTSUPP);
	must(run, !(request->flags & PROTS), EINVAL);
	must(run, !request->length, EINVAL);
	must(run, request->length == UINT64_MAX, EOVERFLOW);
	must(run,
	     fixed && request->length &&
		     request->iova + (request->length - 1) < request->iova,
	     EOVERFLOW);
	must(run, fixed && request->iova == UINT64_MAX, EOVERFLOW);
	wants_object(run, request->ioas, IOAS);
	return !run->want.nr_must;
}

/* One area at its address. */
static void wants_place(struct run *run, const struct request *request)
{
	struct space *space = request->ioas->space;
	uint64_t last = request->iova + (request->length - 1);
	bool fixed = request->flags & IOMMU_IOAS_MAP_FIXED_IOVA;
	uint64_t mask = space->alignment - 1;

	must(run, (request->length | request->offset) & mask, EINVAL);
	may(run, !fixed, ENOSPC);
	if (!fixed)
		return;
	must(run, request->iova & mask, EINVAL);
	must(run, !space_usable(space, request->iova, last), EINVAL);
	must(run, space_first(space, request->iova, last), EEXIST);
}

/* Its memory, which the kernel looks at only if there is a page table. */
static void wants_memory(struct run *run, const struct request *request,
			 bool write)
{
	const struct memory *memory = &run->world->memories[request->memory];
	bool bad = memory_bad(run->world, request->memory, request->offset,
			      request->length, write);

	if (!hwpts_on(run, request->ioas))
		return;
	must(run, bad, memory->revoked ? ENODEV : EFAULT);
	may(run, bad, EPERM);
}

static void mapped(struct run *run, const struct request *request,
		   uint64_t iova, unsigned int pages, bool writable)
{
	struct space *space = request->ioas->space;
	uint64_t last = iova + (request->length - 1);

	check(run, !space_first(space, iova, last), "mapped over an area");
	check(run, space_usable(space, iova, last), "mapped what is reserved");
	if (!(request->flags & IOMMU_IOAS_MAP_FIXED_IOVA))
		check(run, iova >= PAGE && space_allowed(space, iova, last),
		      "placed outside of what is allowed");
	space_add(space, (struct area){
				 .iova = iova,
				 .length = request->length,
				 .prot = request->flags & PROTS,
				 .memory = request->memory,
				 .offset = request->offset,
				 .pages = pages,
				 .writable = writable,
			 });
}

/*
 * Each kernel chooses its own addresses, so a compared sequence cannot use
 * them. It is compared that the area can be unmapped.
 */
static void take_back(struct run *run, const struct request *request,
		      uint64_t iova)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = request->ioas->id,
		.iova = iova,
		.length = request->length,
	};

	call(run, IOMMU_IOAS_UNMAP, &cmd);
	said(run, "unmapped %#llx", (unsigned long long)cmd.length);
	space_remove(request->ioas->space, iova, iova + (request->length - 1));
}

/* ENOSPC is correct only if there is no room. */
static void check_room(struct run *run, const struct request *request)
{
	uint64_t offset = request->offset % PAGE;

	if (run->error == ENOSPC && is(request->ioas, IOAS))
		check(run,
		      run->injected || !space_has_room(request->ioas->space,
						       request->length, offset),
		      "no place was found, but there is one");
}

static void finish(struct run *run, const struct request *request,
		   uint64_t iova, bool writable, unsigned int va)
{
	bool fixed = request->flags & IOMMU_IOAS_MAP_FIXED_IOVA;

	check_room(run, request);
	if (run->error || !is(request->ioas, IOAS))
		return;
	mapped(run, request, iova, ++run->world->nr_pages | va, writable);
	if (!fixed && options.common)
		take_back(run, request, iova);
}

static bool full(struct object *ioas)
{
	return is(ioas, IOAS) && ioas->space->nr_areas > MOST_AREAS - 16;
}

#define REQUEST "%s %s+%#llx %#llx @%#llx flags %u"
#define OF(request)                                                              \
	name_of((request).ioas), memory_name((request).memory),                  \
		(unsigned long long)(request).offset,                            \
		(unsigned long long)(request).length,                            \
		(unsigned long long)((request).flags &                           \
						     IOMMU_IOAS_MAP_FIXED_IOVA ? \
					     (request).iova :                    \
					     0),                                 \
		(request).flags

static struct request some_request(struct run *run, bool file)
{
	struct request request = {
		.ioas = pick(run, IOAS),
		.flags = some_flags(run),
		.memory = some_memory(run, file),
	};

	request.iova = some_iova(run, request.ioas);
	some_part(run, &request);
	if (is(request.ioas, IOAS))
		ioas_refresh(run, request.ioas);
	return request;
}

void map_va(struct run *run)
{
	struct request request = some_request(run, false);
	const struct memory *memory = &run->world->memories[request.memory];
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = request.flags,
		.ioas_id = id_of(run, request.ioas),
		.user_va = (uintptr_t)memory->address + request.offset,
		.length = request.length,
		.iova = request.iova,
	};

	if (!memory->address || full(request.ioas))
		return;
	if (wants_form(run, &request)) {
		wants_place(run, &request);
		wants_memory(run, &request,
			     request.flags & IOMMU_IOAS_MAP_WRITEABLE);
	}
	call(run, IOMMU_IOAS_MAP, &cmd);
	judged(run, REQUEST, OF(request));
	finish(run, &request, cmd.iova,
	       request.flags & IOMMU_IOAS_MAP_WRITEABLE, PAGES_OF_VA);
}

/*
 * A dma-buf does not allow every part, and a memfd does not allow every access.
 */
static void wants_file(struct run *run, const struct request *request)
{
	const struct memory *memory = &run->world->memories[request->memory];
	bool write = request->flags & IOMMU_IOAS_MAP_WRITEABLE;

	if (memory->source == DMABUF) {
		must(run, memory->revoked, ENODEV);
		may(run, true, EINVAL);
		return;
	}
	must(run, write && !memory->writable, EPERM);
}

void map_file(struct run *run)
{
	struct request request = some_request(run, true);
	const struct memory *memory = &run->world->memories[request.memory];
	bool other = wrong(run, 2) && !options.common;
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = request.flags,
		.ioas_id = id_of(run, request.ioas),
		.fd = other ? run->world->fd : memory->fd,
		.start = request.offset,
		.length = request.length,
		.iova = request.iova,
	};

	if (memory->fd < 0 || full(request.ioas))
		return;
	/* The access rights of files are checked here. */
	if (options.common && !memory->writable &&
	    request.flags & IOMMU_IOAS_MAP_WRITEABLE)
		return;
	if (wants_form(run, &request)) {
		must(run, other, EINVAL);
		wants_file(run, &request);
		wants_place(run, &request);
		wants_memory(run, &request,
			     request.flags & IOMMU_IOAS_MAP_WRITEABLE);
	}
	call(run, IOMMU_IOAS_MAP_FILE, &cmd);
	judged(run, REQUEST "%s", OF(request), other ? " wrong file" : "");
	finish(run, &request, cmd.iova,
	       request.flags & IOMMU_IOAS_MAP_WRITEABLE, 0);
}

/* The source of a copy: an area, a part of one, or several. */
static uint64_t some_source(struct run *run, struct object *src,
			    uint64_t *length)
{
	struct area *area;

	*length = (1 + below(&run->rng, 16)) * PAGE;
	if (!is(src, IOAS) || !src->space->nr_areas || chance(&run->rng, 10))
		return some_iova(run, src);
	area = &src->space->areas[below(&run->rng, src->space->nr_areas)];
	if (chance(&run->rng, 60) || area->length < 2 * PAGE) {
		*length = area->length;
		return area->iova;
	}
	return area->iova + below(&run->rng, area->length / PAGE) * PAGE;
}

struct copy {
	struct object *src;
	uint64_t iova;
	struct request request;
};

/* The part of a copy that lies in one area of the source. */
static bool part_of(const struct copy *copy, uint64_t done,
		    struct request *part, struct area **area)
{
	uint64_t at = copy->iova + done;

	*area = space_first(copy->src->space, at, at);
	if (!*area)
		return false;
	*part = copy->request;
	part->iova += done;
	part->memory = (*area)->memory;
	part->offset = (*area)->offset + (at - (*area)->iova);
	part->length = (*area)->length - (at - (*area)->iova);
	if (part->length > copy->request.length - done)
		part->length = copy->request.length - done;
	return true;
}

static void wants_parts(struct run *run, const struct copy *copy)
{
	struct request part;
	struct area *area;

	for (uint64_t done = 0; done < copy->request.length;
	     done += part.length) {
		if (!part_of(copy, done, &part, &area)) {
			must(run, true, ENOENT);
			return;
		}
		must(run,
		     (part.flags & IOMMU_IOAS_MAP_WRITEABLE) && !area->writable,
		     EPERM);
		wants_place(run, &part);
		wants_memory(run, &part, area->writable);
		if (run->world->memories[part.memory].source == DMABUF)
			may(run, true, EINVAL);
		may(run, area->dead, ENODEV);
	}
}

/* All parts are collected first: source and target may be one IOAS. */
static void copied(struct run *run, const struct copy *copy, uint64_t iova)
{
	struct request part, parts[MOST_AREAS];
	unsigned int n = 0, ids[MOST_AREAS];
	bool writable[MOST_AREAS];
	struct area *area;

	for (uint64_t done = 0; done < copy->request.length && n < MOST_AREAS &&
				part_of(copy, done, &part, &area);
	     done += part.length) {
		parts[n] = part;
		ids[n] = area->pages;
		writable[n++] = area->writable;
	}
	for (unsigned int i = 0; i < n; i++)
		mapped(run, &parts[i],
		       iova + parts[i].iova - copy->request.iova, ids[i],
		       writable[i]);
	if (!(copy->request.flags & IOMMU_IOAS_MAP_FIXED_IOVA) &&
	    options.common)
		take_back(run, &copy->request, iova);
}

void copy(struct run *run)
{
	struct copy copy = {
		.src = prefer(run, IOAS, has_areas),
		.request = { .ioas = pick(run, IOAS) },
	};
	struct request *request = &copy.request;
	struct iommu_ioas_copy cmd;

	request->flags = some_flags(run);
	request->iova = some_iova(run, request->ioas);
	copy.iova = some_source(run, copy.src, &request->length);
	if (full(request->ioas))
		return;
	if (is(request->ioas, IOAS))
		ioas_refresh(run, request->ioas);
	if (wants_form(run, request)) {
		must(run, copy.iova + (request->length - 1) < copy.iova,
		     EOVERFLOW);
		wants_object(run, copy.src, IOAS);
		if (!run->want.nr_must)
			wants_parts(run, &copy);
	} else {
		/* The same goes for the source. */
		vague(run);
	}
	cmd = (struct iommu_ioas_copy){
		.size = sizeof(cmd),
		.flags = request->flags,
		.dst_ioas_id = id_of(run, request->ioas),
		.src_ioas_id = id_of(run, copy.src),
		.length = request->length,
		.dst_iova = request->iova,
		.src_iova = copy.iova,
	};
	call(run, IOMMU_IOAS_COPY, &cmd);
	judged(run, "%s %#llx @%#llx from %s @%#llx flags %u",
	       name_of(request->ioas), (unsigned long long)request->length,
	       (unsigned long long)(request->flags & 1 ? request->iova : 0),
	       name_of(copy.src), (unsigned long long)copy.iova,
	       request->flags);
	if (!run->error && is(copy.src, IOAS) && is(request->ioas, IOAS))
		copied(run, &copy, cmd.dst_iova);
}

/* Drivers must have unpinned what they had there. */
static void unpinned(struct run *run, struct object *ioas, uint64_t iova,
		     uint64_t last)
{
	struct world *world = run->world;

	for (unsigned int i = 0; i < world->nr_objects; i++) {
		struct object *access = world->objects[i];

		if (!is(access, ACCESS) || access->on[0] != ioas)
			continue;
		for (unsigned int p = 0; p < MOST_PINS; p++) {
			struct pin *pin = &access->pinned[p];

			if (pin->id && pin->iova <= last &&
			    iova <= pin->iova + (pin->length - 1))
				pin->id = 0;
		}
	}
}

static void unmapped(struct run *run, struct object *ioas, uint64_t iova,
		     uint64_t last, uint64_t length)
{
	uint64_t want;

	said(run, "%#llx", (unsigned long long)length);
	want = space_remove(ioas->space, iova, last);
	check(run, want == length, "unmapped another length");
	/* A driver is called with areas, which all lie inside the range. */
	if (want)
		unpinned(run, ioas, iova, last);
}

/* Other kernels may have unmapped a part when they fail. */
static bool undefined(struct object *ioas, uint64_t iova, uint64_t last)
{
	return options.common && is(ioas, IOAS) &&
	       (space_cuts(ioas->space, iova, last) ||
		space_fixed(ioas->space, iova, last));
}

void unmap(struct run *run)
{
	struct object *ioas = prefer(run, IOAS, has_areas);
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = id_of(run, ioas),
		.iova = some_iova(run, ioas),
		.length = (1 + below(&run->rng, 64)) * PAGE,
	};
	uint64_t iova = cmd.iova, length = cmd.length, last;
	struct area *area;

	if (is(ioas, IOAS) && ioas->space->nr_areas && chance(&run->rng, 60)) {
		area = &ioas->space->areas[below(&run->rng,
						 ioas->space->nr_areas)];
		iova = cmd.iova = area->iova;
		length = cmd.length = area->length;
	}
	if (wrong(run, 2))
		length = cmd.length = chance(&run->rng, 50) ? 0 : UINT64_MAX;
	last = iova + (length - 1);
	if (undefined(ioas, iova, last))
		return;
	must(run, !length, EINVAL);
	must(run, length && last < iova, EOVERFLOW);
	must(run, iova == UINT64_MAX || (iova && length == UINT64_MAX),
	     EOVERFLOW);
	wants_object(run, ioas, IOAS);
	if (!run->want.nr_must) {
		if (!iova && length == UINT64_MAX)
			last = UINT64_MAX;
		else
			must(run, !space_first(ioas->space, iova, last),
			     ENOENT);
		must(run, space_cuts(ioas->space, iova, last), ENOENT);
		must(run, space_fixed(ioas->space, iova, last), EBUSY);
	}
	run->strict = true;
	call(run, IOMMU_IOAS_UNMAP, &cmd);
	judged(run, "%s @%#llx %#llx", name_of(ioas), (unsigned long long)iova,
	       (unsigned long long)length);
	if (!run->error && is(ioas, IOAS))
		unmapped(run, ioas, iova, last, cmd.length);
}

void unmap_all(struct run *run)
{
	struct object *ioas = prefer(run, IOAS, has_areas);
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = id_of(run, ioas),
		.length = UINT64_MAX,
	};

	if (undefined(ioas, 0, UINT64_MAX))
		return;
	wants_object(run, ioas, IOAS);
	if (!run->want.nr_must)
		must(run, space_fixed(ioas->space, 0, UINT64_MAX), EBUSY);
	run->strict = true;
	call(run, IOMMU_IOAS_UNMAP, &cmd);
	judged(run, "%s", name_of(ioas));
	if (!run->error && is(ioas, IOAS))
		unmapped(run, ioas, 0, UINT64_MAX, cmd.length);
}
