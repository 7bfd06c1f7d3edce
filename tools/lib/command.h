/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A command that a tool runs and watches. */
#ifndef __LIB_COMMAND_H
#define __LIB_COMMAND_H

#include <sys/types.h>

/*
 * Starts @command, NULL behind its last argument, with signals as they come
 * and @output as its standard output. 0, or what the exit status of the tool is
 * to be; why was said.
 */
int command_start(char **command, int output, pid_t *pid);

/* What a shell would say: the exit status, or 128 + the number of a signal. */
int command_status(int status);

#endif
