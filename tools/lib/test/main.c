// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The functions of the library as commands, each with one result per line. The
 * expected values are in tests/test_tools_lib.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../dma_explain.h"
#include "../dma_fault.h"
#include "../env.h"
#include "../fmt.h"
#include "../hash.h"
#include "../hist.h"
#include "../identity.h"
#include "../loop.h"
#include "../slots.h"

static void do_bytes(const char *arg)
{
	char buf[FMT_LEN];

	puts(fmt_bytes(buf, strtoll(arg, NULL, 0)));
}

static void do_count(const char *arg)
{
	char buf[FMT_LEN];

	puts(fmt_count(buf, strtoll(arg, NULL, 0)));
}

static void do_short(const char *arg)
{
	char buf[FMT_LEN];

	puts(fmt_short(buf, strtoull(arg, NULL, 0)));
}

static void do_rate(const char *arg)
{
	char buf[FMT_LEN];

	puts(fmt_rate(buf, strtod(arg, NULL)));
}

static void do_ns(const char *arg)
{
	char buf[FMT_LEN];

	puts(fmt_ns(buf, strtoull(arg, NULL, 0)));
}

static void do_name(const char *arg)
{
	char buf[16];

	puts(fmt_name(buf, sizeof(buf), arg));
}

/* The bucket of a value, its smallest value and its width. */
static void do_bucket(const char *arg)
{
	unsigned int bucket = hist_bucket(strtoull(arg, NULL, 0));

	printf("%u %llu %llu\n", bucket, hist_lower(bucket),
	       hist_width(bucket));
}

/* Total, p50, p99 and upper end of comma-separated values. */
static void do_percentiles(const char *arg)
{
	static __u32 hist[HIST_BUCKETS];
	__u64 value, max = 0;
	char *at;

	memset(hist, 0, sizeof(hist));
	for (; *arg; arg = *at ? at + 1 : at) {
		value = strtoull(arg, &at, 0);
		hist[hist_bucket(value)]++;
		max = value > max ? value : max;
	}
	printf("%llu %llu %llu %llu\n", hist_total(hist),
	       hist_percentile(hist, 50, max), hist_percentile(hist, 99, max),
	       hist_upper(hist));
}

/* ROOT:CAPABILITIES, the capabilities in hexadecimal. */
static void do_env(const char *arg)
{
	char root[4096];
	unsigned long long caps;

	if (sscanf(arg, "%4095[^:]:%llx", root, &caps) == 2)
		puts(env_problem_text(env_check(root, caps)));
}

/* The same for what lists need. */
static void do_lists(const char *arg)
{
	char root[4096];
	unsigned long long caps;

	if (sscanf(arg, "%4095[^:]:%llx", root, &caps) != 2)
		return;
	puts(env_problem_text(env_check_lists(root, caps)));
	puts(env_problem_text(env_check_type1(root, caps)));
}

static void do_stock(const char *root)
{
	puts(env_problem_text(env_check_stock(root)));
}

/* Arguments of a process, with | in place of zeros. */
static void do_vm_arguments(const char *arg)
{
	char vm[IDENTITY_VM_LEN], *arguments = strdup(arg);
	size_t size = strlen(arg);

	for (size_t i = 0; i < size; i++)
		if (arguments[i] == '|')
			arguments[i] = '\0';
	identity_vm_of_arguments(vm, arguments, size);
	puts(vm);
	free(arguments);
}

static void do_vm_cgroup(const char *arg)
{
	char vm[IDENTITY_VM_LEN];

	identity_vm_of_cgroup(vm, arg);
	puts(vm);
}

/* ROOT:PID */
static void do_vm(const char *arg)
{
	char vm[IDENTITY_VM_LEN], root[4096];
	unsigned int pid;

	if (sscanf(arg, "%4095[^:]:%u", root, &pid) == 2)
		printf("%d %s\n", identity_vm(vm, root, pid), vm);
}

/* ROOT+ADDRESS */
static void do_device(const char *arg)
{
	struct identity_device device;
	const char *address = strchr(arg, '+');
	bool is_pci;
	char *root;

	if (!address)
		return;
	root = strndup(arg, address - arg);
	is_pci = identity_device(&device, root, address + 1);
	printf("%d %s %s %s %d %d\n", is_pci, device.id, device.class,
	       device.driver, device.numa_node, device.group);
	free(root);
}

/* The slot of a value, its smallest and its largest value. */
static void do_slot(const char *arg)
{
	unsigned int slot = slot_of(strtoull(arg, NULL, 0));

	printf("%u %llu %llu\n", slot, slots_first(slot), slots_last(slot));
}

/* Total, mean and maximum of comma-separated values, added in two halves. */
static void do_slots(const char *arg)
{
	struct slots cpus[2] = {}, sum = {};
	char *at;

	for (int i = 0; *arg; arg = *at ? at + 1 : at, i++)
		slots_add(&cpus[i % 2], strtoull(arg, &at, 0));
	slots_merge(&sum, &cpus[0]);
	slots_merge(&sum, &cpus[1]);
	printf("%llu %llu %llu\n", slots_total(&sum), slots_mean(&sum),
	       sum.max);
}

static void do_interval(const char *arg)
{
	double interval;

	if (loop_parse_interval(arg, &interval))
		printf("%g\n", interval);
	else
		puts("no");
}

/* MIN:NUMBER */
static void do_number(const char *arg)
{
	unsigned long min = strtoul(arg, NULL, 10), number;

	if (loop_parse_number(strchr(arg, ':') + 1, min, &number))
		printf("%lu\n", number);
	else
		puts("no");
}

