// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel reports the subject of a request right before its failure. Both
 * come from the same thread, which has one request at a time; a request's own
 * event is the last of its events.
 */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/ioctl.h"
#include "../lib/names.h"
#include "../lib/tool.h"
#include "iommufd_why.skel.h"
#include "listen.h"

/* From here on, error codes are internal to the kernel. */
#define ERESTARTSYS 512

/* Threads that can fail at the same time; with more, some subjects are lost. */
#define SUBJECTS 256

/* Set on kernels without trace events of iommufd; the others are NULL then. */
static struct ioctl_watch *stock;
static struct iommufd_why *bpf;
static struct ring_buffer *ring;
static listen_fn tell;
static struct why_subject subjects[SUBJECTS];

static bool belongs(const struct why_subject *subject,
		    const struct why_fail *fail)
{
	return subject->kind && subject->tid == fail->tid &&
	       subject->ctx == fail->ctx && subject->ret == fail->ret;
}

static void take_fail(const struct why_fail *fail)
{
	struct why_subject *subject = &subjects[fail->tid % SUBJECTS];
	struct failure failure = { .fail = *fail };

	if (belongs(subject, fail))
		failure.subject = *subject;
	subject->kind = 0;
	tell(&failure);
}

static void take_subject(const struct why_subject *subject)
{
	subjects[subject->tid % SUBJECTS] = *subject;
}

static int take(void *unused, void *data, size_t size)
{
	const __u32 *kind = data;

	(void)unused;
	(void)size;
	if (*kind == WHY_FAIL)
		take_fail(data);
	else
		take_subject(data);
	return 0;
}

static void take_call(const struct ioctl_call *call, void *unused)
{
	struct failure failure = {
		.stock = true,
		.fail.kind = WHY_FAIL,
		.fail.tid = call->tid,
		.fail.tgid = call->tgid,
		.fail.uid = call->uid,
		.fail.command = call->command,
		.fail.ret = call->ret,
		.subject.length = call->length,
	};

	(void)unused;
	/*
	 * Error codes internal to the kernel (ERESTARTSYS) are about a signal.
	 */
	if (failure.fail.ret <= -ERESTARTSYS)
		failure.fail.ret = -EINTR;
	memcpy(failure.fail.comm, call->comm, sizeof(failure.fail.comm));
	tell(&failure);
}

static bool begin_stock(const struct options *options)
{
	struct ioctl_options which = {
		.pid = options->common.pid,
		.ancestor = options->command ? getpid() : 0,
		.each = take_call,
		.only_failed = true,
	};

	if (options->nr_reasons) {
		err_say("the stock iommufd does not report reasons, so -r can't be used");
		return false;
	}
	stock = ioctl_open(&which);
	return stock;
}

static bool set_reasons(const struct options *options)
{
	for (size_t i = 0; i < options->nr_reasons; i++) {
		__u32 reason = names_find_reason(options->reasons[i]);

		if (reason == NAMES_REASONS) {
			err_say("this kernel knows no reason '%s'",
				options->reasons[i]);
			err_advise("iommufd-why --list shows all reasons.");
			return false;
		}
		bpf->rodata->only_reasons[reason / 64] |= 1ULL << reason % 64;
	}
	return true;
}

/* Attach failures last, so that no event before a reported one is missed. */
static int attach(void)
{
	bpf_program__set_autoattach(bpf->progs.fail, false);
	if (iommufd_why__attach(bpf))
		return -errno;
	bpf->links.fail = bpf_program__attach(bpf->progs.fail);
	return bpf->links.fail ? 0 : -errno;
}

static bool load(const struct options *options)
{
	int err;

	bpf->rodata->page_shift = __builtin_ctzl(sysconf(_SC_PAGESIZE));
	bpf->rodata->only_tgid = options->common.pid;
	if (options->command)
		bpf->rodata->ancestor = getpid();
	if (!set_reasons(options))
		return false;
	err = iommufd_why__load(bpf);
	if (!err)
		err = attach();
	if (!err) {
		ring = ring_buffer__new(bpf_map__fd(bpf->maps.records), take,
					NULL, NULL);
		err = ring ? 0 : -errno;
	}
	if (err)
		tool_refused(-err);
	return !err;
}

bool listen_begin(const struct options *options, listen_fn function)
{
	tell = function;
	/* Orphans of the command stay our descendants. */
	if (options->command)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (options->stock)
		return begin_stock(options);
	bpf = iommufd_why__open();
	if (!bpf) {
		tool_refused(errno);
		return false;
	}
	if (load(options))
		return true;
	listen_end();
	return false;
}

int listen_fd(void)
{
	return stock ? ioctl_fd(stock) : ring_buffer__epoll_fd(ring);
}

void listen_take(void)
{
	if (stock)
		ioctl_take(stock);
	else
		ring_buffer__consume(ring);
}

__u64 listen_lost(void)
{
	return stock ? ioctl_lost(stock) :
		       bpf->bss->lost + tool_misses(bpf->obj);
}

void listen_end(void)
{
	if (stock)
		ioctl_close(stock);
	ring_buffer__free(ring);
	iommufd_why__destroy(bpf);
}
