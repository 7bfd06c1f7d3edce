// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

/* Input that the command has not read yet. */
static struct {
	struct vm_msg msg;
	size_t have; /* bytes received of the head, then of the data */
	size_t written;
	char data[VM_MAX_DATA];
} input;

static void set_size(struct child *child, const char *data)
{
	struct vm_winsize size;
	struct winsize ws = { 0 };

	memcpy(&size, data, sizeof(size));
	ws.ws_row = size.rows;
	ws.ws_col = size.cols;
	ioctl(child->out, TIOCSWINSZ, &ws);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void on_control(struct child *child)
{
	uint32_t type, len;
	char *data = channel_receive(&type, &len);

	if (type == MSG_WINSIZE && len == sizeof(struct vm_winsize))
		set_size(child, data);
	else if (type == MSG_CLOSE && len == 1)
		close_fd(data[0] == 2 ? &child->err : &child->out);
	free(data);
}

/* Reads once; false when there is nothing more for now. */
static int on_output(int *fd, uint32_t type)
{
	static char data[VM_MAX_DATA];
	ssize_t n;

	if (*fd < 0)
		return 0;
	n = read(*fd, data, sizeof(data));
	if (n > 0) {
		channel_send(type, data, n);
		return 1;
	}
	/* EIO: the other side of a pseudo-terminal has been closed */
	if (!n || (errno != EAGAIN && errno != EINTR))
		close_fd(fd);
	return 0;
}

/*
 * Reads the output that the command wrote before it ended. Processes that it
 * left behind may write forever: their output is not waited for.
 */
static void drain(int *fd, uint32_t type)
{
	int left = 0;

	if (*fd >= 0)
		ioctl(*fd, FIONREAD, &left);
	while (left > 0) {
		left -= VM_MAX_DATA;
		if (!on_output(fd, type))
			break;
	}
}

static int input_complete(void)
{
	return input.have >= sizeof(input.msg) &&
	       input.have == sizeof(input.msg) + input.msg.len;
}

static void on_input(struct child *child)
{
	ssize_t n;

	if (input.have < sizeof(input.msg))
		n = read(stdin_fd, (char *)&input.msg + input.have,
			 sizeof(input.msg) - input.have);
	else
		n = read(stdin_fd, input.data + input.have - sizeof(input.msg),
			 sizeof(input.msg) + input.msg.len - input.have);
	if (n <= 0)
		return;
	input.have += n;
	if (input_complete() && !input.msg.len) {
		close_fd(&child->in);
		input.have = 0;
	}
}

static void on_input_room(struct child *child)
{
	ssize_t n = 0;

	if (child->in >= 0) {
		n = write(child->in, input.data + input.written,
			  input.msg.len - input.written);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			close_fd(&child->in); /* it no longer reads */
	}
	if (child->in >= 0)
		input.written += n;
	if (child->in < 0 || input.written == input.msg.len)
		input.have = input.written = 0;
}

/* Reaps orphans too, as process 1 has to. */
static int reap(pid_t pid, int *status)
{
	int s, found = 0;
	pid_t p;

	while ((p = waitpid(-1, &s, WNOHANG)) > 0) {
		if (p == pid) {
			*status = s;
			found = 1;
		}
	}
	return found;
}

int pump(struct child *child)
{
	enum { CTL, STDIN, CHILD_IN, OUT, ERR, SIGNAL, COUNT };
	struct pollfd p[COUNT];
	struct signalfd_siginfo info;
	sigset_t mask;
	int sigfd, status = 0, is_pty = child->in == child->out;

	if (is_pty)
		child->in = dup(child->out);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sigfd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	while (!reap(child->pid, &status)) {
		int pending = input_complete();

		p[CTL] = (struct pollfd){ ctl_fd, POLLIN, 0 };
		p[STDIN] =
			(struct pollfd){ pending ? -1 : stdin_fd, POLLIN, 0 };
		p[CHILD_IN] =
			(struct pollfd){ pending ? child->in : -1, POLLOUT, 0 };
		p[OUT] = (struct pollfd){ child->out, POLLIN, 0 };
		p[ERR] = (struct pollfd){ child->err, POLLIN, 0 };
		p[SIGNAL] = (struct pollfd){ sigfd, POLLIN, 0 };
		/* Discard input for a command that does not read it. */
		if (pending && child->in < 0) {
			on_input_room(child);
			continue;
		}
		if (poll(p, COUNT, -1) < 0)
			continue;
		if (p[SIGNAL].revents)
			while (read(sigfd, &info, sizeof(info)) > 0)
				;
		if (p[CTL].revents & POLLIN)
			on_control(child);
		if (p[OUT].revents)
			on_output(&child->out, MSG_STDOUT);
		if (p[ERR].revents)
			on_output(&child->err, MSG_STDERR);
		if (p[STDIN].revents & POLLIN)
			on_input(child);
		if (p[CHILD_IN].revents)
			on_input_room(child);
	}
	drain(&child->out, MSG_STDOUT);
	drain(&child->err, MSG_STDERR);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	return status;
}
