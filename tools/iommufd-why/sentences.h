/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef __SENTENCES_H
#define __SENTENCES_H

#include <stddef.h>

/**
 * struct sentence - what is said of a failure
 * @reason: name of the reason, as in docs/failures.md
 * @error: errno that it is for, 0 for all that have no sentence of their own
 * @what: what went wrong
 * @advice: what to do about it
 *
 * The texts are templates. {1d} is the first number of the failure, {2d} its
 * second one, in one of these forms:
 *
 *	d  decimal                     e  an errno by its text
 *	s  decimal, with its sign      c  a capability by its name
 *	x  hexadecimal                 t  a type of object by its name
 *	b  bytes, for people           r  rights: read, write
 *	p  pages, with their bytes     k  pages, in KiB
 *
 * Other names in braces are facts, see facts.h. What stands in [] is left out if
 * something in it is not known or, of a number, if it is 0; [a|b] is b then.
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
