// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/env.h"
#include "../lib/err.h"
#include "../lib/loop.h"
#include "../lib/maps.h"
#include "../lib/pins.h"
#include "../lib/tool.h"
#include "late.h"
#include "log.h"
#include "object.h"
#include "options.h"
#include "show.h"

static void say_not_attached(const struct object *object, int error)
{
	switch (error) {
	case E2BIG:
		err_say("the maximum of 16 policies is already attached");
		break;
	case ENOENT:
		err_say("the cgroup of policy '%s' is gone", object->name);
		break;
	default:
		err_say("can't attach policy '%s': %s", object->name,
			strerror(error));
	}
}

/* Once it is pinned, the policy stays attached, even if this process ends. */
static bool attach(struct object *object)
{
	struct bpf_link *link;
	char path[PATH_MAX];
	int err;

	if (!pins_prepare())
		return false;
	link = bpf_map__attach_struct_ops(object->map);
	if (!link) {
		say_not_attached(object, errno);
		pins_clean();
		return false;
	}
	if (object_charges(object) && !late_charge(bpf_link__fd(link))) {
		bpf_link__destroy(link);
		pins_clean();
		return false;
	}
	pin_path(object->name, path, sizeof(path));
	err = bpf_link__pin(link, path);
	/* The pin keeps the link alive. */
	if (err)
		err_say("can't pin policy '%s' as %s: %s", object->name, path,
			strerror(-err));
	bpf_link__destroy(link);
	return !err;
}

static bool is_taken(const struct object *object)
{
	char path[PATH_MAX];
	struct attached *list;
	bool taken = false;
	size_t nr;

	list = attached_list(&nr);
	if (!list)
		return true;
	for (size_t i = 0; i < nr; i++)
		taken |= !strcmp(list[i].name, object->name);
	attached_free(list, nr);
	pin_path(object->name, path, sizeof(path));
	taken |= !access(path, F_OK);
	if (taken) {
		err_say("a policy '%s' already exists", object->name);
		err_advise("Update or unload it, or give this one another name with --name.");
	}
	return taken;
}

static bool load(const struct options *options)
{
	struct object object;
	bool good;

	if (!object_open(&object, options, NULL))
		return false;
	good = !is_taken(&object) && object_load(&object, options, NULL) &&
	       attach(&object);
	object_close(&object);
	return good;
}

static bool update(const struct options *options, struct attached *policy)
{
	struct object object;
	int map, err;
	bool good = false;

	if (!object_open(&object, options, policy))
		return false;
	if (object_load(&object, options, policy)) {
		map = object_ready(&object);
		err = map < 0 ? map :
				bpf_link_update(policy->link_fd, map, NULL);
		good = !err;
		if (map >= 0 && err)
			say_not_attached(&object, -err);
		if (good && object_charges(&object))
			good = late_charge(policy->link_fd);
	}
	object_close(&object);
	return good;
}

static bool set(const struct options *options, struct attached *policy)
{
	struct maps maps;
	bool good = true;

	maps_of(&maps, policy);
	for (size_t i = 0; good && i < options->nr_settings; i++)
		good = maps_set(&maps, options->settings[i]);
	maps_free(&maps);
	return good;
}

/* Detach at once, instead of when the kernel frees the unpinned link. */
static bool unload(struct attached *policy)
{
	int err = bpf_link_detach(policy->link_fd);

	if (err) {
		err_say("can't detach policy '%s': %s", policy->name,
			strerror(-err));
		return false;
	}
	if (*policy->pin && unlink(policy->pin)) {
		err_say("can't remove %s: %s", policy->pin, strerror(errno));
		return false;
	}
	pins_clean();
	return true;
}

/* Runs the commands that need the list of policies. */
static bool run_on_list(const struct options *options)
{
	const char *command = options->command;
	struct attached *list, *policy = NULL;
	bool good = true;
	size_t nr;

	list = attached_list(&nr);
	if (!list)
		return false;
	if (options->name)
		policy = attached_find(list, nr, options->name, true);
	if (options->name && !policy)
		good = false;
	else if (!strcmp(command, "list"))
		show_list(list, nr, options->common.json);
	else if (!strcmp(command, "show"))
		show_policy(policy, options->common.json);
	else if (!strcmp(command, "log"))
		good = log_show(policy, options->follow, options->common.json);
	else if (!strcmp(command, "update"))
		good = update(options, policy);
	else if (!strcmp(command, "set"))
		good = set(options, policy);
	else
		good = unload(policy);
	attached_free(list, nr);
	return good;
}

int main(int argc, char **argv)
{
	struct options options = {};
	int status = EXIT_FAILURE;
	bool good;

	options_parse(&options, argc, argv);
	if (!tool_check(options.common.verbose))
		return EXIT_FAILURE;
	/* Iterating over link ids needs CAP_SYS_ADMIN. */
	if (!(env_capabilities() >> CAP_SYS_ADMIN & 1)) {
		err_say("policies need root, or the capability CAP_SYS_ADMIN");
		err_advise("Run it with sudo.");
		return EXIT_FAILURE;
	}
	signal(SIGPIPE, SIG_IGN);
	good = strcmp(options.command, "load") ? run_on_list(&options) :
						 load(&options);
	if (!loop_flush(&status))
		return status;
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
