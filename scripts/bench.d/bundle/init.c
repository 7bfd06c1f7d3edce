// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Process 1 of a guest of scripts/bench --bundle: starts the CPUs, loads the
 * modules, binds devices to vfio-pci, and runs the workload with each backend.
 * Its output goes to the second serial port.
 *
 * usage: init ... --bench BACKENDS ARG...
 *
 * BACKENDS is a comma-separated list. The arguments after it are for the
 * workload. Those before --bench are kernel parameters that the kernel doesn't
 * know.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

#define MODULES "/modules"
#define DEVICES "/sys/bus/pci/devices"
#define OUTPUT	"/dev/ttyS1"
/* Of QEMU's edu device. */
#define EDU	 "0x11e8\n"
#define MAX_ARGS 32

static void __attribute__((noreturn)) power_off(void)
{
	fflush(NULL);
	tcdrain(STDOUT_FILENO);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

void die(const char *fmt, ...)
{
	va_list args;

	fputs("= error ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	power_off();
}

static void mount_all(void)
{
	static const struct {
		const char *type;
		const char *target;
	} mounts[] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].target, 0755);
		if (mount(mounts[i].type, mounts[i].target, mounts[i].type, 0,
			  NULL) &&
		    errno != EBUSY)
			die("mounting %s: %s", mounts[i].target,
			    strerror(errno));
	}
}

static void open_output(void)
{
	int fd = open(OUTPUT, O_RDWR | O_NOCTTY);
	struct termios mode;

	if (fd < 0)
		die("%s: %s", OUTPUT, strerror(errno));
	if (!tcgetattr(fd, &mode)) {
		cfmakeraw(&mode);
		cfsetspeed(&mode, B115200);
		tcsetattr(fd, TCSANOW, &mode);
	}
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
}

static int load_module(const char *name)
{
	char path[300];
	int fd, ret;

	snprintf(path, sizeof(path), MODULES "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	ret = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;
	close(fd);
	return ret;
}

/* In any order: a module that needs another one is tried again after it. */
static void load_modules(void)
{
	unsigned int loaded, failed;

	do {
		DIR *dir = opendir(MODULES);
		struct dirent *entry;

		if (!dir)
			return;
		loaded = 0;
		failed = 0;
		while ((entry = readdir(dir))) {
			int error;

			if (entry->d_name[0] == '.')
				continue;
			error = load_module(entry->d_name);
			loaded += !error;
			failed += error && error != EEXIST;
		}
		closedir(dir);
	} while (loaded && failed);
	if (failed)
		printf("= note %u modules could not be loaded\n", failed);
}

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return -1;
	text[n] = '\0';
	return 0;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("= note %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void bind_devices(void)
{
	DIR *dir = opendir(DEVICES);
	struct dirent *entry;
	char path[300], id[16];

	if (!dir)
		die("%s: %s", DEVICES, strerror(errno));
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), DEVICES "/%s/device",
			 entry->d_name);
		if (read_text(path, id, sizeof(id)) || strcmp(id, EDU))
			continue;
		snprintf(path, sizeof(path), DEVICES "/%s/driver_override",
			 entry->d_name);
		write_text(path, "vfio-pci");
		write_text("/sys/bus/pci/drivers_probe", entry->d_name);
	}
	closedir(dir);
}

static void run_workload(const char *backend, char **args)
{
	char *argv[MAX_ARGS + 4] = { "/workload", "--backend",
				     (char *)backend };
	int status, n = 3;
	pid_t child;

	while (*args && n < MAX_ARGS + 3)
		argv[n++] = *args++;
	printf("= backend %s\n", backend);
	fflush(stdout);
	child = fork();
	if (!child) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		die("the workload could not be run: %s", strerror(errno));
	printf("= status %d\n", status);
}

int main(int argc, char **argv)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	char *backends;

	mount_all();
	open_output();
	puts("= booted");
	while (argc && strcmp(*argv, "--bench"))
		argc--, argv++;
	if (argc < 2)
		die("no arguments");
	start_cpus();
	printf("= cpus %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	load_modules();
	bind_devices();
	backends = strdup(argv[1]);
	for (char *name; (name = strsep(&backends, ","));)
		run_workload(name, argv + 2);
	puts("= end");
	power_off();
}
