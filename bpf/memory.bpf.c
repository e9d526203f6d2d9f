// SPDX-License-Identifier: GPL-2.0-only
/* Other processes' memory, and memory that can be run: ptrace, memfd_create, mmap, mprotect. */
#include "path.h"

#define PROT_EXEC     4
#define MAP_ANONYMOUS 0x20

/* -- ptrace ----------------------------------------------------------------------------------------- */

/* Requests that attach to, write to or take over another process. */
static __always_inline bool ptrace_matters(__u64 request)
{
	switch (request) {
	case 0:	     /* TRACEME */
	case 4:	     /* POKETEXT */
	case 5:	     /* POKEDATA */
	case 6:	     /* POKEUSER */
	case 13:     /* SETREGS, x86 */
	case 15:     /* SETFPREGS, x86 */
	case 16:     /* ATTACH */
	case 0x4205: /* SETREGSET */
	case 0x4206: /* SEIZE */
		return true;
	default:
		return false;
	}
}

/* Attached to sys_exit_ptrace. Misses: int 0x80. */
SEC("tracepoint")
int ptrace(struct tp_sys_exit *ctx)
{
	__u64 request = ARG(0);
	struct sentinel_ptrace *r;

	if (!ptrace_matters(request) || !wanted_call(SENTINEL_KIND_PTRACE, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_PTRACE, sizeof(*r));
	if (!r)
		return 0;
	r->request = request;
	r->target_pid = request ? ARG(1) : 0;
	r->pad = 0;
	fill_header(&r->hdr, SENTINEL_KIND_PTRACE, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* -- memfd_create ----------------------------------------------------------------------------------- */

#define MEMFD_NAME 256 /* NAME_MAX and its NUL; 6 of them are "memfd:" */

/* The kernel put "memfd:" before the name; anything else is not the file that was made. */
static __always_inline bool memfd_name(struct sentinel_span *s, __u8 *buf, __u64 file)
{
	long n;

	if (!file)
		return false;
	n = bpf_probe_read_kernel_str(buf, MEMFD_NAME,
				      LD(LD(CAST((void *)file, struct file), f_path.dentry), d_name.name));
	if (n < 7 || buf[0] != 'm' || buf[1] != 'e' || buf[2] != 'm' || buf[3] != 'f' || buf[4] != 'd' ||
	    buf[5] != ':')
		return false;
	s->off = 6;
	s->len = n - 7;
	return true;
}

/* Attached to sys_exit_memfd_create. */
SEC("tracepoint")
int memfd_create(struct tp_sys_exit *ctx)
{
	struct sentinel_memfd_create *r;
	__u8 *tail;

	if (!wanted_call(SENTINEL_KIND_MEMFD_CREATE, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_MEMFD_CREATE, sizeof(*r) + MEMFD_NAME);
	if (!r)
		return 0;
	tail = (__u8 *)(r + 1);
	if (!memfd_name(&r->name, tail, ctx->ret >= 0 ? file_of_fd(ctx->ret) : 0)) {
		long n = bpf_probe_read_user_str(tail, MEMFD_NAME, (void *)ARG(0));

		r->name.off = 0;
		r->name.len = n > 0 ? n - 1 : 0;
	}
	r->flags = ARG(1);
	fill_header(&r->hdr, SENTINEL_KIND_MEMFD_CREATE, sizeof(*r) + r->name.off + r->name.len, call_of(ctx),
		    ctx->ret);
	ring_submit(r);
	return 0;
}

/* -- mmap with PROT_EXEC ---------------------------------------------------------------------------- */

#define MMAP(BYTES, SIZE)                                                                                    \
	do {                                                                                                 \
		struct sentinel_mmap_exec *r = ring_reserve(SENTINEL_KIND_MMAP_EXEC, sizeof(*r) + (BYTES));  \
		if (!r)                                                                                      \
			return 0;                                                                            \
		path_copy(&r->path, (__u8 *)(r + 1), 0, path, measure, SIZE, loop);                          \
		mmap_fill(r, file, prot, ctx);                                                               \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

static __always_inline void mmap_fill(struct sentinel_mmap_exec *r, __u64 file, __u32 prot,
				      struct tp_sys_exit *ctx)
{
	r->addr = ctx->ret < 0 ? (__u64)ARG(0) : (__u64)ctx->ret;
	r->size = ARG(1);
	r->prot = prot;
	r->flags = ARG(3);
	r->ino = 0;
	if (file) {
		r->ino = LD(LD(CAST((void *)file, struct file), f_inode), i_ino);
		r->path.flags |= leaf_flags(file) | (files_shared() ? SENTINEL_PATH_SHARED : 0);
	}
	fill_header(&r->hdr, SENTINEL_KIND_MMAP_EXEC, sizeof(*r) + r->path.span.len, call_of(ctx), ctx->ret);
}

static __always_inline int mmap_exit(struct tp_sys_exit *ctx, bool loop)
{
	__u32 prot = ARG(2);
	__u64 file, path, measure;

	if (!(prot & PROT_EXEC) || !wanted_call(SENTINEL_KIND_MMAP_EXEC, ctx->ret))
		return 0;
	file = ARG(3) & MAP_ANONYMOUS ? 0 : file_of_fd((unsigned int)ARG(4));
	path = path_of_file(file);
	measure = path ? path_measure(path) : 1ull << 32;
	if (path_size(measure) == SIZE_SMALL)
		MMAP(PATH_SMALL, SIZE_SMALL);
	else if (path_size(measure) == SIZE_MEDIUM)
		MMAP(PATH_MEDIUM, SIZE_MEDIUM);
	else
		MMAP(PATH_LARGE, SIZE_LARGE);
}

/* Attached to sys_exit_mmap. The file is the one at the descriptor now: the mapping itself would tell more,
 * but it cannot be looked up safely from here. Misses: what exec maps, int 0x80. */
SEC("tracepoint")
int mmap_exec(struct tp_sys_exit *ctx)
{
	return mmap_exit(ctx, true);
}

SEC("tracepoint")
int mmap_exec_old(struct tp_sys_exit *ctx)
{
	return mmap_exit(ctx, false);
}

/* -- mprotect, pkey_mprotect with PROT_EXEC --------------------------------------------------------- */

/* Attached to sys_exit_{mprotect,pkey_mprotect}. */
SEC("tracepoint")
int mprotect_exec(struct tp_sys_exit *ctx)
{
	__u32 prot = ARG(2);
	struct sentinel_mprotect_exec *r;

	if (!(prot & PROT_EXEC) || !wanted_call(SENTINEL_KIND_MPROTECT_EXEC, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_MPROTECT_EXEC, sizeof(*r));
	if (!r)
		return 0;
	r->addr = ARG(0);
	r->size = ARG(1);
	r->prot = prot;
	r->pad = 0;
	fill_header(&r->hdr, SENTINEL_KIND_MPROTECT_EXEC, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}
