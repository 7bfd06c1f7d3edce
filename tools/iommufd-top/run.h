/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The three ways to run, each to its end. They return the exit status.
 */
#ifndef __RUN_H
#define __RUN_H

#include "options.h"
#include "source.h"

/* Interactive screen, until the user quits. */
int run_live(const struct source *source, struct options *options);

/* Text or JSON, with a refresh after each delay. */
int run_batch(const struct source *source, const struct options *options);

/* Text or JSON, once, after a command has ended. */
int run_command(const struct source *source, const struct options *options);

#endif
