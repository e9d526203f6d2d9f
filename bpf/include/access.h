/* SPDX-License-Identifier: GPL-2.0-only */
/* How we look at kernel objects and at the arguments of the current system call. */
#pragma once

#include "kernel.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "nr.h"
#include "sentinel_abi.h"

#ifndef bpf_core_cast
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak; /* 6.2 */
#endif

/* Everything is built three times. SENTINEL_CAST: for kernels with bpf_rdonly_cast, which makes plain loads
 * of what are helper calls otherwise; nearly every line of ours is one. A constant set before load would do
 * as well, but the verifier takes dead code out piece by piece, and that had become a fifth of a start.
 * SENTINEL_COMPAT: for 32-bit system calls, see compat.h. */
#ifdef SENTINEL_CAST
#define HAS_CAST    true
#define HAS_PT_REGS true
#else
#define HAS_CAST    false
#define HAS_PT_REGS has_pt_regs
#endif
/* A fact about this kernel, set before load: bpf_task_pt_regs, 5.15. */
extern const volatile bool has_pt_regs;
/* Random, different at every start: kernel addresses leave the kernel only mixed with it. */
extern const volatile __u64 scramble_secret;
/* Report this process alone; 0: everybody. For measurements. */
extern const volatile __u32 only_tgid;
/* Bytes of the ring that are open to every kind of event; the rest is for those in ring.h. */
extern const volatile __u32 ring_common;

/* CAST gives the verifier a typed pointer; LD then is one load (a fault reads as 0). Without the kfunc
 * LD is one bpf_probe_read_kernel(). */
#define CAST(p, type) (HAS_CAST ? (type *)bpf_rdonly_cast((p), bpf_core_type_id_kernel(type)) : (type *)(p))
#define LD(p, field)                                                                                         \
	({                                                                                                   \
		typeof(p) __p = (p); /* once, and never nested */                                            \
		typeof(__p->field) __v = 0;                                                                  \
		if (HAS_CAST)                                                                                \
			__v = __p->field;                                                                    \
		else                                                                                         \
			bpf_core_read(&__v, sizeof(__v), &__p->field);                                       \
		__v;                                                                                         \
	})

/* A pointer as a number: the verifier lets typed pointers neither be mixed with a secret nor be passed to
 * global functions as integers. The difference of two pointers is a number, and the second one is NULL. */
#define NUM(p)                                                                                               \
	({                                                                                                   \
		__u64 __n =                                                                                  \
		    HAS_CAST                                                                                 \
			? (__u64)(p) - (__u64)bpf_rdonly_cast(NULL, bpf_core_type_id_kernel(struct file))    \
			: (__u64)(p);                                                                        \
		barrier_var(__n); /* clang would take NULL from what is added later */                       \
		__n;                                                                                         \
	})

/* A pointer of any type as a number, which global functions and maps take. */
static __always_inline __u64 address_of(const void *pointer)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

/* The eight bytes at @p, as a number: a load where LD is one. Any type whose first field is a pointer would
 * do. */
#define WORD(p) NUM(LD(CAST((void *)(p), struct path), mnt))

static __always_inline __u64 scramble(__u64 address)
{
	return address ^ scramble_secret;
}

static __always_inline struct task_struct *current_task(void)
{
	return CAST((void *)bpf_get_current_task(), struct task_struct);
}

/* -- system call arguments, at exit, without an enter hook ------------------------------------------ */

#if defined(__TARGET_ARCH_x86)
#define THREAD_SIZE (16 * 1024)
#define REG0	    di
#define REG1	    si
#define REG2	    dx
#define REG3	    r10
#define REG4	    r8
#define REG5	    r9
#define NR_OPEN	    2
#elif defined(__TARGET_ARCH_arm64)
#define THREAD_SIZE (16 * 1024)
#define REG0	    orig_x0
#define REG1	    regs[1]
#define REG2	    regs[2]
#define REG3	    regs[3]
#define REG4	    regs[4]
#define REG5	    regs[5]
#define NR_OPEN	    (-1)
#endif

/* pt_regs of the system call that current is in. They keep the arguments until the call has ended. */
static __always_inline struct pt_regs *current_regs(void)
{
	if (HAS_PT_REGS) {
		struct task_struct *t = (void *)bpf_get_current_task_btf();

		return CAST((void *)bpf_task_pt_regs(t), struct pt_regs);
	}
	/* 5.10: top of the kernel stack. Right without FRED and KASAN, which came later. */
	void *top = (void *)LD(current_task(), stack) + THREAD_SIZE;

	return CAST(top - bpf_core_type_size(struct pt_regs), struct pt_regs);
}

#include "compat.h"

/* -- descriptors ------------------------------------------------------------------------------------ */

/* The file at @fd as a number: what global functions take. 0: none. */
static __always_inline __u64 file_of_fd(unsigned int fd)
{
	struct fdtable *fdt = LD(LD(current_task(), files), fdt);

	if (fd >= LD(fdt, max_fds))
		return 0;
	return WORD((void *)LD(fdt, fd) + 8ul * fd);
}

/* Others can put another file behind a descriptor of ours at any time. */
static __always_inline bool files_shared(void)
{
	return LD(LD(current_task(), files), count.counter) > 1;
}

/* pid number of @pid in its own namespace, the one it was made in. */
static __always_inline struct upid *own_upid(struct pid *pid)
{
	__u32 level = LD(pid, level);

	return CAST((void *)pid + bpf_core_field_offset(struct pid, numbers) +
			level * bpf_core_type_size(struct upid),
		    struct upid);
}
