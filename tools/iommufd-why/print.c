// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "../lib/fmt.h"
#include "../lib/identity.h"
#include "../lib/json.h"
#include "../lib/loop.h"
#include "../lib/names.h"
#include "expand.h"
#include "meanings.h"
#include "print.h"
#include "sentences.h"
#include "vfio.h"

#define WIDTH  79
#define INDENT 4

/* The sentence for a reason that only newer kernels have. */
static const struct sentence unknown = {
	"",
	0,
	"This reason is newer than this iommufd-why; its numbers are {1x} and {2x}.",
	"Look it up in docs/failures.md of the running iommufd, or update the tool.",
};

/* The advice for a failure on a stock kernel. */
static const char stock_advice[] =
	"A kernel with iommufd-bpf reports which of these it is, with the numbers.";

/* The names in a failure, as far as the kernel and this tool know them. */
struct names {
	char request[64];
	char reason[48];
	const struct sentence *sentence;
};

static void find_request(struct names *names, const struct why_fail *fail)
{
	const char *request = names_request(fail->command);
	__u32 command = fail->command;
	char file[sizeof(fail->file)];

	if (fail->vfio && command == WHY_OPEN)
		snprintf(names->request, sizeof(names->request),
			 "open of " WHY_FOLDER "%s",
			 fmt_name(file, sizeof(file), fail->file));
	else if (request)
		snprintf(names->request, sizeof(names->request), "%s", request);
	else
		snprintf(names->request, sizeof(names->request), "ioctl 0x%x",
			 command);
}

static void find_names(struct names *names, const struct failure *f)
{
	const struct why_fail *fail = &f->fail;
	const char *reason;

	find_request(names, fail);
	if (fail->vfio) {
		strcpy(names->reason, vfio_reason(f));
		names->sentence = vfio_sentence(f);
		return;
	}
	reason = names_reason(fail->reason);
	if (reason)
		snprintf(names->reason, sizeof(names->reason), "%s", reason);
	else
		snprintf(names->reason, sizeof(names->reason), "reason %u",
			 fail->reason);
	names->sentence = reason ? sentence_find(reason, -fail->ret) : NULL;
	if (!names->sentence)
		names->sentence = &unknown;
}

/*
 * Prints lines of at most WIDTH, broken at spaces; @title is before the first.
 */
