/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Marks the beginning of a program, and the beginning and end of each measured
 * region, for a tool that counts instructions. The marks are no-ops with a
 * number that no compiler generates: nopl 0x4d4b00NN(%rax,%rax,1) on x86, and a
 * move of 0x4dNN to the register that is always zero on arm64.
 */
#ifndef MARKER_H
#define MARKER_H

#ifdef __aarch64__
#define MARKER(number) \
	__asm__ volatile("movz xzr, 0x4d00 + " number ::: "memory")
#else
#define MARKER(number)                                           \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00, " number \
			 ", 0x00, 0x4b, 0x4d" ::                 \
				 : "memory")
#endif

static inline void marker_begin(void)
{
	MARKER("0x01");
}

static inline void marker_end(void)
{
	MARKER("0x02");
}

static inline void marker_program(void)
{
	MARKER("0x03");
}

#endif
