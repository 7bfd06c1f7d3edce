// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Runs a sequence in a child, which may crash or hang. */

#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* Seconds until a killed child must be gone. */
#define KILL_PATIENCE 20

static void start(struct result *result)
{
	result->failed = false;
	result->step = 0;
	result->calls = 0;
	result->trace_size = 0;
	result->message[0] = 0;
}

/* Whether the child has ended within a number of seconds. */
static bool ended(pid_t pid, unsigned int seconds, int *status)
{
	struct timespec limit = { .tv_sec = seconds };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		if (sigtimedwait(&set, NULL, &limit) < 0)
			return waitpid(pid, status, WNOHANG) == pid;
	}
}

static void show_file(const char *path)
{
	char line[256];
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file))
		printf("  %s", line);
	if (file)
		fclose(file);
}

/* Where the threads of a child are in the kernel. */
static void show_stacks(pid_t pid)
{
	char path[320];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/wchan", pid,
			 entry->d_name);
		printf("thread %s\n", entry->d_name);
		show_file(path);
		snprintf(path, sizeof(path), "/proc/%d/task/%s/stack", pid,
			 entry->d_name);
		show_file(path);
	}
	if (folder)
		closedir(folder);
}

static void failed(struct result *result, const char *what, int number)
{
	result->failed = true;
	snprintf(result->message, sizeof(result->message),
		 "after step %u, the process %s (%d)", result->step, what,
		 number);
}

bool child_run(uint64_t seed, struct result *result)
{
	int status;
	pid_t pid;

	start(result);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		sequence(seed, result);
		_exit(0);
	}
	if (!ended(pid, options.timeout, &status)) {
		show_stacks(pid);
		kill(pid, SIGKILL);
		if (!ended(pid, KILL_PATIENCE, &status)) {
			failed(result, "can't be killed", pid);
			return false;
		}
		failed(result, "did not end", options.timeout);
	} else if (WIFSIGNALED(status)) {
		failed(result, "was killed", WTERMSIG(status));
	} else if (WEXITSTATUS(status)) {
		failed(result, "exited", WEXITSTATUS(status));
	}
	return true;
}
