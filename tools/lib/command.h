/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A command that a tool runs and watches. */
#ifndef __LIB_COMMAND_H
#define __LIB_COMMAND_H

#include <sys/types.h>

/*
 * Starts @command, a NULL-terminated array of arguments, with default signal
 * handling and @output as its standard output. Returns 0, or the exit status
 * for the tool after reporting the error.
 */
int command_start(char **command, int output, pid_t *pid);

/*
 * The exit status as a shell reports it: 128 + N if signal N killed the
 * command.
 */
int command_status(int status);

#endif
