// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static char *next_string(char **pos, char *end)
{
	char *s = *pos;

	if (s >= end)
		die("a broken start message");
	*pos += strlen(s) + 1;
	return s;
}

static char **next_strings(uint32_t count, char **pos, char *end)
{
	char **list = calloc(count + 1, sizeof(*list));
	uint32_t i;

	if (!list)
		die("out of memory");
	for (i = 0; i < count; i++)
		list[i] = next_string(pos, end);
	return list;
}

void parse_start(char *data, uint32_t len, struct start *start)
{
	struct vm_start head;
	char *pos = data + sizeof(head), *end = data + len;

	if (len < sizeof(head))
		die("a short start message");
	memcpy(&head, data, sizeof(head));
	start->flags = head.flags;
	start->size = head.size;
	start->dir = next_string(&pos, end);
	start->setup = next_strings(head.setup_argc, &pos, end);
	start->argv = next_strings(head.argc, &pos, end);
	start->env = next_strings(head.envc, &pos, end);
}

/* A script does the rest of the setup: by now it can use the host's tools. */
int run_setup(const struct start *start)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execve(start->setup[0], start->setup, start->env);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static void open_pty(const struct start *start, int *master, int *slave)
{
	struct winsize size = { .ws_row = start->size.rows,
				.ws_col = start->size.cols };

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*master < 0 || grantpt(*master) || unlockpt(*master))
		die("no pseudo-terminal: %s", strerror(errno));
	*slave = open(ptsname(*master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		die("%s: %s", ptsname(*master), strerror(errno));
	if (size.ws_row && size.ws_col)
		ioctl(*slave, TIOCSWINSZ, &size);
}

/* Never returns. Exit codes as in shells: 127 not found, 126 not executable. */
static void run_command(const struct start *start, int in, int out, int err)
{
	int error;

	signal(SIGPIPE, SIG_DFL);
	setsid();
	if (start->flags & VM_PTY)
		ioctl(in, TIOCSCTTY, 0);
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (chdir(start->dir)) {
		dprintf(2, "vm: %s: %s\n", start->dir, strerror(errno));
		_exit(126);
	}
	environ = start->env;
	execvp(start->argv[0], start->argv);
	error = errno;
	dprintf(2, "vm: %s: %s\n", start->argv[0], strerror(error));
	_exit(error == ENOENT ? 127 : 126);
}

static void make_pipe(int *ours, int *theirs, int ours_is_write_end)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	*ours = fds[ours_is_write_end];
	*theirs = fds[!ours_is_write_end];
}

static void unblock(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void spawn(const struct start *start, struct child *child)
{
	int in, out, err;

	child->err = -1;
	if (start->flags & VM_PTY) {
		open_pty(start, &child->out, &in);
		child->in = child->out;
		out = dup(in);
	} else {
		make_pipe(&child->in, &in, 1);
		make_pipe(&child->out, &out, 0);
	}
	if (start->flags & VM_PTY_STDERR)
		err = dup(out);
	else
		make_pipe(&child->err, &err, 0);
	child->pid = fork();
	if (!child->pid)
		run_command(start, in, out, err);
	if (child->pid < 0)
		die("fork: %s", strerror(errno));
	close(in);
	close(out);
	close(err);
	unblock(child->in);
	unblock(child->out);
	unblock(child->err);
}
