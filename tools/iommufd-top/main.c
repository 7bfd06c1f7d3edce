// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>
#include "../lib/env.h"
#include "../lib/err.h"
#include "run.h"

int main(int argc, char **argv)
{
	struct options options = {
		.delay = 1,
		.sort = { .column = COL_MAPS },
	};
	enum env_problem problem;
	struct collector *c;
	int status;

	setlocale(LC_CTYPE, "");
	options_parse(&options, argc, argv);
	problem = env_check("", env_capabilities());
	if (problem) {
		err_say("%s", env_problem_text(problem));
		err_advise(env_problem_advice(problem));
		return EXIT_FAILURE;
	}
	err_keep_libbpf(options.verbose);
	c = collect_open();
	if (!c)
		return EXIT_FAILURE;
	if (options.command)
		status = run_command(c, &options);
	else if (options.batch || !isatty(STDOUT_FILENO) ||
		 !isatty(STDIN_FILENO))
		status = run_batch(c, &options);
	else
		status = run_live(c, &options);
	collect_close(c);
	return status;
}
