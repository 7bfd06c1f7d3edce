// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/tool.h"
#include "run.h"

static int run(const struct source *source, struct options *options)
{
	if (options->command)
		return run_command(source, options);
	if (options->batch)
		return run_batch(source, options);
	return run_live(source, options);
}

/* Reports options that are not possible here, and returns false. */
static bool check(const struct options *options, bool stock)
{
	unsigned long pid = options->common.pid;

	if (pid && kill(pid, 0) && errno == ESRCH) {
		err_say("there is no process %lu", pid);
		return false;
	}
	if (stock && !view_is_stock(options->view) && !tool_has_lists()) {
		err_say("the stock iommufd of this kernel has no data for the view %s",
			view_name(options->view));
		err_advise("Use the view process, failure or size.");
		return false;
	}
	return true;
}

/* A dumb terminal, such as a shell in an editor, can't move the cursor. */
static bool has_screen(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) &&
	       !(term && !strcmp(term, "dumb"));
}

int main(int argc, char **argv)
{
	struct options options = { .delay = 1 };
	struct source_options which;
	const struct source *source;
	int status = EXIT_FAILURE;
	bool stock;

	setlocale(LC_CTYPE, "");
	options_parse(&options, argc, argv);
	if (!tool_check_any(options.common.verbose, &stock))
		return EXIT_FAILURE;
	if (!has_screen())
		options.batch = true;
	if (!check(&options, stock))
		return EXIT_FAILURE;
	which = (struct source_options){
		.pid = options.common.pid,
		.cost = options.cost,
	};
	source = stock ? &stock_source : &events_source;
	if (source->open(&which) &&
	    (options.view != VIEW_FAILURE || source->watch_failures()))
		status = run(source, &options);
	source->close();
	return status;
}
