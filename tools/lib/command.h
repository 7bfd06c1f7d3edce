/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A command that a tool runs and watches. */
#ifndef __LIB_COMMAND_H
#define __LIB_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Redirects standard output of the tool to the file @path, unless that is NULL.
 * *@output is the original one, for the command. Returns false after reporting
 * an error.
 */
bool command_output(const char *path, int *output);

/*
 * Starts @command, a NULL-terminated array of arguments, with default signal
 * handling and @output as its standard output. Returns 0, or the exit status
 * for the tool after reporting the error.
 */
int command_start(char **command, int output, pid_t *pid);

/*
 * Takes a signal from the file descriptor @signals. Ctrl-C at the terminal also
 * reaches the command, but a signal that was sent only to the tool is meant for
 * the command and passed on.
 */
void command_pass_on(pid_t pid, int signals);

/*
 * The exit status as a shell reports it: 128 + N if signal N killed the
 * command.
 */
int command_status(int status);

#endif
