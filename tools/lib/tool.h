/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Setup that all tools with BPF programs share. */
#ifndef __LIB_TOOL_H
#define __LIB_TOOL_H

#include <linux/types.h>
#include <stdbool.h>
#include "env.h"
#include "source.h"

struct bpf_object;
struct bpf_program;

/*
 * Whether the tools can work on this machine; if not, the problem is reported.
 * After the call, libbpf's messages are kept, or printed if @verbose.
 */
bool tool_check(bool verbose);

/*
 * The same for tools that also work on kernels without trace events of iommufd;
 * *@stock is set for such a kernel.
 */
bool tool_check_any(bool verbose, bool *stock);

/* The same for tools that list contexts; *@kind is what serves them. */
bool tool_check_source(bool verbose, enum source_kind *kind);

/* The same, without a message about the problem. */
enum env_problem tool_try_source(bool verbose, enum source_kind *kind);

/* Whether contexts can be listed, on a kernel without events of iommufd. */
bool tool_has_lists(void);

/* Reports that the kernel does not accept the BPF programs; @err: an errno. */
void tool_refused(int err);

/* Prints on standard error what the tool starts to watch. */
void tool_ready(const char *what);

/* Events that programs of @obj missed because one was running already. */
__u64 tool_misses(struct bpf_object *obj);
__u64 tool_misses_of(const struct bpf_program *prog);

/* CPU time of the programs of @obj, if the kernel measures it (bpf_stats). */
__u64 tool_run_ns(struct bpf_object *obj);

/* Returns @memory, or ends the program if it is NULL. */
void *tool_memory(void *memory);

#endif
