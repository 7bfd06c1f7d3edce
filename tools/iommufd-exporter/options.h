/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include "../lib/common.h"

/**
 * struct options - the command line
 * @listen: ADDR:PORT, or the path of a socket
 * @mode: permissions of that socket
 * @contexts: maximum number of contexts with metrics of their own
 */
struct options {
	const char *listen;
	unsigned int mode;
	unsigned long contexts;
	struct common_options common;
};

/* Exits if the options are invalid. */
void options_parse(struct options *options, int argc, char **argv);

#endif
