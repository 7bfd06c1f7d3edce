/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds what processes have open, with an iterator over the files of all
 * processes (iter/task_file), and sends it as records of iommufd_list.h.
 */
#ifndef __IOMMUFD_OPEN_FILES_H
#define __IOMMUFD_OPEN_FILES_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "iommufd_list.h"
#include "task.h"

/* More than that are lost. */
#define MAX_OPEN_FILES 65536

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct kobject {
	const char *name;
};

struct device {
	struct kobject kobj;
};

struct iommu_group {
	int id;
};

struct inode {
	__u32 i_rdev;
	unsigned short i_mode;
};

struct cred___file {
	struct {
		__u32 val;
	} uid;
};

struct file {
	struct inode *f_inode;
	void *private_data;
	struct cred___file *f_cred;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u64 fd;
	struct file *file;
};

#pragma clang attribute pop

/* Contexts get the numbers first_number, first_number + number_step, ... */
const volatile __u32 first_number = 1;
const volatile __u32 number_step = 1;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} list SEC(".maps");

/* The number of a context, and the last reading that saw it. */
struct known {
	__u32 number;
	__u32 epoch;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_OPEN_FILES);
	__type(key, __u64);
	__type(value, struct known);
} contexts SEC(".maps");

/* The reading; user space counts it up. */
__u32 epoch;
/* Contexts so far. */
__u32 numbers;
/* Entries that did not fit. */
__u64 lost;
/* Trees that changed while they were walked. */
__u64 torn;
/* Facts that this kernel's structures don't have, one bit each. */
__u64 missing;

static void send(void *record, __u64 size)
{
	if (bpf_ringbuf_output(&list, record, size, 0))
		lost++;
}

#define S_IFMT	0170000
#define S_IFCHR 0020000

static bool is_device(struct file *file, __u32 number)
{
	return number && BPF_CORE_READ(file, f_inode, i_rdev) == number &&
	       (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFCHR;
}

/* Returns the number of a context, 0 if this reading has seen it. */
static __u32 number_of(void *context)
{
	struct known *known, next = { .epoch = epoch };
	__u64 key = (__u64)context;

	known = bpf_map_lookup_elem(&contexts, &key);
	if (known && known->epoch == epoch)
		return 0;
	next.number = known && known->epoch + 1 == epoch ?
			      known->number :
			      first_number + number_step * numbers++;
	if (!bpf_map_update_elem(&contexts, &key, &next, BPF_ANY))
		return next.number;
	lost++;
	return 0;
}

static void read_name(char *name, struct device *device)
{
	bpf_probe_read_kernel_str(name, LIST_NAME_LEN,
				  BPF_CORE_READ(device, kobj.name));
}

/* The process that has a file open, and the user who opened it. */
static void read_owner(struct list_ctx *ctx, struct task_struct *task,
		       struct file *file)
{
	ctx->kind = LIST_CTX;
	ctx->tgid = BPF_CORE_READ(task, tgid);
	ctx->uid = BPF_CORE_READ(file, f_cred, uid.val);
	ctx->pinned = 0;
	bpf_probe_read_kernel_str(ctx->comm, sizeof(ctx->comm),
				  BPF_CORE_READ(task, group_leader, comm));
}

static void begin_object(struct list_object *object, __u32 ctx, __u32 id,
			 __u32 type)
{
	object->kind = LIST_OBJECT;
	object->ctx = ctx;
	object->id = id;
	object->type = type;
	object->users = 0;
	object->parent = 0;
	object->flags = 0;
	object->mapped = 0;
	object->areas = 0;
	object->pinned = 0;
	object->maps = LIST_UNKNOWN;
	object->unmaps = LIST_UNKNOWN;
	object->invalidations = LIST_UNKNOWN;
	object->faults = LIST_UNKNOWN;
	object->hwpt = LIST_NOT_KNOWN;
	object->group = LIST_NOT_KNOWN;
	object->room = LIST_UNKNOWN;
	object->table_pages = LIST_UNKNOWN;
	object->name[0] = '\0';
}

#endif
