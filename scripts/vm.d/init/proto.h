/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The protocol between scripts/vm and the guest's init, over two virtio-serial
 * ports. A message is a struct vm_msg and `len` bytes. The port "vm.stdin" has
 * only MSG_STDIN, so that a command that does not read its input does not block
 * other messages. channel.py is the other side.
 */
#ifndef VM_PROTO_H
#define VM_PROTO_H

#include <stdint.h>

enum vm_msg_type {
	/* host to guest */
	MSG_START = 'S', /* struct vm_start and its strings */
	MSG_WINSIZE = 'W', /* struct vm_winsize */
	MSG_CLOSE = 'C', /* one byte: a stream that is no longer read */
	MSG_STDIN = 'i', /* bytes; none: end of file */
	MSG_BYE = 'B', /* the answer to MSG_FAIL and MSG_EXIT; no data */
	/* guest to host */
	MSG_HELLO = 'H', /* init is up; no data */
	MSG_RUNNING = 'R', /* the command has started; no data */
	MSG_STDOUT = 'o', /* bytes */
	MSG_STDERR = 'e', /* bytes */
	MSG_FAIL = 'F', /* the guest could not be set up: text */
	MSG_EXIT = 'x', /* uint32_t wait status of the command */
};

struct vm_msg {
	uint32_t type;
	uint32_t len;
};

struct vm_winsize {
	uint16_t rows;
	uint16_t cols;
};

#define VM_PTY	      (1U << 0) /* stdin and stdout are a terminal */
#define VM_PTY_STDERR (1U << 1) /* so is stderr */

/*
 * Followed by the directory, argv of the setup script, argv, environment; each
 * NUL-terminated
 */
struct vm_start {
	uint32_t flags;
	struct vm_winsize size;
	uint32_t setup_argc;
	uint32_t argc;
	uint32_t envc;
};

#define VM_MAX_DATA (32 * 1024 - sizeof(struct vm_msg))

#endif
