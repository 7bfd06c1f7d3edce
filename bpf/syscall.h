/* SPDX-License-Identifier: GPL-2.0-only */
/* The system call ioctl(), for programs at its tracepoints. */
#ifndef __IOMMUFD_SYSCALL_H
#define __IOMMUFD_SYSCALL_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* As in the format files of the events in tracefs. */
struct sys_enter_ioctl {
	__u64 common;
	__u64 number;
	__u64 fd;
	__u64 command;
	__u64 argument;
};

struct sys_exit_ioctl {
	__u64 common;
	__u64 number;
	__s64 ret;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct file;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct inode___syscall {
	__u32 i_rdev;
};

struct file___syscall {
	struct inode___syscall *f_inode;
};

struct task_struct___files {
	struct files_struct *files;
};

struct pt_regs___x86 {
	unsigned long dx;
	unsigned long si;
	unsigned long di;
};

struct pt_regs___arm64 {
	__u64 regs[31];
	__u64 orig_x0;
};

#pragma clang attribute pop

/* The second argument of the system call that ends, or 0. */
static inline __u64 syscall_second(void)
{
	void *task = bpf_get_current_task_btf();
	const void *regs = (const void *)bpf_task_pt_regs(task);
	const struct pt_regs___x86 *x86 = regs;
	const struct pt_regs___arm64 *arm64 = regs;

	if (bpf_core_field_exists(x86->si))
		return BPF_CORE_READ(x86, si);
	if (bpf_core_field_exists(arm64->regs))
		return BPF_CORE_READ(arm64, regs[1]);
	return 0;
}

/* The command of the ioctl that ends, which that event does not have; or 0. */
static inline __u32 syscall_command(void)
{
	return syscall_second();
}

/* The file descriptor of the ioctl that ends. */
static inline __u64 syscall_fd(void)
{
	void *task = bpf_get_current_task_btf();
	const void *regs = (const void *)bpf_task_pt_regs(task);
	const struct pt_regs___x86 *x86 = regs;
	const struct pt_regs___arm64 *arm64 = regs;

	if (bpf_core_field_exists(x86->di))
		return BPF_CORE_READ(x86, di);
	if (bpf_core_field_exists(arm64->orig_x0))
		return BPF_CORE_READ(arm64, orig_x0);
	return ~0ULL;
}

/* The address of the argument of the ioctl that ends, or 0. */
static inline __u64 syscall_argument(void)
{
	void *task = bpf_get_current_task_btf();
	const void *regs = (const void *)bpf_task_pt_regs(task);
	const struct pt_regs___x86 *x86 = regs;
	const struct pt_regs___arm64 *arm64 = regs;

	if (bpf_core_field_exists(x86->dx))
		return BPF_CORE_READ(x86, dx);
	if (bpf_core_field_exists(arm64->regs))
		return BPF_CORE_READ(arm64, regs[2]);
	return 0;
}

/* The file of a descriptor of the current task, which may close it any time. */
static inline struct file *syscall_file(__u64 fd)
{
	struct task_struct___files *task = (void *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd), *file = NULL;

	if (fd < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), &files[fd]);
	return file;
}

/* The device number of the file of a descriptor, 0 if it is no device. */
static inline __u32 syscall_device(__u64 fd)
{
	struct file___syscall *file = (void *)syscall_file(fd);

	return file ? BPF_CORE_READ(file, f_inode, i_rdev) : 0;
}

#endif
