// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The functions of the library as commands, each with one result per line. The
 * expected values are in tests/test_tools_lib.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../env.h"
#include "../fmt.h"
#include "../hash.h"
#include "../hist.h"
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

static void do_stock(const char *root)
{
	puts(env_problem_text(env_check_stock(root)));
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
	{ "bytes", do_bytes },	 { "count", do_count },
	{ "short", do_short },	 { "rate", do_rate },
	{ "ns", do_ns },	 { "name", do_name },
	{ "bucket", do_bucket }, { "percentiles", do_percentiles },
	{ "env", do_env },	 { "interval", do_interval },
	{ "number", do_number }, { "slot", do_slot },
	{ "slots", do_slots },	 { "stock", do_stock },
	{ "hash", do_hash },
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
