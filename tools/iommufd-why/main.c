// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../lib/command.h"
#include "../lib/err.h"
#include "../lib/loop.h"
#include "../lib/names.h"
#include "../lib/tool.h"
#include "fold.h"
#include "listen.h"
#include "print.h"

static struct options options;
/* By reason, or by errno on a stock kernel; the last is for VFIO. */
static __u64 counts[COUNTS], told_lost;
/* Failures that are still to be reported. */
static unsigned long left;

static void tell(const struct failure *failure)
{
	__u32 kind = failure->stock ? (__u32)-failure->fail.ret :
				      failure->fail.reason;

	if (options.count && !left)
		return;
	if (options.count)
		left--;
	if (failure->fail.vfio && !failure->stock)
		kind = COUNT_VFIO;
	if (kind < COUNTS)
		counts[kind]++;
	if (options.all || options.common.json || !fold_take(failure))
		print_failure(failure, options.common.json);
}

static void tell_lost(void)
{
	__u64 lost = listen_lost();

	if (lost != told_lost)
		print_lost(lost, options.common.json);
	told_lost = lost;
}

/* An epoll descriptor for failures and, with a command, for its end. */
static int watch(int ended)
{
	int all = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN };

	if (all < 0 || epoll_ctl(all, EPOLL_CTL_ADD, listen_fd(), &event) ||
	    (ended >= 0 && epoll_ctl(all, EPOLL_CTL_ADD, ended, &event))) {
		err_say("can't wait: %s", strerror(errno));
		exit(EXIT_FAILURE);
	}
	return all;
}

static bool is_ready(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&poll_fd, 1, 0) > 0;
}

/*
 * Ctrl-C at the terminal also reaches the command. A signal that was sent only
 * to this process is meant for the command. Returns false if no signal ended
 * the loop.
 */
static bool pass_on(const struct loop *loop, pid_t pid)
{
	struct signalfd_siginfo info;

	if (!is_ready(loop->signals) ||
	    read(loop->signals, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_code <= 0)
		kill(pid, info.ssi_signo);
	return true;
}

/* Reports failures until the end; @pid is 0 without a command. */
static int follow(struct loop *loop, pid_t pid)
{
	int ended = pid ? pidfd_open(pid, 0) : -1, all = watch(ended);
	int status = EXIT_SUCCESS;
	enum loop_event event;
	bool over = false;

	while (!over) {
		event = loop_wait(loop, all);
		if (event == LOOP_END)
			over = !pid || !pass_on(loop, pid);
		/*
		 * When the command has ended, all of its failures are in the
		 * buffer.
		 */
		over |= is_ready(ended);
		listen_take();
		tell_lost();
		over |= options.count && !left;
		if (over || event == LOOP_TICK)
			fold_each(print_more);
		if (over && options.summary)
			print_summary(counts, told_lost, &options);
		if (!loop_flush(&status))
			over = true;
	}
	close(all);
	close(ended);
	return status;
}

static int run(int output)
{
	/* Repeats are reported each second. */
	struct loop loop = { .interval = 1 };
	int status, wait_status;
	sigset_t before;
	pid_t pid = 0;

	sigprocmask(SIG_BLOCK, NULL, &before);
	loop_begin(&loop);
	if (options.command) {
		status = command_start(options.command, output, &pid);
		if (status)
			return status;
	}
	status = follow(&loop, pid);
	if (!pid)
		return status;
	/* Reporting is over: restore the default effect of signals. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
		;
	return status ?: command_status(wait_status);
}

int main(int argc, char **argv)
{
	int output = STDOUT_FILENO, status;

	setlocale(LC_CTYPE, "");
	options_parse(&options, argc, argv);
	left = options.count;
	if (options.list) {
		print_list(options.common.json);
		return EXIT_SUCCESS;
	}
	if (!tool_check_any(options.common.verbose, &options.stock))
		return EXIT_FAILURE;
	if (!options.stock && !names_load())
		return EXIT_FAILURE;
	if (options.output) {
		output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
		if (!freopen(options.output, "we", stdout)) {
			err_say("can't write %s: %s", options.output,
				strerror(errno));
			return EXIT_FAILURE;
		}
	}
	if (!listen_begin(&options, tell))
		return EXIT_FAILURE;
	if (options.stock)
		print_stock(options.common.json);
	status = run(output);
	listen_end();
	return status;
}
