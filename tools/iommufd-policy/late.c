// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include "../../bpf/iommufd_late.h"
#include "../lib/err.h"
#include "iommufd_late.skel.h"
#include "late.h"

/* Returns a negative errno, or what the program returns. */
static int run(struct iommufd_late *bpf, __u32 link)
{
	struct late_args args = { .link = link };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args,
		    .ctx_size_in = sizeof(args));
	int err;

	err = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.charge_pinned),
				     &opts);
	return err ?: (int)opts.retval;
}

bool late_charge(int link_fd)
{
	struct bpf_link_info info = {};
	struct iommufd_late *bpf = NULL;
	__u32 size = sizeof(info);
	int ret;

	ret = bpf_link_get_info_by_fd(link_fd, &info, &size);
	if (!ret) {
		bpf = iommufd_late__open_and_load();
		ret = bpf ? run(bpf, info.id) : -errno;
	}
	iommufd_late__destroy(bpf);
	if (ret == LATE_NOT_KNOWN)
		err_say("this iommufd does not count memory that is pinned already");
	else if (ret)
		err_say("can't count the memory that is pinned already: %s",
			strerror(-ret));
	return ret >= 0;
}
