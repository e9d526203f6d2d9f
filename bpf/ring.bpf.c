// SPDX-License-Identifier: GPL-2.0-only
/* Run by the agent, never attached. */
#include "ring.h"

/* Bytes that wait in the ring. BPF_PROG_TYPE_SYSCALL: since 5.14. */
SEC("syscall")
int ring_used(void *ctx)
{
	(void)ctx;
	return bpf_ringbuf_query(&events, 0 /* BPF_RB_AVAIL_DATA */);
}
