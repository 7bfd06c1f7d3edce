// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Runs scenes, each regardless of failures of earlier ones. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static const struct scene *current;
static bool reported[SCENE_OPS];
static jmp_buf failed;
static char why[256];
static int status;

static void case_name(char *name, size_t size, const struct scene *scene,
		      unsigned int op)
{
	snprintf(name, size, "%s/%s", scene->ops[op], scene->rest);
}

static bool wanted(const struct scene *scene, unsigned int op)
{
	char name[CASE_NAME];

	if (op >= SCENE_OPS || !scene->ops[op])
		return false;
	case_name(name, sizeof(name), scene, op);
	return !options.only || !fnmatch(options.only, name, 0);
}

/* The number of a case of the running scene, if it is selected; else -1. */
int scene_case(const char *op, char *name)
{
	for (unsigned int i = 0; i < SCENE_OPS; i++) {
		if (!wanted(current, i) || strcmp(current->ops[i], op))
			continue;
		case_name(name, CASE_NAME, current, i);
		return i;
	}
	return -1;
}

void scene_reported(int op)
{
	reported[op] = true;
}

static void report_errors(void)
{
	char name[CASE_NAME];

	for (unsigned int i = 0; i < SCENE_OPS; i++) {
		if (!wanted(current, i) || reported[i])
			continue;
		case_name(name, sizeof(name), current, i);
		report_error(name, why);
		status = 1;
	}
}

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	/* A thread of the scene cannot end it for the others. */
	if (gettid() != getpid()) {
		report_errors();
		_exit(1);
	}
	longjmp(failed, 1);
}

void scene_run(const struct scene *scene)
{
	bool any = false;

	if (!(scene->on & backend->bit))
		return;
	for (unsigned int i = 0; i < SCENE_OPS; i++) {
		char name[CASE_NAME];

		if (!wanted(scene, i))
			continue;
		any = true;
		case_name(name, sizeof(name), scene, i);
		if (options.list)
			puts(name);
	}
	if (!any || options.list)
		return;

	current = scene;
	memset(reported, 0, sizeof(reported));
	snprintf(why, sizeof(why), "it was not measured");
	if (!setjmp(failed))
		scene->play(scene);
	backend->close();
	report_errors();
}

int scene_status(void)
{
	return status;
}

void control(int fd, unsigned long request, void *arg, const char *name)
{
	if (ioctl(fd, request, arg) < 0)
		fail("%s: %s", name, strerror(errno));
}

int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

void write_file(const char *path, const char *text)
{
	int fd = open_file(path, O_WRONLY);
	ssize_t written = write(fd, text, strlen(text));

	close(fd);
	if (written < 0)
		fail("%s: %s", path, strerror(errno));
}
