/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every tool with BPF programs begins with. */
#ifndef __LIB_TOOL_H
#define __LIB_TOOL_H

#include <linux/types.h>
#include <stdbool.h>

struct bpf_object;

/*
 * Whether the tools can work on this machine; if not, what is missing was said.
 * From here on libbpf's messages are kept, or shown if @verbose.
 */
bool tool_check(bool verbose);

/*
 * The same for a tool that has something to show on kernels without the trace
 * events of iommufd, too: *@stock says whether this is one.
 */
bool tool_check_any(bool verbose, bool *stock);

/* Says that the kernel does not take the BPF programs; @err: an errno. */
void tool_refused(int err);

/* Says on standard error that it begins to watch something. */
void tool_ready(const char *what);

/* Events that did not reach the programs of @obj: one was running already. */
__u64 tool_misses(struct bpf_object *obj);

/* CPU time of the programs of @obj, while the kernel measures it (bpf_stats). */
__u64 tool_run_ns(struct bpf_object *obj);

/* Memory that there is, or the program ends: it takes very little. */
void *tool_memory(void *memory);

#endif
