// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/loop.h"
#include "address.h"

#define BACKLOG 16

static int bound(int family, const struct sockaddr *to, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, none = 0, err;

	if (fd < 0)
		return -1;
	/* All addresses of IPv6 include those of IPv4. */
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &none, sizeof(none));
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

/*
 * The socket file never has more rights than wanted, and other threads, which
 * share the mask, don't exist yet.
 */
static int bound_with(const struct sockaddr_un *to, mode_t mode)
{
	mode_t before = umask(0777 & ~mode);
	int fd = bound(AF_UNIX, (const struct sockaddr *)to, sizeof(*to));

	umask(before);
	return fd;
}

static int listen_at_path(const char *path, mode_t mode)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = bound_with(&to, mode);
	if (fd < 0 && errno == EADDRINUSE) {
		if (is_left(&to) && !unlink(path))
			fd = bound_with(&to, mode);
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

/* A number, which getaddrinfo() does not check, or the name of a service. */
static bool is_port(const char *port)
{
	unsigned long number;

	if (strspn(port, "0123456789") < strlen(port))
		return true;
	return loop_parse_number(port, 0, &number) && number <= 65535;
}

/* The first of these addresses that the machine has. */
static int bound_to_one(const struct addrinfo *found, int family)
{
	int fd = -1;

	errno = EAFNOSUPPORT;
	for (const struct addrinfo *to = found; to && fd < 0; to = to->ai_next)
		if (family == AF_UNSPEC || family == to->ai_family)
			fd = bound(to->ai_family, to->ai_addr, to->ai_addrlen);
	return fd;
}

/* The socket for all addresses of IPv6, if there is IPv6, also serves IPv4. */
static int bound_to_all(const struct addrinfo *found)
{
	int fd = bound_to_one(found, AF_INET6);

	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		fd = bound_to_one(found, AF_INET);
	return fd;
}

static int listen_at_port(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE },
			*found;
	char copy[NI_MAXHOST + NI_MAXSERV], *host, *port;
	int fd, err;

	snprintf(copy, sizeof(copy), "%s", address);
	if (!split(copy, &host, &port)) {
		err_say("'%s' is neither ADDR:PORT nor /PATH", address);
		return -1;
	}
	if (!is_port(port)) {
		err_say("'%s' is not a port: it must be from 0 to 65535", port);
		return -1;
	}
	err = getaddrinfo(host, port, &hints, &found);
	if (err) {
		err_say("can't resolve the address '%s': %s", address,
			gai_strerror(err));
		return -1;
	}
	fd = host ? bound_to_one(found, AF_UNSPEC) : bound_to_all(found);
	err = errno;
	freeaddrinfo(found);
	if (fd < 0)
		err_say("can't listen at %s: %s", address, strerror(err));
	return fd;
}

int address_listen(const char *address, unsigned int mode)
{
	int fd;

	if (*address != '/')
		return listen_at_port(address);
	fd = listen_at_path(address, mode);
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
