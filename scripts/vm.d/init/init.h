/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VM_INIT_H
#define VM_INIT_H

#include <stdint.h>
#include <sys/types.h>

#include "proto.h"

/* A parsed MSG_START. */
struct start {
	uint32_t flags;
	struct vm_winsize size;
	char *dir;
	char **setup;
	char **argv;
	char **env;
};

/* The command, and init's ends of its streams, or -1. */
struct child {
	pid_t pid;
	int in;
	int out;
	int err;
};

/* main.c */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);

/* modules.c: loads the modules that the kernel needs to mount the root. */
void load_modules(void);

/* mounts.c: changes the root to the host's root with a temporary layer. */
void mount_root(void);

/* cpus.c: starts the CPUs that maxcpus= held back. */
void start_cpus(void);

/* channel.c */
extern int ctl_fd, stdin_fd;
void channel_open(void);
void channel_send(uint32_t type, const void *data, uint32_t len);
/* Also waits until the host has it: QEMU drops what it has not sent. */
void channel_send_last(uint32_t type, const void *data, uint32_t len);
char *channel_receive(uint32_t *type, uint32_t *len);
int wait_writable(int fd);

/* child.c */
void parse_start(char *data, uint32_t len, struct start *start);
int run_setup(const struct start *start);
void spawn(const struct start *start, struct child *child);

/*
 * pump.c: copies the streams until the command ends; returns its wait status.
 */
int pump(struct child *child);

#endif
