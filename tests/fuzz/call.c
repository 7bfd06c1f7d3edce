// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Makes requests, possibly with a failing allocation, and checks the results.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"

void unlocked(struct run *run)
{
	pthread_mutex_unlock(&run->world->lock);
}

void locked(struct run *run)
{
	pthread_mutex_lock(&run->world->lock);
}

/* From here on the nth allocation fails. */
void arm(struct run *run)
{
	char text[16];

	run->injected = false;
	if (!run->nth)
		return;
	snprintf(text, sizeof(text), "%u", run->nth);
	pwrite(run->nth_fd, text, strlen(text), 0);
}

/* Stops failing allocations; notes whether one has failed. */
void disarm(struct run *run)
{
	char text[16] = "";

	if (!run->nth)
		return;
	/* This very read may be the allocation that fails. */
	if (pread(run->nth_fd, text, sizeof(text) - 1, 0) < 0)
		strcpy(text, "0");
	if (pwrite(run->nth_fd, "0", 1, 0) < 0)
		pwrite(run->nth_fd, "0", 1, 0);
	run->injected = !atoi(text);
	run->nth = 0;
}

int call_on(struct run *run, int fd, unsigned long request, void *argument)
{
	int ret;

	unlocked(run);
	arm(run);
	ret = ioctl(fd, request, argument);
	run->error = ret < 0 ? errno : 0;
	disarm(run);
	locked(run);
	run->world->result->calls++;
	return ret;
}

int call(struct run *run, unsigned long request, void *argument)
{
	return call_on(run, run->world->fd, request, argument);
}

int mock(struct run *run, struct iommu_test_cmd *cmd, unsigned int op,
	 uint32_t id)
{
	cmd->size = sizeof(*cmd);
	cmd->op = op;
	cmd->id = id;
	return call(run, IOMMU_TEST_CMD, cmd);
}

/*
 * If so, the request must fail, in this way or another one that is listed as
 * correct.
 */
void must(struct run *run, bool condition, int error)
{
	struct want *want = &run->want;

	if (condition && want->nr_must < sizeof(want->must))
		want->must[want->nr_must++] = error;
}

/* If so, the request may fail in this way. */
void may(struct run *run, bool condition, int error)
{
	struct want *want = &run->want;

	if (condition && want->nr_may < sizeof(want->may))
		want->may[want->nr_may++] = error;
}

/* The result is not predicted. */
void any(struct run *run)
{
	run->want.any = true;
}

/* Several things may be wrong with it. */
void vague(struct run *run)
{
	run->want.vague = true;
}

/* An id of another type, or of no object. */
void wants_object(struct run *run, const struct object *object, enum kind kind)
{
	must(run, !is(object, kind), ENOENT);
	may(run, !is(object, kind), EINVAL);
}

static void append(struct run *run, const char *format, va_list args)
{
	struct result *result = run->world->result;
	size_t room = TRACE_SIZE - result->trace_size;
	int n;

	if (room < 512)
		return;
	n = vsnprintf(result->trace + result->trace_size, room, format, args);
	result->trace_size += (size_t)n < room ? (size_t)n : room - 1;
}

static void print(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void print(struct run *run, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(run, format, args);
	va_end(args);
}

void said(struct run *run, const char *format, ...)
{
	va_list args;

	if (run->world->flavour == THREADS)
		return;
	print(run, "%u >", run->step);
	va_start(args, format);
	append(run, format, args);
	va_end(args);
	print(run, "\n");
}

static const char *error_name(int error)
{
	return error ? strerrorname_np(error) ?: "E?" : "0";
}

static void fail(struct run *run, const char *text)
{
	struct result *result = run->world->result;

	if (result->failed || options.lenient)
		return;
	result->failed = true;
	result->step = run->step;
	snprintf(result->message, sizeof(result->message), "step %u, %s: %s",
		 run->step, ops_of(&(unsigned int){ 0 })[run->op].name, text);
}

static bool among(const unsigned char *list, unsigned int n, int error)
{
	for (unsigned int i = 0; i < n; i++)
		if (list[i] == error)
			return true;
	return false;
}

static bool good(const struct run *run)
{
	const struct want *want = &run->want;

	if (run->world->wild)
		return true;
	if (run->error && run->injected && !run->strict)
		return true;
	if (run->error == EINTR || want->any)
		return true;
	/* A caller with a low limit may be refused more often. */
	if (run->error == ENOMEM && run->world->flavour == LIMITED)
		return true;
	if (!run->error)
		return !want->nr_must;
	return among(want->must, want->nr_must, run->error) ||
	       among(want->may, want->nr_may, run->error);
}

static void wanted(const struct run *run, char *text, size_t size)
{
	const struct want *want = &run->want;
	int n = snprintf(text, size, "%s instead of%s", error_name(run->error),
			 want->nr_must ? "" : " success");

	for (unsigned int i = 0; i < want->nr_must; i++)
		n += snprintf(text + n, size - n, " %s",
			      error_name(want->must[i]));
	for (unsigned int i = 0; i < want->nr_may; i++)
		n += snprintf(text + n, size - n, " (%s)",
			      error_name(want->may[i]));
	if (run->injected)
		snprintf(text + n, size - n, ", with a failed allocation");
}

static bool is_vague(const struct want *want)
{
	if (want->vague)
		return true;
	for (unsigned int i = 1; i < want->nr_must; i++)
		if (want->must[i] != want->must[0])
			return true;
	return want->nr_must && want->nr_may;
}

/* Prints the request, and complains if its result is not the expected one. */
void judged(struct run *run, const char *format, ...)
{
	struct result *result = run->world->result;
	char text[400];
	va_list args;

	if (run->error)
		result->refused[run->op]++;
	else
		result->done[run->op]++;
	if (run->world->flavour != THREADS) {
		print(run, "%u %s ", run->step,
		      ops_of(&(unsigned int){ 0 })[run->op].name);
		va_start(args, format);
		append(run, format, args);
		va_end(args);
		print(run, " = %s%s%s\n", error_name(run->error),
		      run->error && is_vague(&run->want) ? " ~" : "",
		      run->injected ? " injected" : "");
	}
	if (!good(run)) {
		wanted(run, text, sizeof(text));
		fail(run, text);
	}
	run->want = (struct want){};
	run->strict = false;
}

/* Complains unless a condition holds after a request. */
void check(struct run *run, bool good, const char *what)
{
	if (!good && !run->world->wild)
		fail(run, what);
}
