// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One of the kernel's own test programs, unmodified, with a main() that does
 * not look for a device first: -l lists its cases without one.
 */
#define main program_main
#include PROGRAM
#undef main

int main(int argc, char *argv[])
{
	return test_harness_run(argc, argv);
}
