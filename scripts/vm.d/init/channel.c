// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

#define PORTS "/sys/class/virtio-ports"

int ctl_fd = -1, stdin_fd = -1;

static int try_open(const char *want)
{
	char path[512], name[64];
	struct dirent *entry;
	DIR *dir = opendir(PORTS);
	FILE *file;
	int fd = -1;

	while (dir && fd < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), PORTS "/%s/name", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file)) {
			name[strcspn(name, "\n")] = '\0';
			if (!strcmp(name, want)) {
				snprintf(path, sizeof(path), "/dev/%s",
					 entry->d_name);
				fd = open(path,
					  O_RDWR | O_NONBLOCK | O_CLOEXEC);
			}
		}
		fclose(file);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int open_port(const char *name)
{
	int fd, tries;

	/*
	 * The driver adds its ports in the background: they may not be there
	 * yet.
	 */
	for (tries = 0; tries < 3000; tries++) {
		fd = try_open(name);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	die("no virtio port %s", name);
}

void channel_open(void)
{
	ctl_fd = open_port("vm.ctl");
	stdin_fd = open_port("vm.stdin");
}

int wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, -1);
}

static void send_all(const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(ctl_fd, data, len);
		if (n < 0) {
			if (errno == EAGAIN || errno == EINTR) {
				wait_writable(ctl_fd);
				continue;
			}
			return; /* The host is gone: end the guest. */
		}
		data += n;
		len -= n;
	}
}

void channel_send(uint32_t type, const void *data, uint32_t len)
{
	static char buffer[sizeof(struct vm_msg) + VM_MAX_DATA];
	struct vm_msg msg = { type, len };

	/* One write only: each write costs one turn of the host's emulator. */
	memcpy(buffer, &msg, sizeof(msg));
	if (len)
		memcpy(buffer + sizeof(msg), data, len);
	send_all(buffer, sizeof(msg) + len);
}

/* False if the host is gone. */
static int try_receive(char *data, size_t len)
{
	struct pollfd p = { .fd = ctl_fd, .events = POLLIN };
	ssize_t n;

	while (len) {
		n = read(ctl_fd, data, len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			poll(&p, 1, -1);
			continue;
		}
		if (n <= 0)
			return 0;
		data += n;
		len -= n;
	}
	return 1;
}

void channel_send_last(uint32_t type, const void *data, uint32_t len)
{
	static char dropped[VM_MAX_DATA];
	struct vm_msg msg;

	channel_send(type, data, len);
	do {
		if (!try_receive((char *)&msg, sizeof(msg)) ||
		    msg.len > sizeof(dropped) || !try_receive(dropped, msg.len))
			return;
	} while (msg.type != MSG_BYE);
}

static void receive_all(char *data, size_t len)
{
	if (!try_receive(data, len))
		die("the host went away");
}

char *channel_receive(uint32_t *type, uint32_t *len)
{
	struct vm_msg msg;
	char *data;

	receive_all((char *)&msg, sizeof(msg));
	data = malloc(msg.len + 1);
	if (!data)
		die("out of memory");
	receive_all(data, msg.len);
	data[msg.len] = '\0';
	*type = msg.type;
	*len = msg.len;
	return data;
}
