/* SPDX-License-Identifier: GPL-2.0-only */
/* 32-bit system calls of x86 (int 0x80, and everything a 32-bit program does). Tracepoints of single system
 * calls are silent for them, so while capture.compat is on compat.bpf.c looks at every call of the machine
 * and hands these on to the programs that are attached to the calls of 64 bits: to a third build of them
 * (SENTINEL_COMPAT, see access.h), whose arguments, numbers and structures in user memory are those of 32
 * bits. */
#pragma once

/* Entries of the tables: the call's number, or for socketcall() SOCKETCALLS and the number of what it makes.
 */
#define COMPAT_CALLS 544
#define SOCKETCALLS  512

#define TS_COMPAT 2	     /* thread_info.status */
#define X32_CALL  0x40000000 /* in the number of a call of x32 */

#define NR32_OLD_MMAP	 90
#define NR32_SOCKETCALL	 102
#define NR32_TRUNCATE64	 193
#define NR32_FTRUNCATE64 194
#define SOCKETCALL_SEND	 9
#define SOCKETCALL_RECV	 10

/* The numbers of the same calls with 64 bits, plus 1; 0: there is none. Written by the agent before anything
 * is attached. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COMPAT_CALLS);
	__type(key, __u32);
	__type(value, __u32);
} compat_numbers __weak SEC(".maps");

#if defined(__TARGET_ARCH_x86)
/* Where the current call is in the tables; beyond them: nowhere. */
static __always_inline __u32 compat_entry(void)
{
	struct pt_regs *regs = current_regs();
	__u32 nr = LD(regs, orig_ax);

	if (nr == NR32_SOCKETCALL)
		return SOCKETCALLS + (LD(regs, bx) & 31);
	return nr < SOCKETCALLS ? nr : COMPAT_CALLS;
}

static __noinline __attribute__((unused)) __u32 compat_call(void)
{
	__u32 entry = compat_entry(), *number = bpf_map_lookup_elem(&compat_numbers, &entry);

	return number && *number ? *number - 1 : SENTINEL_NO_SYSCALL;
}

static __always_inline bool is_compat(void)
{
	return LD(current_task(), thread_info.status) & TS_COMPAT;
}

/* What current has called, for programs that are not told. */
static __always_inline __u32 current_call(void)
{
	return is_compat() ? compat_call() : (__u32)LD(current_regs(), orig_ax) & ~X32_CALL;
}
#else
static __always_inline __u32 current_call(void)
{
	return LD(current_regs(), syscallno);
}
#endif

#if defined(SENTINEL_COMPAT) && defined(__TARGET_ARCH_x86)
typedef __u32 user_word;
#define COMPAT true

/* Where the arguments of the current call lie in the caller's memory; 0: in registers. */
static __always_inline __u64 compat_memory(struct pt_regs *regs)
{
	__u32 nr = LD(regs, orig_ax);

	if (nr == NR32_SOCKETCALL)
		return (__u32)LD(regs, cx);
	return nr == NR32_OLD_MMAP ? (__u32)LD(regs, bx) : 0;
}

static __noinline __attribute__((unused)) __u64 compat_argument(__u32 n)
{
	struct pt_regs *regs = current_regs();
	__u64 memory = compat_memory(regs);
	__u32 word = 0, entry = compat_entry();

	if (memory) {
		/* They are sendto and recvfrom without an address. */
		if (n > 3 &&
		    (entry == SOCKETCALLS + SOCKETCALL_SEND || entry == SOCKETCALLS + SOCKETCALL_RECV))
			return 0;
		bpf_probe_read_user(&word, sizeof(word), (void *)(memory + sizeof(word) * n));
		return word;
	}
	if (n == 0)
		return (__u32)LD(regs, bx);
	if (n == 1)
		return (__u32)LD(regs, cx);
	if (n == 2)
		return (__u32)LD(regs, dx);
	if (n == 3)
		return (__u32)LD(regs, si);
	return n == 4 ? (__u32)LD(regs, di) : (__u32)LD(regs, bp);
}

/* The second argument, a size: two registers, unless it is the old call. */
static __always_inline __u64 second_size(void)
{
	__u32 entry = compat_entry();
	__u64 size = compat_argument(1);

	if (entry == NR32_TRUNCATE64 || entry == NR32_FTRUNCATE64)
		size |= compat_argument(2) << 32;
	return size;
}

/* Whether another thread may have rewritten the descriptor of the current call. */
static __always_inline bool arguments_shared(void)
{
	return compat_memory(current_regs()) != 0;
}

#define call_of(ctx)	((void)(ctx), compat_call())
#define ARG_OF(regs, n) ((void)(regs), compat_argument(n))
#else
typedef __u64 user_word;
#define COMPAT false

static __always_inline bool arguments_shared(void)
{
	return false;
}

#define second_size()	ARG(1)

/* The number of the call, for the host's own architecture. */
#define call_of(ctx)	((ctx)->id)
#define ARG_OF(regs, n) LD(regs, REG##n)
#endif

/* An argument of the current call. */
#define ARG(n) ARG_OF(current_regs(), n)

/* -- structures in the caller's memory --------------------------------------------------------------- */

struct user_piece { /* iovec */
	user_word base, len;
};

/* The beginning of a msghdr. */
struct user_header {
	user_word name;
	__u32 name_len;
#if !defined(SENTINEL_COMPAT) || !defined(__TARGET_ARCH_x86)
	__u32 pad;
#endif
	user_word pieces;
};

/* Bytes of an mmsghdr, and where the length of the message is. */
#define MMSGHDR	    (COMPAT ? 32 : 64)
#define MMSGHDR_LEN (COMPAT ? 28 : 56)