/* Each argument is a line of the kernel's log. */
static void do_dma_fault(const char *arg)
{
	static struct dma_fault_log log;
	struct dma_fault fault;

	if (dma_fault_read(&log, arg, &fault))
		printf("%s %s access %d pasid %x iova %llx cause %d: %s\n",
		       fault.iommu, fault.device, fault.access, fault.pasid,
		       fault.iova, fault.cause, fault.reason);
	else
		puts("-");
}

/* START+LENGTH:FLAGS */
static void read_area(struct list_area *area, const char *text)
{
	*area = (struct list_area){ .flags = LIST_NOT_KNOWN };
	sscanf(text, "%llx+%llx:%x", &area->iova, &area->length, &area->flags);
}

/* START+LENGTH/UNMAPPED@TIME */
static void read_unmap(struct history_unmap *unmap, const char *text)
{
	*unmap = (struct history_unmap){ .comm = "unmapper", .tid = 12 };
	sscanf(text, "%llx+%llx/%llx@%llu", &unmap->iova, &unmap->length,
	       &unmap->unmapped, &unmap->time_ns);
}

/* NAME or NAME=VALUE */
static void read_fact(struct dma_explanation *why, struct dma_fault *fault,
		      const char *word)
{
	const char *value = strchr(word, '=');
	size_t length = value ? (size_t)(value++ - word) : strlen(word);
	unsigned int number = value ? strtoul(value, NULL, 10) : 0;

#define IS(name) (length == strlen(name) && !strncmp(word, name, length))
	if (IS("access"))
		fault->access = number;
	else if (IS("cause"))
		fault->cause = number;
	else if (IS("ctx"))
		why->ctx = number;
	else if (IS("ioas"))
		why->ioas = number;
	else if (IS("hwpt"))
		why->hwpt = number;
	else if (IS("detached"))
		why->is_detached = true;
	else if (IS("guest"))
		why->is_guest = true;
	else if (IS("second"))
		fault->is_second = true;
	else if (IS("unlisted"))
		why->has_areas = false;
	else if (IS("at"))
		read_area(&why->near.at, value);
	else if (IS("below"))
		read_area(&why->near.below, value);
	else if (IS("above"))
		read_area(&why->near.above, value);
	else if (IS("other"))
		read_area(&why->other, value);
	else if (IS("other_ctx"))
		why->other_ctx = number;
	else if (IS("other_ioas"))
		why->other_ioas = number;
	else if (IS("history"))
		why->history_ns = strtoull(value, NULL, 10);
	else if (IS("reserved"))
		dma_explain_reserved(why, value);
	else if (IS("unmap"))
		read_unmap(&why->unmap, value);
	else if (IS("detach"))
		why->detach.time_ns = strtoull(value, NULL, 10);
	why->has_unmap |= IS("unmap");
	why->has_detach |= IS("detach");
#undef IS
}

/* Facts about the address 0x5000, at ten minutes: the finding, and its words. */
static void do_dma_explain(const char *arg)
{
	struct dma_explanation why = {
		.iova = 0x5000,
		.now_ns = 600000000000,
		.ctx = 1,
		.ioas = 2,
		.has_areas = true,
		.detach = { .comm = "detacher", .tid = 13 },
	};
	struct dma_fault fault = { .iova = why.iova };
	char *facts = strdup(arg), *rest = facts, *word;
	char text[EXPLAIN_TEXT_LEN];

	while ((word = strsep(&rest, " ")))
		read_fact(&why, &fault, word);
	dma_explain(&why, &fault);
	printf("%s", dma_finding_name(why.finding));
	for (unsigned int i = 0; dma_explain_text(text, &why, i); i++)
		printf(" | %s", text);
	puts("");
	free(facts);
}

struct element {
	struct hash_link link;
	__u32 key;
	unsigned int uses;
};

/*
 * Adds comma-separated keys, and removes those with a minus. Prints the keys in
 * the table, and how often each was added.
 */
static void do_hash(const char *arg)
{
	static struct hash hash;
	struct element *element = NULL;
	char *at;

	hash_init(&hash, sizeof(element->key), sizeof(*element));
	for (; *arg; arg = *at ? at + 1 : at) {
		__s64 number = strtoll(arg, &at, 0);
		__u32 key = llabs(number);

		if (number >= 0) {
			element = hash_get(&hash, &key);
			element->uses++;
			continue;
		}
		element = hash_find(&hash, &key);
		if (element)
			hash_remove(&hash, element);
		free(element);
	}
	element = NULL;
	while ((element = hash_next(&hash, element)))
		printf("%u:%u ", element->key, element->uses);
	puts("");
	hash_clear(&hash);
}

static const struct {
	const char *name;
	void (*run)(const char *arg);
} commands[] = {
	{ "bytes", do_bytes },
	{ "count", do_count },
	{ "short", do_short },
	{ "rate", do_rate },
	{ "ns", do_ns },
	{ "name", do_name },
	{ "bucket", do_bucket },
	{ "percentiles", do_percentiles },
	{ "env", do_env },
	{ "interval", do_interval },
	{ "number", do_number },
	{ "slot", do_slot },
	{ "slots", do_slots },
	{ "stock", do_stock },
	{ "hash", do_hash },
	{ "vm-arguments", do_vm_arguments },
	{ "vm", do_vm },
	{ "vm-cgroup", do_vm_cgroup },
	{ "device", do_device },
	{ "lists", do_lists },
	{ "dma-fault", do_dma_fault },
	{ "dma-explain", do_dma_explain },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (argc < 2 || strcmp(argv[1], commands[i].name))
			continue;
		for (int arg = 2; arg < argc; arg++)
			commands[i].run(argv[arg]);
		return 0;
	}
	return 2;
}
