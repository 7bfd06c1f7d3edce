/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of iommufd_faults.bpf.c, for iommufd-faults. */
#ifndef __IOMMUFD_FAULTS_H
#define __IOMMUFD_FAULTS_H

#include <linux/types.h>

#define FAULTS_COMM_LEN 16
#define FAULTS_NAME_LEN 32

enum faults_kind {
	FAULTS_CTX_OPEN,
	FAULTS_CTX_CLOSE,
	FAULTS_REPORT,
	FAULTS_READ,
	FAULTS_RESPOND,
	FAULTS_ABORT,
	FAULTS_VEVENT,
	FAULTS_BIND,
	FAULTS_UNBIND,
};

/**
 * struct faults_record - an event
 * @time_ns: time of the event, ktime
 * @kind: enum faults_kind
 * @queue: id of the queue of faults or vIOMMU events
 * @cookie: cookie of the fault group; sequence number of the vIOMMU event
 * @device: the device; the vIOMMU
 * @addr: address of the first fault
 * @wait_ns: time since the report
 * @lost: vIOMMU events lost by the queue
 * @name: of a device that is bound
 * The other members are those of the event.
 */
struct faults_record {
	__u64 time_ns;
	__u32 kind;
	__u32 ctx;
	__u32 queue;
	__u32 cookie;
	__u32 device;
	__u32 pasid;
	__u32 faults;
	__u32 perm;
	__u32 code;
	__s32 ret;
	__u64 addr;
	__u64 wait_ns;
	__u64 lost;
	__u32 type;
	__u32 length;
	__u32 tgid;
	char comm[FAULTS_COMM_LEN];
	char name[FAULTS_NAME_LEN];
};

#endif
