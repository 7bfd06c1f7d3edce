/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of processes and devices that people know: the virtual machine behind a
 * process, and what sysfs says about a PCI device. @root is prepended to every
 * path: "" except in tests.
 */
#ifndef __LIB_IDENTITY_H
#define __LIB_IDENTITY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define IDENTITY_VM_LEN 64

/*
 * The name of a VM from the arguments of a process, which are separated by
 * zeros: the value of QEMU's -name. Returns false without that option.
 */
bool identity_vm_of_arguments(char vm[IDENTITY_VM_LEN], const char *arguments,
			      size_t size);

/*
 * The same from the contents of /proc/PID/cgroup: the name of a libvirt or
 * systemd machine, or the id of a Kubernetes pod as "pod ID".
 */
bool identity_vm_of_cgroup(char vm[IDENTITY_VM_LEN], const char *cgroup);

/* The same for a process; @vm is "" if it is no VM or its name is not known. */
bool identity_vm(char vm[IDENTITY_VM_LEN], const char *root, __u32 pid);

/*
 * The same from a cache, which still has the name after the process has ended.
 * The string stays valid; it is "" if the process is no VM.
 */
const char *identity_vm_name(__u32 pid);

/**
 * struct identity_device - a PCI device
 * @id: vendor and device, as lspci -n prints them; "" if not known, and so on
 * @class: class and subclass, as four hexadecimal digits
 * @driver: its driver, such as vfio-pci
 * @numa_node: -1 if it has none or that is not known
 * @group: its IOMMU group, or -1
 */
struct identity_device {
	char id[10];
	char class[5];
	char driver[32];
	int numa_node;
	int group;
};

/* Returns false if @address is not that of a PCI device. */
bool identity_device(struct identity_device *device, const char *root,
		     const char *address);

struct json_object;

/* Adds the key vm, null if the process is no VM. */
void identity_add_vm(struct json_object *to, __u32 pid);

/*
 * Adds the keys driver, numa_node, pci_id and pci_class, each of which is
 * null if not known. @address may be the name of a device that is not PCI.
 */
void identity_add_device(struct json_object *to, const char *address);

#endif
