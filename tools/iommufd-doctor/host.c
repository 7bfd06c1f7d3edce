// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "host.h"

static void full_path(char path[PATH_MAX], const struct host *host,
		      const char *format, va_list args)
{
	int used = snprintf(path, PATH_MAX, "%s", host->root);

	if (used < PATH_MAX)
		vsnprintf(path + used, PATH_MAX - used, format, args);
}

#define FULL_PATH(path, host, format)                      \
	do {                                               \
		va_list args;                              \
                                                           \
		va_start(args, format);                    \
		full_path((path), (host), (format), args); \
		va_end(args);                              \
	} while (0)

void host_init(struct host *host, const char *root)
{
	char value[TEXT_SIZE];

	host->root = root;
	host->caps = 0;
	host->uid = geteuid();
	if (host_field(host, value, "CapEff", "/proc/self/status"))
		host->caps = strtoull(value, NULL, 16);
	if (host_field(host, value, "Uid", "/proc/self/status"))
		sscanf(value, "%*u %u", &host->uid);
}

bool host_can(const struct host *host, int capability)
{
	return host->caps >> capability & 1;
}

bool host_has(const struct host *host, const char *format, ...)
{
	char path[PATH_MAX];

	FULL_PATH(path, host, format);
	return !faccessat(AT_FDCWD, path, F_OK, AT_EACCESS);
}

bool host_may_use(const struct host *host, const char *format, ...)
{
	char path[PATH_MAX];

	FULL_PATH(path, host, format);
	return !faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS);
}

FILE *host_open(const struct host *host, const char *format, ...)
{
	char path[PATH_MAX];

	FULL_PATH(path, host, format);
	return fopen(path, "re");
}

static bool read_line(char line[TEXT_SIZE], const char *path)
{
	FILE *file = fopen(path, "re");
	bool found;

	*line = '\0';
	if (!file)
		return false;
	found = fgets(line, TEXT_SIZE, file);
	line[strcspn(line, "\n")] = '\0';
	fclose(file);
	return found;
}

bool host_read(const struct host *host, char line[TEXT_SIZE],
	       const char *format, ...)
{
	char path[PATH_MAX];

	FULL_PATH(path, host, format);
	return read_line(line, path);
}

long long host_number(const struct host *host, long long otherwise,
		      const char *format, ...)
{
	char path[PATH_MAX], line[TEXT_SIZE], *end;
	long long number;

	FULL_PATH(path, host, format);
	if (!read_line(line, path))
		return otherwise;
	number = strtoll(line, &end, 0);
	return end == line ? otherwise : number;
}

static bool read_link(char target[TEXT_SIZE], const char *path)
{
	ssize_t length = readlink(path, target, TEXT_SIZE - 1);

	target[length < 0 ? 0 : length] = '\0';
	return length > 0;
}

bool host_link(const struct host *host, char target[TEXT_SIZE],
	       const char *format, ...)
{
	char path[PATH_MAX];

	FULL_PATH(path, host, format);
	return read_link(target, path);
}

bool host_link_name(const struct host *host, char name[TEXT_SIZE],
		    const char *format, ...)
{
	char path[PATH_MAX], target[TEXT_SIZE];
	bool found;

	FULL_PATH(path, host, format);
	found = read_link(target, path);
	snprintf(name, TEXT_SIZE, "%s", found ? basename(target) : "");
	return found;
}

static int is_shown(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

int host_list(const struct host *host, struct dirent ***entries,
	      const char *format, ...)
{
	char path[PATH_MAX];

	FULL_PATH(path, host, format);
	*entries = NULL;
	return scandir(path, entries, is_shown, versionsort);
}

void host_free(struct dirent **entries, int nr)
{
	for (int i = 0; i < nr; i++)
		free(entries[i]);
	free(entries);
}

bool host_field(const struct host *host, char value[TEXT_SIZE],
		const char *name, const char *format, ...)
{
	char path[PATH_MAX], line[TEXT_SIZE];
	size_t length = strlen(name);
	bool found = false;
	FILE *file;

	*value = '\0';
	FULL_PATH(path, host, format);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		char *text = line + length;

		if (strncmp(line, name, length))
			continue;
		text += strspn(text, " \t");
		if (*text != ':')
			continue;
		text++;
		text += strspn(text, " \t");
		text[strcspn(text, "\n")] = '\0';
		snprintf(value, TEXT_SIZE, "%s", text);
		found = true;
	}
	fclose(file);
	return found;
}

bool host_contains(const struct host *host, const char *word,
		   const char *format, ...)
{
	/* A part of the file, after what may be the beginning of the word. */
	char path[PATH_MAX], part[1 << 16];
	size_t kept = 0, length = strlen(word), got;
	bool found = false;
	FILE *file;

	FULL_PATH(path, host, format);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found &&
	       (got = fread(part + kept, 1, sizeof(part) - kept, file))) {
		got += kept;
		found = memmem(part, got, word, length);
		kept = got < length ? got : length - 1;
		memmove(part, part + got - kept, kept);
	}
	fclose(file);
	return found;
}
