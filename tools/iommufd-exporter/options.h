/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <stdbool.h>

/**
 * struct options - what the user wants
 * @listen: ADDR:PORT, or the path of a socket
 * @contexts: no more than that many have metrics of their own
 */
struct options {
	const char *listen;
	unsigned long contexts;
	bool verbose;
};

/* Ends the program if they can't be meant. */
void options_parse(struct options *options, int argc, char **argv);

#endif
