// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../lib/command.h"
#include "../lib/loop.h"
#include "print.h"
#include "run.h"

/* Returns false if the program must end with *@status. */
static bool print(const struct source *source, const struct options *options,
		  int *status)
{
	const struct model *model = source->read();
	struct table rows = {};
	struct scope everything = {};

	*status = EXIT_FAILURE;
	if (!model)
		return false;
	filter_rows(&rows, model, options->view, &everything, options->filter,
		    &options->sort);
	if (options->common.json)
		print_json(stdout, model, options->view, &rows);
	else
		print_text(stdout, model, options->view, &rows,
			   options->command);
	table_free(&rows);
	*status = EXIT_SUCCESS;
	return loop_flush(status);
}

int run_batch(const struct source *source, const struct options *options)
{
	struct loop loop = {
		.interval = options->delay,
		.count = options->count,
	};
	int status = EXIT_SUCCESS, before;

	if (!command_output(options->output, &before))
		return EXIT_FAILURE;
	loop_begin(&loop);
	while (loop_wait(&loop, -1) == LOOP_TICK)
		if (!print(source, options, &status) || loop_done(&loop))
			break;
	return status;
}

/* Returns the wait status of the command, or -1 after reporting an error. */
static int await(const struct source *source, pid_t pid, struct loop *loop)
{
	int ended = pidfd_open(pid, 0), status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (loop_wait(loop, ended) == LOOP_END)
			command_pass_on(pid, loop->signals);
		/* Rows of objects that are gone must not fill the maps. */
		if (!source->sync()) {
			status = -1;
			break;
		}
	}
	close(ended);
	return status;
}

int run_command(const struct source *source, const struct options *options)
{
	struct loop loop = { .interval = 1, .ignores_output = true };
	int err, command, output, status;
	pid_t pid;

	if (!command_output(options->output, &output))
		return EXIT_FAILURE;
	loop_begin(&loop);
	err = command_start(options->command, output, &pid);
	if (err)
		return err;
	command = await(source, pid, &loop);
	if (command < 0 || (!print(source, options, &status) && status))
		return EXIT_FAILURE;
	return command_status(command);
}
