// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "file.h"

size_t file_read(char *text, size_t room, const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size = 0;

	if (file) {
		size = fread(text, 1, room - 1, file);
		fclose(file);
	}
	text[size] = '\0';
	return size;
}

bool file_line(char *line, size_t room, const char *path)
{
	file_read(line, room, path);
	line[strcspn(line, "\n")] = '\0';
	return *line;
}

bool file_link(char *target, size_t room, const char *path)
{
	ssize_t length = readlink(path, target, room - 1);

	target[length > 0 ? length : 0] = '\0';
	return *target;
}

bool file_link_name(char *name, size_t room, const char *path)
{
	char target[PATH_MAX];
	const char *last;

	file_link(target, sizeof(target), path);
	last = strrchr(target, '/');
	snprintf(name, room, "%s", last ? last + 1 : target);
	return *name;
}
