// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "file.h"
#include "fmt.h"
#include "hash.h"
#include "identity.h"
#include "json.h"
#include "loop.h"

/* Long enough for -name, which comes early. */
#define MAX_FILE 16384

static bool is_qemu(const char *program)
{
	const char *name = strrchr(program, '/');

	name = name ? name + 1 : program;
	return !strncmp(name, "qemu", 4) || !strcmp(name, "kvm");
}

/* The value of -name: [guest=]NAME[,OPTION=...], where ,, is a comma. */
static bool parse_name(char *vm, const char *value)
{
	size_t length = 0;

	if (!strncmp(value, "guest=", 6)) {
		value += 6;
	} else {
		const char *guest = strstr(value, ",guest=");

		if (guest)
			value = guest + 7;
	}
	for (; *value && length + 1 < IDENTITY_VM_LEN; value++) {
		if (*value == ',' && *++value != ',')
			break;
		vm[length++] = *value;
	}
	vm[length] = '\0';
	return length;
}

bool identity_vm_of_arguments(char vm[IDENTITY_VM_LEN], const char *arguments,
			      size_t size)
{
	const char *end = arguments + size, *at;

	*vm = '\0';
	if (!size || end[-1] || !is_qemu(arguments))
		return false;
	for (at = arguments; at < end; at += strlen(at) + 1) {
		const char *value = at + strlen(at) + 1;

		if ((!strcmp(at, "-name") || !strcmp(at, "--name")) &&
		    value < end)
			return parse_name(vm, value);
	}
	return false;
}

static int hex(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Undoes the escapes \xNN of systemd in a name that ends at @end. */
static bool unescape(char *vm, const char *name, const char *end)
{
	size_t length = 0;

	while (name < end && length + 1 < IDENTITY_VM_LEN) {
		if (end - name >= 4 && name[0] == '\\' && name[1] == 'x' &&
		    hex(name[2]) >= 0 && hex(name[3]) >= 0) {
			vm[length++] = hex(name[2]) << 4 | hex(name[3]);
			name += 4;
		} else {
			vm[length++] = *name++;
		}
	}
	vm[length] = '\0';
	return length;
}

/* machine-qemu\x2d3\x2dNAME.scope of libvirt, machine-NAME.scope of others. */
static bool parse_machine(char *vm, const char *cgroup)
{
	const char *scope = strstr(cgroup, "/machine-"), *end;
	char *digits;

	if (!scope)
		return false;
	scope += strlen("/machine-");
	end = strstr(scope, ".scope");
	if (!end || memchr(scope, '/', end - scope) ||
	    !unescape(vm, scope, end))
		return false;
	if (strncmp(vm, "qemu-", 5))
		return true;
	digits = vm + 5;
	while (*digits >= '0' && *digits <= '9')
		digits++;
	if (digits > vm + 5 && *digits == '-' && digits[1])
		memmove(vm, digits + 1, strlen(digits));
	return true;
}

/* The length of an id of a pod, or 0; systemd's scopes have _ in place of -. */
static size_t pod_length(const char *id)
{
	size_t length = 0;

	while (hex(id[length]) >= 0 || id[length] == '-' || id[length] == '_')
		length++;
	return length >= 32 && length <= 36 ? length : 0;
}

static bool parse_pod(char *vm, const char *cgroup)
{
	const char *pod = strstr(cgroup, "kubepods");
	size_t length = 0;

	while (pod && !length) {
		pod = strstr(pod, "pod");
		if (!pod)
			break;
		pod += strlen("pod");
		length = pod_length(pod);
	}
	if (!length)
		return false;
	snprintf(vm, IDENTITY_VM_LEN, "pod %.*s", (int)length, pod);
	for (; *vm; vm++)
		if (*vm == '_')
			*vm = '-';
	return true;
}

bool identity_vm_of_cgroup(char vm[IDENTITY_VM_LEN], const char *cgroup)
{
	*vm = '\0';
	return parse_machine(vm, cgroup) || parse_pod(vm, cgroup);
}

bool identity_vm(char vm[IDENTITY_VM_LEN], const char *root, __u32 pid)
{
	char path[PATH_MAX], text[MAX_FILE];
	size_t size;
	bool found;

	snprintf(path, sizeof(path), "%s/proc/%u/cmdline", root, pid);
	size = file_read(text, sizeof(text), path);
	/* Of a longer one, the last argument may be cut. */
	if (size == sizeof(text) - 1)
		size++;
	found = identity_vm_of_arguments(vm, text, size);
	if (!found) {
		snprintf(path, sizeof(path), "%s/proc/%u/cgroup", root, pid);
		file_read(text, sizeof(text), path);
		found = identity_vm_of_cgroup(vm, text);
	}
	fmt_name(vm, IDENTITY_VM_LEN, vm);
	return found;
}

/* A process whose VM is known, and when that was read. */
struct vm {
	struct hash_link link;
	__u32 pid;
	__u64 read_ns;
	char name[IDENTITY_VM_LEN];
};

/* Pids can be used again. */
#define KEEP_NS 2000000000ULL

const char *identity_vm_name(__u32 pid)
{
	__u64 now_ns = loop_clock(CLOCK_MONOTONIC);
	char name[IDENTITY_VM_LEN], path[64];
	static struct hash vms;
	struct vm *vm;

	if (!vms.size)
		hash_init(&vms, sizeof(pid), sizeof(*vm));
	vm = hash_get(&vms, &pid);
	if (vm->read_ns && now_ns - vm->read_ns < KEEP_NS)
		return vm->name;
	vm->read_ns = now_ns;
	snprintf(path, sizeof(path), "/proc/%u", pid);
	if (!access(path, F_OK)) {
		identity_vm(name, "", pid);
		memcpy(vm->name, name, sizeof(name));
	}
	return vm->name;
}

/* The first line of a file of a device, without 0x; "" without such a file. */
static void read_line(char *line, size_t room, const char *root,
		      const char *address, const char *name)
{
	char path[PATH_MAX], text[64];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/%s", root,
		 address, name);
	file_line(text, sizeof(text), path);
	fmt_name(line, room, text + (!strncmp(text, "0x", 2) ? 2 : 0));
}

