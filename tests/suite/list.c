// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One of the kernel's own test programs, as it is, behind a main() that asks for
 * no device first: -l tells its cases where there is none.
 */
#define main program_main
#include PROGRAM
#undef main

int main(int argc, char *argv[])
{
	return test_harness_run(argc, argv);
}