static void print_wrapped(const char *title, const char *text)
{
	size_t column = printf("%*s%s", INDENT, "", title);
	const char *space = "";

	while (*text) {
		size_t length = strcspn(text, " ");

		if (column + strlen(space) + length > WIDTH) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
			space = "";
		}
		column += printf("%s%.*s", space, (int)length, text);
		space = " ";
		text += length;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* Prints the line up to the error, and @more. */
static void print_title(const struct failure *f, const struct names *names,
			const char *more)
{
	char time[16], comm[sizeof(f->fail.comm)];
	const char *vm = identity_vm_name(f->fail.tgid);
	int error = -f->fail.ret;

	printf("%s %s%s%s%s %u %s: %s (%s), %s\n", loop_time(time),
	       fmt_name(comm, sizeof(comm), f->fail.comm), *vm ? " (" : "", vm,
	       *vm ? ")" : "", f->fail.tgid, names->request, strerror(error),
	       names_errno(error), more);
}

static void print_text(const struct failure *f, const struct names *names)
{
	char what[EXPAND_SIZE];

	print_title(f, names, names->reason);
	print_wrapped(f->fail.vfio && vfio_is_unsure(f) ? "Likely: " : "",
		      expand(what, names->sentence->what, f));
	print_wrapped("What to do: ", expand(what, names->sentence->advice, f));
}

static void print_stock_text(const struct failure *f, const struct names *names)
{
	char text[EXPAND_SIZE];

	print_title(f, names, "reason not reported");
	if (*f->likely.text) {
		snprintf(text, sizeof(text), "%s.", f->likely.text);
		print_wrapped("Likely: ", text);
	}
	snprintf(text, sizeof(text), "%s.", meaning_find(-f->fail.ret));
	print_wrapped("It can mean: ", text);
	print_wrapped("What to do: ", stock_advice);
}

static void add_subject(struct json_object *line, const struct failure *f)
{
	const struct why_subject *s = &f->subject;
	bool range = s->kind == WHY_MAP || s->kind == WHY_UNMAP;

	if (s->kind == WHY_HWPT)
		json_add_u64(line, "parent", s->ioas);
	else if (s->ioas)
		json_add_u64(line, range ? "ioas" : "target", s->ioas);
	if (s->device)
		json_add_u64(line, "device_id", s->device);
	if (*s->name)
		json_add_text(line, "device", s->name);
	if (range) {
		json_add_u64(line, "iova", s->iova);
		json_add_u64(line, "length_bytes", s->length);
	}
}

/* Adds the process, the request and the error. */
static void add_title(struct json_object *line, const struct failure *f,
		      const struct names *names)
{
	json_add_u64(line, "time_ns", loop_clock(CLOCK_REALTIME));
	json_add_u64(line, "pid", f->fail.tgid);
	json_add_u64(line, "tid", f->fail.tid);
	json_add_u64(line, "uid", f->fail.uid);
	json_add_text(line, "command", f->fail.comm);
	identity_add_vm(line, f->fail.tgid);
	if (f->fail.vfio)
		json_add(line, "ctx", NULL);
	else if (!f->stock)
		json_add_u64(line, "ctx", f->fail.ctx);
	if (f->fail.vfio && f->fail.command == WHY_OPEN)
		json_add_text(line, "file",
			      names->request + strlen("open of "));
	json_add_text(line, "request",
		      f->fail.command == WHY_OPEN ? "open" : names->request);
	json_add_u64(line, "request_number", f->fail.command);
	json_add_u64(line, "errno", -f->fail.ret);
	json_add_text(line, "error", names_errno(-f->fail.ret));
}

static void print_json(const struct failure *f, const struct names *names)
{
	struct json_object *line = json_object_new_object();
	char text[EXPAND_SIZE];

	if (f->stock)
		json_add_bool(line, "stock", true);
	add_title(line, f, names);
	json_add_text(line, "refused_by",
		      f->fail.vfio ? vfio_refuser(f) : "iommufd");
	if (f->fail.vfio) {
		json_add(line, "reason", NULL);
	} else {
		json_add_text(line, "reason", names->reason);
		json_add_u64(line, "reason_number", f->fail.reason);
		json_add_u64(line, "first", f->fail.first);
		json_add_u64(line, "second", f->fail.second);
		json_add_text(line, "policy", f->fail.policy);
	}
	add_subject(line, f);
	expand(text, names->sentence->what, f);
	if (f->fail.vfio && vfio_is_unsure(f)) {
		json_add_text(line, "likely", text);
		json_add_text(line, "can_mean", meaning_find(-f->fail.ret));
	} else {
		json_add_text(line, "what", text);
	}
	json_add_text(line, "advice", expand(text, names->sentence->advice, f));
	json_print(line);
}

static void print_stock_json(const struct failure *f, const struct names *names)
{
	struct json_object *line = json_object_new_object();

	json_add_bool(line, "stock", true);
	add_title(line, f, names);
	if (f->subject.length)
		json_add_u64(line, "length_bytes", f->subject.length);
	if (*f->likely.text)
		json_add_text(line, "likely", f->likely.text);
	else
		json_add(line, "likely", NULL);
	json_add_text(line, "can_mean", meaning_find(-f->fail.ret));
	json_add_text(line, "advice", stock_advice);
	json_print(line);
}

static void print_stock_failure(const struct failure *f, bool json)
{
	struct names names;

	find_request(&names, &f->fail);
	if (json)
		print_stock_json(f, &names);
	else
		print_stock_text(f, &names);
}

void print_stock(bool json)
{
	if (json)
		return;
	printf("This kernel has the stock iommufd, which does not report why requests fail.\n"
	       "Below are the ioctls that fail, and what their errors can mean in general.\n");
	fflush(stdout);
}

void print_failure(const struct failure *failure, bool json)
{
	struct names names;

	if (failure->stock && !failure->fail.vfio) {
		print_stock_failure(failure, json);
		return;
	}
	find_names(&names, failure);
	if (json)
		print_json(failure, &names);
	else
		print_text(failure, &names);
}

void print_more(const struct failure *last, __u64 count)
{
	struct names names = {};
	char more[96];

	if (last->stock && !last->fail.vfio)
		find_request(&names, &last->fail);
	else
		find_names(&names, last);
	snprintf(more, sizeof(more), "%s%s%" PRIu64 " more like that",
		 names.reason, *names.reason ? ": " : "", (uint64_t)count);
	print_title(last, &names, more);
}

void print_lost(__u64 lost, bool json)
{
	if (json) {
		struct json_object *line = json_object_new_object();

		json_add_u64(line, "lost_events", lost);
		json_print(line);
	} else {
		printf("LOST: %" PRIu64 " failures could not be reported\n",
		       (uint64_t)lost);
	}
}

/* Name of a row of the summary. */
static const char *kind_name(__u32 reason, bool stock, char *text, size_t size)
{
	const char *name = stock ? names_errno(reason) : names_reason(reason);

	if (reason == COUNT_VFIO)
		return "refused by VFIO";
	if (name)
		return name;
	snprintf(text, size, "reason %u", reason);
	return text;
}

static void print_summary_json(const __u64 *counts, __u64 lost, bool stock)
{
	struct json_object *line = json_object_new_object();
	struct json_object *summary = json_object_new_object();
	char text[32];

	for (__u32 i = 0; i < COUNTS; i++)
		if (counts[i])
			json_add_u64(summary,
				     kind_name(i, stock, text, sizeof(text)),
				     counts[i]);
	json_add(line, "summary", summary);
	json_add_u64(line, "lost_events", lost);
	json_print(line);
}

static void print_summary_text(const __u64 *counts, __u64 lost, bool stock)
{
	char text[32];

	printf("%8s %s\n", "COUNT", stock ? "ERROR" : "REASON");
	/* Sort by count, in the simplest way: there are few. */
	for (__u64 below = ~0ULL;;) {
		__u64 most = 0;

		for (__u32 i = 0; i < COUNTS; i++)
			if (counts[i] < below && counts[i] > most)
				most = counts[i];
		if (!most)
			break;
		for (__u32 i = 0; i < COUNTS; i++)
			if (counts[i] == most)
				printf("%8" PRIu64 " %s\n", (uint64_t)most,
				       kind_name(i, stock, text, sizeof(text)));
		below = most;
	}
	if (lost)
		print_lost(lost, false);
}

void print_summary(const __u64 *counts, __u64 lost,
		   const struct options *options)
{
	if (options->common.json)
		print_summary_json(counts, lost, options->stock);
	else
		print_summary_text(counts, lost, options->stock);
}

void print_list(bool json)
{
	for (size_t i = 0; i < nr_sentences; i++) {
		const struct sentence *s = &sentences[i];

		if (json) {
			struct json_object *line = json_object_new_object();

			json_add_text(line, "reason", s->reason);
			json_add_text(line, "error",
				      s->error ? names_errno(s->error) : "");
			json_add_text(line, "what", s->what);
			json_add_text(line, "advice", s->advice);
			json_print(line);
			continue;
		}
		printf("%s%s%s\n", s->reason, s->error ? ", " : "",
		       s->error ? names_errno(s->error) : "");
		print_wrapped("", s->what);
		print_wrapped("What to do: ", s->advice);
	}
}
