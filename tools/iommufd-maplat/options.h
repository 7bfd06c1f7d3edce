/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __OPTIONS_H
#define __OPTIONS_H

#include <stdbool.h>
#include "../../bpf/iommufd_maplat.h"
#include "../lib/common.h"
#include "../lib/loop.h"

/**
 * struct options - the command line
 * @loop: INTERVAL and COUNT
 * @by: what the histograms are by
 * @common: process, time of day, JSON, libbpf's messages
 * @stock: the kernel has no trace events of iommufd; not an option
 * @has_part: the parts of the time that it shows; not options
 * @slower: list requests that take @slower_us or more, instead of histograms
 */
struct options {
	struct loop loop;
	enum maplat_by by;
	struct common_options common;
	bool stock;
	bool has_part[MAPLAT_PARTS];
	bool slower;
	unsigned long slower_us;
};

/* Exits if the options are invalid. */
void options_parse(struct options *options, int argc, char **argv);

#endif
