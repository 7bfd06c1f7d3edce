/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __SENTENCES_H
#define __SENTENCES_H

#include <stddef.h>

/**
 * struct sentence - explanation of a reason
 * @reason: name of the reason, as in docs/failures.md
 * @error: errno that it is for, 0 for all that have no sentence of their own
 * @what: what went wrong
 * @advice: what to do about it
 *
 * The texts are templates. {1d} is the first number of the failure, {2d} the
 * second one, in one of these forms:
 *
 *	d  decimal                     e  text of an errno
 *	s  signed decimal              c  name of a capability
 *	x  hexadecimal                 t  name of an object type
 *	b  bytes, human-readable       r  rights: read, write
 *	p  pages, with their bytes     k  pages, in KiB
 *
 * Other names in braces are facts, see facts.h. Text in [] is left out if a
 * value in it is not known or is the number 0; [a|b] then becomes b.
 */
struct sentence {
	const char *reason;
	int error;
	const char *what;
	const char *advice;
};

extern const struct sentence sentences[];
extern const size_t nr_sentences;

/* The sentence for a reason and an errno, or NULL. */
const struct sentence *sentence_find(const char *reason, int error);

#endif
