// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A plugin of QEMU that counts the instructions that a program's marked regions
 * execute, including those in the kernel, for a guest of one CPU:
 *
 * 	-plugin profile.so,out=FILE
 *
 * A region begins and ends with a no-op that contains a magic number. FILE gets
 * 64-bit words. At the end of each region: REGION, a count, and that many pairs
 * of the address of a block of code and the number of instructions executed in
 * it. PROGRAM, 0 where a third no-op marks the beginning of a program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

/* A guest that boots and runs the matrix has fewer than 200,000 blocks. */
#define BLOCKS	 (1U << 20)
#define BUCKETS	 (2 * BLOCKS)
#define OVERFLOW 0

enum word { REGION, PROGRAM };

PLUGIN_EXPORT int qemu_plugin_version = PLUGIN_VERSION;

enum { MARK_NONE, MARK_BEGIN, MARK_END, MARK_PROGRAM };

/* nopl 0x4d4b00NN(%rax,%rax,1) */
static const unsigned char marker_x86[] = { 0x0f, 0x1f, 0x84, 0x00,
					    0,	  0x00, 0x4b, 0x4d };
#define MARKER_NUMBER 4

/* movz xzr, 0x4dNN */
#define MARKER_ARM64	  0xd289a01fU
#define MARKER_ARM64_BITS 5
#define MARKER_ARM64_MASK (0xffU << MARKER_ARM64_BITS)

static FILE *out;
static unsigned int (*mark_of)(const struct qemu_plugin_insn *insn);
static struct qemu_plugin_scoreboard *counters;
/* The address of block I; block 0 collects all blocks that did not fit. */
static uint64_t address[BLOCKS];
static uint32_t blocks = OVERFLOW + 1;
/* From the address to the block; 0 is a free slot. */
static uint32_t bucket[BUCKETS];

static uint32_t find_block(uint64_t where)
{
	uint32_t i = (where * 0x9e3779b97f4a7c15ULL) >> 32;

	for (i %= BUCKETS; bucket[i]; i = (i + 1) % BUCKETS)
		if (address[bucket[i]] == where)
			return bucket[i];
	if (blocks == BLOCKS)
		return OVERFLOW;
	bucket[i] = blocks;
	address[blocks] = where;
	return blocks++;
}

static void put(uint64_t first, uint64_t second)
{
	uint64_t words[] = { first, second };

	fwrite(words, sizeof(words), 1, out);
}

static void begin(unsigned int cpu, void *data)
{
	(void)data;
	memset(qemu_plugin_scoreboard_find(counters, cpu), 0,
	       blocks * sizeof(uint64_t));
}

static void end(unsigned int cpu, void *data)
{
	const uint64_t *count = qemu_plugin_scoreboard_find(counters, cpu);
	uint64_t executed = 0;

	(void)data;
	for (uint32_t i = 0; i < blocks; i++)
		executed += !!count[i];
	put(REGION, executed);
	for (uint32_t i = 0; i < blocks; i++)
		if (count[i])
			put(address[i], count[i]);
}

static void program(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	put(PROGRAM, 0);
}

static unsigned int mark_of_x86(const struct qemu_plugin_insn *insn)
{
	unsigned char code[sizeof(marker_x86)];
	unsigned int number;

	if (qemu_plugin_insn_data(insn, code, sizeof(code)) != sizeof(code))
		return MARK_NONE;
	number = code[MARKER_NUMBER];
	code[MARKER_NUMBER] = 0;
	return memcmp(code, marker_x86, sizeof(code)) ? MARK_NONE : number;
}

static unsigned int mark_of_arm64(const struct qemu_plugin_insn *insn)
{
	uint32_t code;

	if (qemu_plugin_insn_data(insn, &code, sizeof(code)) != sizeof(code) ||
	    (code & ~MARKER_ARM64_MASK) != MARKER_ARM64)
		return MARK_NONE;
	return (code & MARKER_ARM64_MASK) >> MARKER_ARM64_BITS;
}

static void watch_marker(struct qemu_plugin_insn *insn)
{
	static const qemu_plugin_exec_t callbacks[] = {
		[MARK_BEGIN] = begin,
		[MARK_END] = end,
		[MARK_PROGRAM] = program,
	};
	unsigned int number = mark_of(insn);

	if (number >= MARK_BEGIN && number <= MARK_PROGRAM)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, callbacks[number],
						       QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
}

/*
 * Count each instruction separately: a fault can leave a block in the middle.
 * So can an access to a device, after which the emulator translates the rest
 * again.
 */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint32_t block = find_block(qemu_plugin_tb_vaddr(tb));
	qemu_plugin_u64 counter = { counters, block * sizeof(uint64_t) };
	size_t insns = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < insns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		watch_marker(insn);
		qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn,
								    QEMU_PLUGIN_INLINE_ADD_U64,
								    counter, 1);
	}
}

static void finish(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	fclose(out);
}

PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
				      const struct qemu_info_t *info, int argc,
				      char **argv)
{
	mark_of = strcmp(info->target_name, "aarch64") ? mark_of_x86 :
							 mark_of_arm64;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "profile: out=FILE is missing\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "wb");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	counters = qemu_plugin_scoreboard_new(BLOCKS * sizeof(uint64_t));
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
