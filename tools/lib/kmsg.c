// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "err.h"
#include "kmsg.h"

/* The kernel's own limit is below this; a read with less room fails. */
#define RECORD 16384

int kmsg_try_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC), err;

	if (fd >= 0 && lseek(fd, 0, SEEK_END) >= 0)
		return fd;
	err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int kmsg_open(void)
{
	int fd = kmsg_try_open();

	if (fd >= 0)
		return fd;
	err_say("the kernel's log, /dev/kmsg: %s", strerror(-fd));
	if (fd == -EPERM || fd == -EACCES)
		err_advise("Run this as root, or with CAP_SYSLOG.");
	return -1;
}

bool kmsg_read(int fd, char *text, size_t size, __u64 *lost)
{
	static char record[RECORD];
	const char *begin;
	ssize_t length;

	do {
		length = read(fd, record, sizeof(record) - 1);
		if (length < 0 && errno == EPIPE)
			++*lost;
	} while (length < 0 && (errno == EPIPE || errno == EINTR));
	if (length <= 0)
		return false;
	record[length] = '\0';
	/* LEVEL,NUMBER,TIME,FLAGS;TEXT, then lines of a dictionary. */
	begin = strchr(record, ';');
	begin = begin ? begin + 1 : record;
	snprintf(text, size, "%.*s", (int)strcspn(begin, "\n"), begin);
	return true;
}
