// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "../lib/err.h"
#include "address.h"

#define BACKLOG 16

static int bound(int family, const struct sockaddr *to, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, err;

	if (fd < 0)
		return -1;
	/* After a restart, old connections must not block the port. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, to, length) && !listen(fd, BACKLOG))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* Whether a socket file was left behind by a process that is gone. */
static bool is_left(const struct sockaddr_un *to)
{
	struct stat what;
	bool left;
	int fd;

	/* Connecting to a regular file is refused, too. */
	if (lstat(to->sun_path, &what) || !S_ISSOCK(what.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	left = connect(fd, (const struct sockaddr *)to, sizeof(*to)) &&
	       errno == ECONNREFUSED;
	close(fd);
	return left;
}

static int listen_at_path(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const struct sockaddr *any = (const struct sockaddr *)&to;
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = bound(AF_UNIX, any, sizeof(to));
	if (fd < 0 && errno == EADDRINUSE) {
		if (is_left(&to) && !unlink(path))
			fd = bound(AF_UNIX, any, sizeof(to));
		else
			errno = EADDRINUSE;
	}
	return fd;
}

/* Splits ADDR:PORT; an IPv6 address is in brackets. */
static bool split(char *address, char **host, char **port)
{
	char *colon = strrchr(address, ':');

	if (!colon || !colon[1])
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = *address ? address : NULL;
	if (*address == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = address + 1;
	} else if (strchr(address, ':')) {
		return false;
	}
	return true;
}

static int listen_at_port(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE },
			*found;
	char copy[NI_MAXHOST + NI_MAXSERV], *host, *port;
	int fd = -1, err;

	snprintf(copy, sizeof(copy), "%s", address);
	if (!split(copy, &host, &port)) {
		err_say("'%s' is neither ADDR:PORT nor /PATH", address);
		return -1;
	}
	err = getaddrinfo(host, port, &hints, &found);
	if (err) {
		err_say("can't resolve the address '%s': %s", address,
			gai_strerror(err));
		return -1;
	}
	for (const struct addrinfo *to = found; to && fd < 0; to = to->ai_next)
		fd = bound(to->ai_family, to->ai_addr, to->ai_addrlen);
	err = errno;
	freeaddrinfo(found);
	if (fd < 0)
		err_say("can't listen at %s: %s", address, strerror(err));
	return fd;
}

int address_listen(const char *address)
{
	int fd;

	if (*address != '/')
		return listen_at_port(address);
	fd = listen_at_path(address);
	if (fd < 0)
		err_say("can't listen at %s: %s", address, strerror(errno));
	return fd;
}

void address_name(int fd, char *name, size_t size)
{
	struct sockaddr_storage at = {};
	char host[NI_MAXHOST], port[NI_MAXSERV];
	socklen_t length = sizeof(at);
	bool six;

	getsockname(fd, (struct sockaddr *)&at, &length);
	six = at.ss_family == AF_INET6;
	if (at.ss_family == AF_UNIX)
		snprintf(name, size, "%s",
			 ((struct sockaddr_un *)&at)->sun_path);
	else if (!getnameinfo((struct sockaddr *)&at, length, host,
			      sizeof(host), port, sizeof(port),
			      NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(name, size, "http://%s%s%s:%s/metrics", six ? "[" : "",
			 host, six ? "]" : "", port);
}

void address_remove(const char *address)
{
	if (*address == '/')
		unlink(address);
}
