// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>
#include "iommufd_pins.skel.h"
#include "owner.h"

struct iommufd_pins *owner_open(void)
{
	struct iommufd_pins *pins = iommufd_pins__open();
	int err;

	if (!pins)
		return NULL;
	bpf_program__set_autoload(pins->progs.pins_map, false);
	bpf_program__set_autoload(pins->progs.pins_destroy, false);
	err = iommufd_pins__load(pins);
	if (!err)
		return pins;
	iommufd_pins__destroy(pins);
	errno = -err;
	return NULL;
}

void owner_read(int program, const struct list_ctx *ctx, struct owner *owner)
{
	/* The program writes its result there. */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &owner->now,
		    .ctx_size_in = sizeof(owner->now));

	owner->now = (struct pins_owner){ .tgid = ctx->tgid };
	if (bpf_prog_test_run_opts(program, &opts) || !owner->now.found)
		owner->now.uid = ctx->uid;
	owner->mode = owner->now.unlimited ? OWNER_NONE : ctx->accounting;
}

__u64 owner_used(const struct owner *owner)
{
	switch (owner->mode) {
	case OWNER_USER:
		return owner->now.user_pages;
	case OWNER_MM:
		return owner->now.mm_pages;
	case OWNER_NONE:
		break;
	}
	return 0;
}

__u64 owner_limit(const struct owner *owner)
{
	if (!owner->now.found || owner->mode == OWNER_NONE ||
	    !~owner->now.limit)
		return ~0ULL;
	return owner->now.limit / getpagesize();
}
