// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Process 1 of the guest: mounts the host's root, runs one command, copies its
 * streams to and from scripts/vm and powers off. It is linked statically:
 * before the host's root is mounted, there is no other file.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

static void power_off(void)
{
	/*
	 * Kill all other processes first, so that the console still shows
	 * problems during the teardown of their resources.
	 */
	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

void die(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "init: %s\n", text);
	if (ctl_fd >= 0)
		channel_send_last(MSG_FAIL, text, strlen(text));
	power_off();
	abort();
}

int main(void)
{
	struct start start;
	struct child child;
	uint32_t type, len, status;
	char *data;

	signal(SIGPIPE, SIG_IGN);
	load_modules();
	mount_root();
	start_cpus();
	channel_open();
	channel_send(MSG_HELLO, NULL, 0);
	data = channel_receive(&type, &len);
	if (type != MSG_START)
		die("unexpected message %u", type);
	parse_start(data, len, &start);
	if (run_setup(&start))
		die("the setup of the guest failed, see the console");
	spawn(&start, &child);
	channel_send(MSG_RUNNING, NULL, 0);
	status = pump(&child);
	channel_send_last(MSG_EXIT, &status, sizeof(status));
	power_off();
}
