// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <linux/capability.h>
#include <string.h>
#include "../lib/env.h"
#include "checks.h"

static void report_problem(struct report *out, const char *check,
			   enum state state, enum env_problem problem)
{
	report(out, check, NULL, state, env_problem_advice(problem), "%s",
	       env_problem_text(problem));
}

static void check_events(const struct host *host, struct report *out)
{
	bool mounted = host_contains(host, " tracefs ", "/proc/mounts");

	if (host_has(host, "/sys/kernel/tracing/events") ||
	    host_has(host, "/sys/kernel/debug/tracing/events"))
		report(out, "tracefs", NULL, STATE_OK, NULL,
		       "this user may read the kernel's trace events");
	else if (mounted)
		report_problem(out, "tracefs", STATE_WARNING, ENV_NO_ACCESS);
	else
		report_problem(out, "tracefs", STATE_PROBLEM, ENV_NO_TRACEFS);
}

static void check_types(const struct host *host, struct report *out)
{
	bool module = host_has(host, "/sys/module/iommufd/initstate");

	if (!host_has(host, "/sys/kernel/btf/vmlinux"))
		report_problem(out, "btf", STATE_PROBLEM, ENV_NO_BTF);
	else if (module && !host_has(host, "/sys/kernel/btf/iommufd"))
		report_problem(out, "btf", STATE_PROBLEM, ENV_NO_MODULE_BTF);
	else
		report(out, "btf", NULL, STATE_OK, NULL, "%s",
		       module ? "the kernel and iommufd describe their types" :
				"the kernel describes its types");
}

static void check_rights(const struct host *host, const struct symbols *symbols,
			 struct report *out)
{
	bool admin = host_can(host, CAP_SYS_ADMIN);
	bool least = host_can(host, CAP_BPF) && host_can(host, CAP_PERFMON);
	bool module = host_has(host, "/sys/module/iommufd/initstate");
	long long off =
		host_number(host, 0,
			    "/proc/sys/kernel/unprivileged_bpf_disabled");

	if (!admin && !least)
		report(out, "bpf", NULL, STATE_WARNING,
		       "Run the tools with sudo. PRIVILEGES in their manual pages says how to run them without.",
		       "this user may not load BPF programs that trace (kernel.unprivileged_bpf_disabled is %lld): the tools need root, or the capabilities CAP_BPF and CAP_PERFMON",
		       off);
	else if (!admin && module && symbols->events)
		report_problem(out, "bpf", STATE_WARNING,
			       ENV_NO_MODULE_PRIVILEGE);
	else
		report(out, "bpf", NULL, STATE_OK, NULL,
		       "this user may load BPF programs");
}

static void check_lockdown(const struct host *host, struct report *out)
{
	char value[TEXT_SIZE];

	host_read(host, value, "/sys/kernel/security/lockdown");
	if (strstr(value, "[confidentiality]"))
		report(out, "lockdown", NULL, STATE_PROBLEM,
		       "Boot with lockdown=integrity, or without lockdown=confidentiality.",
		       "the kernel is locked down (confidentiality): BPF programs may not read its memory");
	else if (strstr(value, "[integrity]"))
		report(out, "lockdown", NULL, STATE_OK, NULL,
		       "the kernel is locked down (integrity), which the tools can live with");
	else if (*value)
		report(out, "lockdown", NULL, STATE_OK, NULL,
		       "the kernel is not locked down");
	else
		report(out, "lockdown", NULL, STATE_NONE, NULL,
		       "the kernel can't be locked down");
}

/* After four bytes of attributes, the variable is 1 if Secure Boot is on. */
static bool boots_securely(const struct host *host)
{
	FILE *file =
		host_open(host,
			  "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
	unsigned char value[5] = {};
	size_t size;

	if (!file)
		return false;
	size = fread(value, 1, sizeof(value), file);
	fclose(file);
	return size == sizeof(value) && value[4] == 1;
}

static void check_signatures(const struct host *host,
			     const struct symbols *symbols, struct report *out)
{
	char enforced[TEXT_SIZE], lockdown[TEXT_SIZE];
	const char *boot = boots_securely(host) ? "Secure Boot is on" :
						  "Secure Boot is off";
	bool key = host_has(host, "/var/lib/dkms/mok.pub");

	host_read(host, enforced, "/sys/module/module/parameters/sig_enforce");
	host_read(host, lockdown, "/sys/kernel/security/lockdown");
	if (*enforced != 'Y' && !strstr(lockdown, "[integrity]") &&
	    !strstr(lockdown, "[confidentiality]"))
		report(out, "signatures", NULL, STATE_OK, NULL,
		       "modules need no signature (%s)", boot);
	else if (symbols->events == PLACE_MODULE)
		report(out, "signatures", NULL, STATE_OK, NULL,
		       "modules must be signed, and iommufd-bpf is loaded (%s)",
		       boot);
	else
		report(out, "signatures", NULL, STATE_WARNING,
		       key ? "Enroll DKMS's key, then reboot: mokutil --import /var/lib/dkms/mok.pub" :
			     "Create a key, then reboot: dkms generate_mok; mokutil --import /var/lib/dkms/mok.pub",
		       "modules must be signed by a key that the kernel trusts (%s)",
		       boot);
}

/* The causes have been reported: this says what they lead to. */
static void check_result(const struct host *host, struct report *out)
{
	enum env_problem problem = env_check(host->root, host->caps);

	if (problem == ENV_NO_EVENTS && !env_check_stock(host->root))
		report(out, "tools", NULL, STATE_WARNING, NULL,
		       "iommufd-top, iommufd-pins, iommufd-maplat and iommufd-why show a part; the other tools need iommufd-bpf");
	else if (problem)
		report(out, "tools", NULL, STATE_WARNING, NULL,
		       "iommufd-top can't start: %s",
		       env_problem_text(problem));
	else
		report(out, "tools", NULL, STATE_OK, NULL,
		       "iommufd-top and the other tools show everything");
}

void check_tools(const struct host *host, const struct symbols *symbols,
		 struct report *out)
{
	check_events(host, out);
	check_types(host, out);
	check_rights(host, symbols, out);
	check_lockdown(host, out);
	check_signatures(host, symbols, out);
	check_result(host, out);
}
