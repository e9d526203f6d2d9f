// SPDX-License-Identifier: GPL-2.0-only
/* Hands 32-bit system calls on: see compat.h. Attached only while capture.compat is on, since every call of
 * the machine pays for it. */
#include "ring.h"

/* Programs by call: those of the first half, and for calls that two look at the others. Written by the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2 * COMPAT_CALLS);
	__type(key, __u32);
	__type(value, __u32);
} compat_exits SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, COMPAT_CALLS);
	__type(key, __u32);
	__type(value, __u32);
} compat_enters SEC(".maps");

#if defined(__TARGET_ARCH_x86)
/* Attached to raw_syscalls/sys_exit, whose context has the form of that of a single call. */
SEC("tracepoint")
int compat_exit(struct tp_sys_exit *ctx)
{
	if (is_compat())
		bpf_tail_call(ctx, &compat_exits, compat_entry());
	return 0;
}

SEC("tracepoint")
int compat_exit_again(struct tp_sys_exit *ctx)
{
	if (is_compat())
		bpf_tail_call(ctx, &compat_exits, COMPAT_CALLS + compat_entry());
	return 0;
}

/* Attached to raw_syscalls/sys_enter. */
SEC("tracepoint")
int compat_enter(struct tp_sys_enter *ctx)
{
	if (is_compat())
		bpf_tail_call(ctx, &compat_enters, compat_entry());
	return 0;
}
#endif
