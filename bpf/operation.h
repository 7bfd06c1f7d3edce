/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The operations that BPF programs and tools count separately. */
#ifndef __OPERATION_H
#define __OPERATION_H

enum operation {
	OP_MAP, /* of memory of a process, of a file or of another IOAS */
	OP_UNMAP,
	OP_INVALIDATE,
	OP_DIRTY, /* reading which pages are dirty */
	OPS,
};

/* The first ones are on an IOAS, the others on a page table or vIOMMU. */
#define IOAS_OPS  OP_INVALIDATE
#define TABLE_OPS (OPS - IOAS_OPS)

/* Index into an array of TABLE_OPS elements. */
#define TABLE_OP(op) ((op) - IOAS_OPS)

#endif
