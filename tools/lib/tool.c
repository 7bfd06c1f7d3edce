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

bool tool_check(bool verbose)
{
	err_keep_libbpf(verbose);
	return tell(env_check("", env_capabilities()));
}

bool tool_check_any(bool verbose, bool *stock)
{
	enum env_problem problem = env_check("", env_capabilities());

	err_keep_libbpf(verbose);
	*stock = problem == ENV_NO_EVENTS;
	return tell(*stock ? env_check_stock("") : problem);
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

__u64 tool_misses(struct bpf_object *obj)
{
	struct bpf_program *prog;
	__u64 misses = 0;

	bpf_object__for_each_program(prog, obj) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);

		if (!bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info,
					     &size))
			misses += info.recursion_misses;
	}
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
