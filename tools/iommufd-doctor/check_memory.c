// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/fmt.h"
#include "checks.h"

#define NO_LIMIT (~0ULL)

/* Bytes; @process: "self" or a number. False if that can't be read. */
static bool read_limit(const struct host *host, const char *process,
		       unsigned long long *limit)
{
	FILE *file = host_open(host, "/proc/%s/limits", process);
	char line[TEXT_SIZE], soft[32];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "Max locked memory %31s", soft) == 1;
	fclose(file);
	if (found)
		*limit = strcmp(soft, "unlimited") ? strtoull(soft, NULL, 10) :
						     NO_LIMIT;
	return found;
}

/* The number of KiB in a file such as /proc/meminfo, in bytes. */
static unsigned long long read_size(const struct host *host, const char *name,
				    const char *path)
{
	char value[TEXT_SIZE];

	host_field(host, value, name, "%s", path);
	return strtoull(value, NULL, 10) << 10;
}

static void check_limit(const struct host *host, struct report *out)
{
	unsigned long long limit, memory;
	char buf[FMT_LEN];

	memory = read_size(host, "MemTotal", "/proc/meminfo");
	if (!read_limit(host, "self", &limit))
		report(out, "memlock", NULL, STATE_NONE, NULL,
		       "the limit of locked memory is not known");
	else if (host_can(host, CAP_IPC_LOCK))
		report(out, "memlock", NULL, STATE_OK, NULL,
		       "this user may lock any amount of memory (CAP_IPC_LOCK)");
	else if (limit == NO_LIMIT || limit >= memory)
		report(out, "memlock", NULL, STATE_OK, NULL,
		       "this user may lock all memory for DMA");
	else
		report(out, "memlock", NULL, STATE_WARNING,
		       "As root, for the next login: "
		       "echo '* - memlock unlimited' >/etc/security/limits.d/memlock.conf",
		       "this user may lock %s for DMA: the memory of a VM must fit into that",
		       fmt_bytes(buf, limit));
}

static void check_vm(const struct host *host, const struct vm *vm,
		     struct report *out)
{
	char process[16], status[64], caps[TEXT_SIZE], advice[ADVICE_SIZE];
	char max[FMT_LEN], locked[FMT_LEN], pinned[FMT_LEN];
	unsigned long long limit, lck, pin, used;
	bool full;

	snprintf(process, sizeof(process), "%d", vm->pid);
	snprintf(status, sizeof(status), "/proc/%d/status", vm->pid);
	if (!read_limit(host, process, &limit)) {
		report(out, "memlock", NULL, STATE_NONE, NULL,
		       "%s (%d): only root can see its limit of locked memory",
		       vm->command, vm->pid);
		return;
	}
	lck = read_size(host, "VmLck", status);
	pin = read_size(host, "VmPin", status);
	used = lck > pin ? lck : pin;
	host_field(host, caps, "CapEff", "%s", status);
	full = limit != NO_LIMIT && used >= limit / 10 * 9 &&
	       !(strtoull(caps, NULL, 16) >> CAP_IPC_LOCK & 1);
	if (limit == NO_LIMIT)
		snprintf(max, sizeof(max), "no limit");
	else
		fmt_bytes(max, limit);
	snprintf(advice, sizeof(advice),
		 "Raise it: prlimit --pid %d --memlock=unlimited", vm->pid);
	report(out, "memlock", NULL, full ? STATE_WARNING : STATE_OK,
	       full ? advice : NULL,
	       "%s (%d): limit %s, locked %s, pinned %s%s", vm->command,
	       vm->pid, max, fmt_bytes(locked, lck), fmt_bytes(pinned, pin),
	       full ? "; hardly anything is left" : "");
}

/* Where hugetlbfs is mounted; false if it is not. */
static bool find_mount(const struct host *host, char place[TEXT_SIZE])
{
	FILE *file = host_open(host, "/proc/mounts");
	char line[1024], type[32];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*s %255s %31s", place, type) == 2 &&
			!strcmp(type, "hugetlbfs");
	fclose(file);
	return found;
}

