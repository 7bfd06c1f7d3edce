// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel reports the subject of a request right before its failure. Both
 * come from the same thread, which has one request at a time; a request's own
 * event is the last of its events.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/ioctl.h"
#include "../lib/names.h"
#include "../lib/tool.h"
#include "iommufd_why.skel.h"
#include "holders.h"
#include "listen.h"
#include "objects.h"
#include "pri.h"
#include "refused.h"

/* From here on, error codes are internal to the kernel. */
#define ERESTARTSYS 512

/* Threads that can fail at the same time; with more, some subjects are lost. */
#define SUBJECTS 256

/* Set on kernels without trace events of iommufd; then @bpf only sees VFIO. */
static struct ioctl_watch *stock;
static struct iommufd_why *bpf;
static struct ring_buffer *ring;
static int both = -1; /* an epoll descriptor for both sources */
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
	struct failure failure = { .fail = *fail, .stock = stock };

	if (fail->vfio)
		holders_find(&failure);
	else if (belongs(subject, fail))
		failure.subject = *subject;
	subject->kind = 0;
	if (!stock) {
		objects_name_device(&failure);
		refused_note(&failure);
	}
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
	else if (*kind == WHY_QUEUED)
		pri_note_queue(data);
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
	/* The other programs know more about these. */
	if (call->command >= IOCTL_DEVICE_BIND &&
	    call->command <= IOCTL_DEVICE_DETACH)
		return;
	/*
	 * Error codes internal to the kernel (ERESTARTSYS) are about a signal.
	 */
	if (failure.fail.ret <= -ERESTARTSYS)
		failure.fail.ret = -EINTR;
	memcpy(failure.fail.comm, call->comm, sizeof(failure.fail.comm));
	likely_cause(&failure.likely, call);
	tell(&failure);
}

static bool open_ring(void)
{
	ring = ring_buffer__new(bpf_map__fd(bpf->maps.records), take, NULL,
				NULL);
	return ring;
}

/* Whether a program is for requests to VFIO, which are system calls. */
static bool is_for_vfio(const struct bpf_program *program)
{
	return program == bpf->progs.vfio_enter ||
	       program == bpf->progs.vfio_exit ||
	       program == bpf->progs.open_exit;
}

/* Loads only the programs for requests to VFIO. */
static int load_vfio(void)
{
	struct bpf_program *program;
	int err;

	bpf_object__for_each_program(program, bpf->obj)
		bpf_program__set_autoload(program, is_for_vfio(program));
	err = iommufd_why__load(bpf);
	return err ?: iommufd_why__attach(bpf);
}

/* A descriptor that is readable when one of these is. */
static int epoll_both(int first, int second)
{
	struct epoll_event event = { .events = EPOLLIN };

	both = epoll_create1(EPOLL_CLOEXEC);
	if (both < 0 || epoll_ctl(both, EPOLL_CTL_ADD, first, &event) ||
	    epoll_ctl(both, EPOLL_CTL_ADD, second, &event))
		return -errno;
	return 0;
}

static int begin_vfio(void)
{
	int err = load_vfio();

	if (!err && !open_ring())
		err = -errno;
	return err ?: epoll_both(ioctl_fd(stock), ring_buffer__epoll_fd(ring));
}

static bool begin_stock(const struct options *options)
{
	struct ioctl_options which = {
		.pid = options->common.pid,
		.ancestor = options->command ? getpid() : 0,
		.each = take_call,
		.only_failed = true,
	};
	int err;

	if (options->nr_reasons) {
		err_say("the stock iommufd does not report reasons, so -r can't be used");
		return false;
	}
	stock = ioctl_open(&which);
	if (!stock)
		return false;
	err = begin_vfio();
	if (err)
		tool_refused(-err);
	return !err;
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
	struct bpf_program *program;
	int err;

	bpf->rodata->page_shift = __builtin_ctzl(sysconf(_SC_PAGESIZE));
	if (!set_reasons(options))
		return false;
	/* Refusals of VFIO have no reason of iommufd. */
	bpf_object__for_each_program(program, bpf->obj)
		if (is_for_vfio(program))
			bpf_program__set_autoload(program,
						  !options->nr_reasons);
	err = iommufd_why__load(bpf);
	if (!err)
		err = attach();
	if (!err && !open_ring())
		err = -errno;
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
	bpf = iommufd_why__open();
	if (!bpf) {
		tool_refused(errno);
		return false;
	}
	bpf->rodata->only_tgid = options->common.pid;
	if (options->command)
		bpf->rodata->ancestor = getpid();
	if (options->stock ? begin_stock(options) : load(options))
		return true;
	listen_end();
	return false;
}

int listen_fd(void)
{
	return stock ? both : ring_buffer__epoll_fd(ring);
}

void listen_take(void)
{
	if (stock)
		ioctl_take(stock);
	ring_buffer__consume(ring);
}

__u64 listen_lost(void)
{
	__u64 lost = bpf->bss->lost + (stock ? ioctl_lost(stock) : 0);
	struct bpf_program *program;

	/* Skipped system calls are mostly those of others. */
	bpf_object__for_each_program(program, bpf->obj)
		if (!is_for_vfio(program))
			lost += tool_misses_of(program);
	return lost;
}

void listen_end(void)
{
	if (stock)
		ioctl_close(stock);
	if (both >= 0)
		close(both);
	likely_end();
	objects_end();
	ring_buffer__free(ring);
	iommufd_why__destroy(bpf);
}
