// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stddef.h>
#include "operation.h"

const struct operation_names operation_names[OPS] = {
	[OP_MAP] = { "map", "bytes", "all_bytes", "maps" },
	[OP_UNMAP] = { "unmap", "bytes", "all_bytes", "unmaps" },
	[OP_INVALIDATE] = { "invalidate", "entries", "all_entries", "inval" },
	[OP_DIRTY] = { "dirty", "bytes", "all_bytes", NULL },
};