/* Adds ", node 0 4 of 8" for each node that has pages of this size. */
static void add_nodes(const struct host *host, const char *size,
		      char text[TEXT_SIZE])
{
	struct dirent **nodes;
	int nr = host_list(host, &nodes, "/sys/devices/system/node");
	size_t used = strlen(text);

	for (int i = 0; i < nr; i++) {
		const char *node = nodes[i]->d_name;
		long long all, free;
		int number;

		if (sscanf(node, "node%d", &number) != 1)
			continue;
		all = host_number(host, 0,
				  "/sys/devices/system/node/%s/hugepages/%s/nr_hugepages",
				  node, size);
		free = host_number(host, 0,
				   "/sys/devices/system/node/%s/hugepages/%s/free_hugepages",
				   node, size);
		if (all && used < TEXT_SIZE)
			used += snprintf(text + used, TEXT_SIZE - used,
					 ", %lld of %lld on node %d", free, all,
					 number);
	}
	host_free(nodes, nr);
}

/* Whether the kernel can use transparent huge pages; reports that, too. */
static bool check_transparent(const struct host *host, struct report *out)
{
	char value[TEXT_SIZE];

	if (!host_read(host, value,
		       "/sys/kernel/mm/transparent_hugepage/enabled")) {
		report(out, "thp", NULL, STATE_NONE, NULL,
		       "the kernel has no transparent huge pages");
		return false;
	}
	if (strstr(value, "[never]")) {
		report(out, "thp", NULL, STATE_WARNING,
		       "Switch them on: echo madvise >/sys/kernel/mm/transparent_hugepage/enabled",
		       "transparent huge pages are off, so maps of ordinary memory take long");
		return false;
	}
	report(out, "thp", NULL, STATE_OK, NULL,
	       "transparent huge pages are on%s",
	       strstr(value, "[madvise]") ?
		       " for programs that ask for them, as QEMU does" :
		       "");
	return true;
}

static void check_huge_pages(const struct host *host, struct report *out)
{
	bool transparent = check_transparent(host, out), any = false;
	char place[TEXT_SIZE], text[TEXT_SIZE], buf[FMT_LEN];
	struct dirent **sizes;
	int nr = host_list(host, &sizes, "/sys/kernel/mm/hugepages");
	bool mounted = find_mount(host, place);

	for (int i = 0; i < nr; i++) {
		const char *size = sizes[i]->d_name;
		unsigned long long kib = 0;
		long long all, free;

		all = host_number(host, 0,
				  "/sys/kernel/mm/hugepages/%s/nr_hugepages",
				  size);
		free = host_number(host, 0,
				   "/sys/kernel/mm/hugepages/%s/free_hugepages",
				   size);
		if (!all || sscanf(size, "hugepages-%llukB", &kib) != 1)
			continue;
		any = true;
		snprintf(text, sizeof(text), "%lld of %lld pages of %s free",
			 free, all, fmt_bytes(buf, kib << 10));
		add_nodes(host, size, text);
		report(out, "hugepages", NULL, STATE_OK, NULL, "%s; %s%s", text,
		       mounted ?
			       "hugetlbfs is at " :
			       "hugetlbfs is not mounted, memfds can use them",
		       mounted ? place : "");
	}
	host_free(sizes, nr);
	if (!any)
		report(out, "hugepages", NULL,
		       transparent ? STATE_NONE : STATE_WARNING,
		       "Reserve 2 GiB: sysctl vm.nr_hugepages=1024",
		       "no huge pages are reserved");
}

void check_memory(const struct host *host, const struct processes *processes,
		  struct report *out)
{
	check_limit(host, out);
	for (size_t i = 0; i < processes->nr_vms; i++)
		check_vm(host, &processes->vms[i], out);
	check_huge_pages(host, out);
}