/* The last component of a link of a device; "" without such a link. */
static void read_target(char *name, size_t room, const char *root,
			const char *address, const char *link)
{
	char path[PATH_MAX], target[64];

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/%s", root,
		 address, link);
	file_link_name(target, sizeof(target), path);
	fmt_name(name, room, target);
}

bool identity_device(struct identity_device *device, const char *root,
		     const char *address)
{
	char vendor[8], id[8], number[16];
	unsigned int part[4];
	int end = 0;

	*device = (struct identity_device){ .numa_node = -1, .group = -1 };
	sscanf(address, "%x:%x:%x.%x%n", &part[0], &part[1], &part[2], &part[3],
	       &end);
	if (!end || address[end])
		return false;
	read_line(vendor, 5, root, address, "vendor");
	read_line(id, 5, root, address, "device");
	if (*vendor && *id)
		snprintf(device->id, sizeof(device->id), "%.4s:%.4s", vendor,
			 id);
	read_line(device->class, sizeof(device->class), root, address, "class");
	read_target(device->driver, sizeof(device->driver), root, address,
		    "driver");
	read_line(number, sizeof(number), root, address, "numa_node");
	if (*number)
		device->numa_node = atoi(number);
	read_target(number, sizeof(number), root, address, "iommu_group");
	if (*number)
		device->group = atoi(number);
	return true;
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
	if (text && *text)
		json_add_text(to, name, text);
	else
		json_add(to, name, NULL);
}

void identity_add_vm(struct json_object *to, __u32 pid)
{
	add_text(to, "vm", identity_vm_name(pid));
}

void identity_add_device(struct json_object *to, const char *address)
{
	struct identity_device device;

	identity_device(&device, "", address);
	add_text(to, "driver", device.driver);
	if (device.numa_node >= 0)
		json_add_s64(to, "numa_node", device.numa_node);
	else
		json_add(to, "numa_node", NULL);
	add_text(to, "pci_id", device.id);
	add_text(to, "pci_class", device.class);
}
