// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../lib/err.h"
#include "../lib/tool.h"
#include "server.h"

#define OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PROMETHEUS  "text/plain; version=0.0.4; charset=utf-8"
#define PLAIN	    "text/plain; charset=utf-8"

/*
 * Reading metrics takes a moment; other connections must not exhaust the
 * server.
 */
#define MOST_CONNECTIONS 16
#define SECONDS_IDLE	 10

struct server {
	struct MHD_Daemon *daemon;
	server_metrics_fn *metrics;
	void *data;
};

static enum MHD_Result answer(struct MHD_Connection *to, unsigned int status,
			      const char *type, struct MHD_Response *response)
{
	enum MHD_Result sent;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					"GET, HEAD");
	sent = MHD_queue_response(to, status, response);
	MHD_destroy_response(response);
	return sent;
}

static enum MHD_Result say(struct MHD_Connection *to, unsigned int status,
			   const char *text)
{
	return answer(to, status, PLAIN,
		      MHD_create_response_from_buffer(strlen(text),
						      (void *)text,
						      MHD_RESPMEM_PERSISTENT));
}

/*
 * Whether to answer in OpenMetrics: the client lists it with a weight above 0,
 * or accepts anything, as curl does, and does not ask for plain text.
 */
static bool accepts_openmetrics(const char *accept)
{
	const char *found, *weight;

	if (!accept)
		return true;
	found = strcasestr(accept, "application/openmetrics-text");
	if (!found)
		return strstr(accept, "*/*") &&
		       !strcasestr(accept, "text/plain") &&
		       !strcasestr(accept, "text/html");
	weight = strcasestr(found, "q=");
	if (!weight || weight > strchrnul(found, ','))
		return true;
	return strtod(weight + strlen("q="), NULL) > 0;
}

static enum MHD_Result send_metrics(struct server *server,
				    struct MHD_Connection *to)
{
	const char *accept =
		MHD_lookup_connection_value(to, MHD_HEADER_KIND,
					    MHD_HTTP_HEADER_ACCEPT);
	bool old = !accepts_openmetrics(accept);
	size_t size;
	char *text = server->metrics(server->data, &size, old);

	if (!text)
		return say(to, MHD_HTTP_INTERNAL_SERVER_ERROR,
			   "No metrics available; see the log.\n");
	return answer(to, MHD_HTTP_OK, old ? PROMETHEUS : OPENMETRICS,
		      MHD_create_response_from_buffer(size, text,
						      MHD_RESPMEM_MUST_FREE));
}

static enum MHD_Result handle(void *data, struct MHD_Connection *to,
			      const char *url, const char *method,
			      const char *version, const char *body,
			      size_t *left, void **state)
{
	bool metrics = !strcmp(url, "/metrics");

	(void)version;
	(void)body;
	/* The first call is before the body, which is ignored. */
	if (!*state || *left) {
		*left = 0;
		*state = data;
		return MHD_YES;
	}
	if (!metrics && strcmp(url, "/"))
		return say(to, MHD_HTTP_NOT_FOUND,
			   "Metrics are at /metrics.\n");
	/* The server leaves out the body of the answer to a HEAD. */
	if (strcmp(method, MHD_HTTP_METHOD_GET) &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD))
		return say(to, MHD_HTTP_METHOD_NOT_ALLOWED,
			   "Only GET and HEAD.\n");
	if (metrics)
		return send_metrics(data, to);
	return say(to, MHD_HTTP_OK,
		   "iommufd-exporter " VERSION ": metrics are at /metrics.\n");
}

struct server *server_start(int fd, server_metrics_fn *metrics, void *data)
{
	struct server *server = tool_memory(calloc(1, sizeof(*server)));

	server->metrics = metrics;
	server->data = data;
	server->daemon =
		MHD_start_daemon(MHD_USE_AUTO |
					 MHD_USE_INTERNAL_POLLING_THREAD |
					 MHD_USE_ITC,
				 0, NULL, NULL, handle, server,
				 MHD_OPTION_LISTEN_SOCKET, fd,
				 MHD_OPTION_CONNECTION_LIMIT, MOST_CONNECTIONS,
				 MHD_OPTION_CONNECTION_TIMEOUT, SECONDS_IDLE,
				 MHD_OPTION_END);
	if (server->daemon)
		return server;
	err_say("can't serve HTTP: %s", strerror(errno));
	close(fd);
	free(server);
	return NULL;
}

void server_stop(struct server *server)
{
	MHD_stop_daemon(server->daemon);
	free(server);
}
