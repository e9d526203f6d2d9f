// SPDX-License-Identifier: GPL-2.0-only
/* The licence, the facts set before load, and every wire struct in the object's BTF, for the agent to
 * check its own view against. */
#include "ring.h"

char LICENSE[] SEC("license") = "GPL";

const volatile bool has_pt_regs = false;
const volatile __u64 scramble_secret = 0;
const volatile __u32 only_tgid = 0;
const volatile __u32 ring_common = ~0u;
const volatile __u32 uring_style = 0;

#define EVENT(id, KIND, name) struct sentinel_##name abi_##name = {};
SENTINEL_EVENTS(EVENT)
#undef EVENT
