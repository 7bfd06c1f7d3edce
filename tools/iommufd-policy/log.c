// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints the log of a policy, from its ring buffer "records". */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../../bpf/policy_audit.h"
#include "../lib/err.h"
#include "../lib/fmt.h"
#include "../lib/json.h"
#include "../lib/loop.h"
#include "../lib/maps.h"
#include "../lib/names.h"
#include "../lib/tool.h"
#include "../lib/value.h"
#include "log.h"

/**
 * struct log - a log that is read
 * @policy: its policy
 * @json: print JSON lines instead of text
 * @begun: newer records are left for the next time
 * @unknown: there were records in an unknown format
 * @lost: records that did not fit and have been reported
 */
struct log {
	const struct attached *policy;
	bool json;
	__u64 begun;
	bool unknown;
	__u64 lost;
};

static const char *const kinds[] = {
	[AUDIT_HWPT_ALLOC] = "make",
	[AUDIT_HWPT_FREE] = "free",
	[AUDIT_INVALIDATE] = "invalidate",
};

static void print_json(const struct audit_record *record)
{
	struct json_object *line = json_object_new_object();

	json_add_u64(line, "time_ns", loop_since_1970(record->time_ns));
	json_add_text(line, "what", kinds[record->kind]);
	json_add_u64(line, "pid", record->tgid);
	json_add_text(line, "command", record->comm);
	json_add_u64(line, "uid", record->uid);
	json_add_u64(line, "cgroup_id", record->cgroup_id);
	json_add_u64(line, "ctx", record->ctx);
	json_add_u64(line, "object", record->object);
	if (record->kind == AUDIT_HWPT_ALLOC) {
		json_add_u64(line, "device_id", record->device);
		json_add_u64(line, "flags", record->flags);
	} else if (record->kind == AUDIT_INVALIDATE) {
		json_add_u64(line, "asked", record->asked);
		json_add_u64(line, "handled", record->handled);
	}
	if (record->kind != AUDIT_HWPT_FREE) {
		json_add_u64(line, "errno", -record->ret);
		json_add_u64(line, "duration_ns", record->ns);
	}
	json_print(line);
}

static void print_titles(void)
{
	printf("%-8s %7s %-16s %5s %5s %-10s %5s %6s %6s %9s %9s %s\n", "TIME",
	       "PID", "COMMAND", "UID", "CTX", "WHAT", "ID", "DEVICE", "FLAGS",
	       "ENTRIES", "TIME(us)", "RET");
}

static void print_text(const struct audit_record *record)
{
	char when[16], name[sizeof(record->comm)], id[16], device[16] = "-";
	char flags[16] = "-", entries[32] = "-", took[32] = "-";
	const char *ret = "-";

	snprintf(id, sizeof(id), "%u", record->object);
	if (record->kind == AUDIT_HWPT_ALLOC) {
		snprintf(device, sizeof(device), "%u", record->device);
		snprintf(flags, sizeof(flags), "0x%x", record->flags);
	} else if (record->kind == AUDIT_INVALIDATE) {
		snprintf(entries, sizeof(entries), "%u/%u", record->handled,
			 record->asked);
	}
	if (record->kind != AUDIT_HWPT_FREE) {
		snprintf(took, sizeof(took), "%.1f", record->ns / 1e3);
		ret = record->ret ? names_errno(-record->ret) : "0";
	}
	printf("%-8s %7u %-16s %5u %5u %-10s %5s %6s %6s %9s %9s %s\n",
	       loop_time_at(when, loop_since_1970(record->time_ns)),
	       record->tgid, fmt_name(name, sizeof(name), record->comm),
	       record->uid, record->ctx, kinds[record->kind],
	       record->object ? id : "-", device, flags, entries, took, ret);
}

static int take(void *data, void *bytes, size_t size)
{
	const struct audit_record *record = bytes;
	struct log *log = data;

	if (size != sizeof(*record) || record->kind < AUDIT_HWPT_ALLOC ||
	    record->kind > AUDIT_INVALIDATE) {
		log->unknown = true;
		return -EINVAL;
	}
	if (log->json)
		print_json(record);
	else
		print_text(record);
	/* A policy that writes all the time must not keep the loop busy. */
	return record->time_ns > log->begun ? -EAGAIN : 0;
}

/* Records that did not fit: a variable of the policy, if it has one. */
static __u64 read_lost(const struct maps *maps)
{
	__u64 lost = 0;

	for (size_t i = 0; i < maps->nr; i++) {
		const struct map *map = &maps->maps[i];
		__u32 type, offset, zero = 0;
		char *value;

		if (!map->section || map->settings || !map_is_readable(map) ||
		    !value_member(map->btf, map->info.btf_value_type_id, "lost",
				  &type, &offset) ||
		    btf__resolve_size(map->btf, type) != sizeof(lost))
			continue;
		value = tool_memory(calloc(1, map->info.value_size));
		if (!bpf_map_lookup_elem(map->fd, &zero, value))
			memcpy(&lost, value + offset, sizeof(lost));
		free(value);
	}
	return lost;
}

static void tell_lost(struct log *log, const struct maps *maps)
{
	__u64 lost = read_lost(maps);
	struct json_object *line;

	if (lost == log->lost)
		return;
	log->lost = lost;
	if (log->json) {
		line = json_object_new_object();
		json_add_u64(line, "lost_events", lost);
		json_print(line);
	} else {
		printf("LOST: %llu records in total did not fit the buffer\n",
		       lost);
	}
}

/* Returns false when there is nothing more to read. */
static bool take_all(struct log *log, struct ring_buffer *ring,
		     const struct maps *maps)
{
	log->begun = loop_clock(CLOCK_MONOTONIC);
	ring_buffer__consume(ring);
	tell_lost(log, maps);
	if (log->unknown)
		err_say("the records of policy '%s' do not have the format of those of audit",
			log->policy->name);
	return !log->unknown && !fflush(stdout) && !ferror(stdout);
}

static struct ring_buffer *open_ring(struct log *log, const struct maps *maps)
{
	struct ring_buffer *ring;

	for (size_t i = 0; i < maps->nr; i++) {
		const struct map *map = &maps->maps[i];

		if (map->info.type != BPF_MAP_TYPE_RINGBUF ||
		    strcmp(map->info.name, "records"))
			continue;
		ring = ring_buffer__new(map->fd, take, log, NULL);
		if (!ring)
			err_say("can't read the log of policy '%s': %s",
				log->policy->name, strerror(errno));
		return ring;
	}
	err_say("policy '%s' keeps no log (no ring buffer 'records')",
		log->policy->name);
	return NULL;
}

bool log_show(const struct attached *policy, bool follow, bool json)
{
	struct log log = { .policy = policy, .json = json };
	struct loop loop = {};
	struct ring_buffer *ring;
	struct maps maps;
	bool good = false;

	maps_of(&maps, policy);
	ring = open_ring(&log, &maps);
	if (ring) {
		if (!json)
			print_titles();
		if (follow) {
			loop_begin(&loop);
			tool_ready("the log");
		}
		while (take_all(&log, ring, &maps) && follow)
			follow =
				loop_wait(&loop, ring_buffer__epoll_fd(ring)) !=
				LOOP_END;
		good = !log.unknown;
	}
	ring_buffer__free(ring);
	maps_free(&maps);
	return good;
}
