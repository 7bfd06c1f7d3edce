// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "../lib/names.h"
#include "../lib/tool.h"
#include "address.h"
#include "collect.h"
#include "options.h"
#include "server.h"

/*
 * The signals that end the program: blocked in all threads, to wait for them.
 */
static sigset_t ends(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return set;
}

static int serve(const struct options *options, int fd)
{
	char name[1200] = "", ready[sizeof(name) + 32];
	struct collect *collect;
	struct server *server;
	sigset_t set = ends();
	int sig;

	collect = collect_open(options->contexts);
	if (!collect)
		return EXIT_FAILURE;
	address_name(fd, name, sizeof(name));
	server = server_start(fd, collect_metrics, collect);
	if (server) {
		snprintf(ready, sizeof(ready), "iommufd for %s", name);
		tool_ready(ready);
		sigwait(&set, &sig);
		server_stop(server);
	}
	collect_close(collect);
	return server ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options = {
		.listen = "127.0.0.1:9899",
		.contexts = 1000,
		.mode = 0600,
	};
	int fd, status = EXIT_FAILURE;

	options_parse(&options, argc, argv);
	/*
	 * Listen first: it is quick, and early clients wait instead of failing.
	 */
	fd = address_listen(options.listen, options.mode);
	if (fd < 0)
		return EXIT_FAILURE;
	if (tool_check(options.common.verbose) && names_load())
		status = serve(&options, fd);
	address_remove(options.listen);
	return status;
}
