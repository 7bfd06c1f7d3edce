/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <stdbool.h>
#include "../lib/common.h"
#include "../lib/loop.h"

/**
 * struct options - the command line
 * @loop: INTERVAL and COUNT; without them each fault is listed
 * @common: process, time of day, JSON, libbpf's messages
 * @histogram: with INTERVAL, also print latencies as histograms
 * @dma: DMA that IOMMUs refused, instead of I/O page faults
 * @history: with @dma, how many unmaps to remember
 */
struct options {
	struct loop loop;
	struct common_options common;
	bool histogram;
	bool dma;
	unsigned long history;
};

/* Exits if the options are invalid. */
void options_parse(struct options *options, int argc, char **argv);

#endif
