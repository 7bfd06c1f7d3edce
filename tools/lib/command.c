// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command.h"
#include "err.h"

bool command_output(const char *path, int *output)
{
	*output = STDOUT_FILENO;
	if (!path)
		return true;
	*output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	if (freopen(path, "we", stdout))
		return true;
	err_say("can't write %s: %s", path, strerror(errno));
	return false;
}

int command_start(char **command, int output, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t all, none;
	int err;

	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	err = posix_spawnp(pid, *command, &files, &attr, command, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (!err)
		return 0;
	err_say("can't run %s: %s", *command, strerror(err));
	return err == ENOENT ? 127 : 126;
}

void command_pass_on(pid_t pid, int signals)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) == sizeof(info) &&
	    info.ssi_code <= 0)
		kill(pid, info.ssi_signo);
}

int command_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}
