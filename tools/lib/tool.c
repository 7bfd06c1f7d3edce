// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "env.h"
#include "err.h"
#include "tool.h"

static bool tell(enum env_problem problem)
{
	if (!problem)
		return true;
	err_say("%s", env_problem_text(problem));
	err_advise(env_problem_advice(problem));
	return false;
}

/* Reports what does not keep the tool from its work, but leaves it without. */
static void tell_more(void)
{
	tell(env_check_device_file(""));
	tell(env_check_iommu(""));
}

/* Returns whether the tool can work; reports the problem, and related ones. */
static bool check(enum env_problem problem)
{
	bool works = tell(problem);

	if (works || problem == ENV_NO_IOMMUFD || problem == ENV_NOT_INSTALLED)
		tell_more();
	if (!works)
		err_advise("iommufd-doctor checks everything that is needed.");
	return works;
}

bool tool_check(bool verbose)
{
	err_keep_libbpf(verbose);
	return check(env_check("", env_capabilities()));
}

/* ENV_NO_EVENTS if there is another source; the problem of this machine. */
static enum env_problem find_source(enum source_kind *kind)
{
	enum env_problem problem = env_check("", env_capabilities());

	*kind = problem == ENV_NO_EVENTS ? SOURCE_UPSTREAM : SOURCE_OURS;
	if ((problem == ENV_NO_IOMMUFD || problem == ENV_NOT_INSTALLED) &&
	    source_has_type1("")) {
		*kind = SOURCE_TYPE1;
		problem = ENV_NO_EVENTS;
	}
	return problem;
}

static enum env_problem check_lists(enum source_kind kind)
{
	return kind == SOURCE_TYPE1 ? env_check_type1("", env_capabilities()) :
				      env_check_lists("", env_capabilities());
}

bool tool_check_any(bool verbose, bool *stock)
{
	enum source_kind kind;
	enum env_problem problem = find_source(&kind);

	err_keep_libbpf(verbose);
	*stock = kind != SOURCE_OURS;
	return check(*stock ? env_check_stock("") : problem);
}

enum env_problem tool_try_source(bool verbose, enum source_kind *kind)
{
	enum env_problem problem = find_source(kind);

	err_keep_libbpf(verbose);
	return *kind == SOURCE_OURS ? problem : check_lists(*kind);
}

bool tool_check_source(bool verbose, enum source_kind *kind)
{
	return check(tool_try_source(verbose, kind));
}

bool tool_has_lists(void)
{
	return check_lists(source_stock()) == ENV_OK;
}

void tool_refused(int err)
{
	err_say("the kernel does not accept the BPF programs: %s",
		strerror(err));
	err_advise(err_libbpf_log());
	if (err == EPERM)
		err_advise("A container or kernel lockdown may forbid it: see the kernel log.");
}

void tool_ready(const char *what)
{
	fprintf(stderr, "Watching %s... Ctrl-C ends it.\n", what);
}

__u64 tool_misses_of(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &size))
		return 0;
	return info.recursion_misses;
}

__u64 tool_misses(struct bpf_object *obj)
{
	struct bpf_program *prog;
	__u64 misses = 0;

	bpf_object__for_each_program(prog, obj)
		misses += tool_misses_of(prog);
	return misses;
}

__u64 tool_run_ns(struct bpf_object *obj)
{
	struct bpf_program *prog;
	__u64 ns = 0;

	bpf_object__for_each_program(prog, obj) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (!bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info,
					     &size))
			ns += info.run_time_ns;
	}
	return ns;
}

void *tool_memory(void *memory)
{
	if (!memory) {
		err_say("out of memory");
		exit(EXIT_FAILURE);
	}
	return memory;
}
