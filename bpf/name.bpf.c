// SPDX-License-Identifier: GPL-2.0-only
/* Names that are made: link, symlink, mkdir, mknod. As in file.bpf.c: the directory is the kernel's, the name
 * user memory at the exit of the call, beside what used.bpf.c has noted. Misses: int 0x80. */
#include "names.h"

static __always_inline int link_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool at = call_of(ctx) == NR_LINKAT;
	long from_fd = at ? (long)ARG(0) : AT_FDCWD, to_fd = at ? (long)ARG(2) : AT_FDCWD;
	const char *old = at ? (void *)ARG(1) : (void *)ARG(0), *new = at ? (void *)ARG(3) : (void *)ARG(1);
	__u32 flags = at ? ARG(4) : 0;

	if (wanted_call(SENTINEL_KIND_FILE_LINK, ctx->ret))
		TWO_NAMES(file_link, SENTINEL_KIND_FILE_LINK, from_fd, old, to_fd, new, flags);
	return 0;
}

/* Attached to sys_exit_{link,linkat}. */
PROGRAM(file_link, struct tp_sys_exit, link_exit, ctx)

#define SYMLINK(BYTES, SIZE, NAME, LAST)                                                                     \
	do {                                                                                                 \
		struct sentinel_file_symlink *r =                                                            \
		    ring_take(SENTINEL_KIND_FILE_SYMLINK, sizeof(*r) + (BYTES) + (NAME));                    \
		long n;                                                                                      \
		if (!r) {                                                                                    \
			ring_count(SENTINEL_KIND_FILE_SYMLINK, COUNT_LOST);                                  \
			return 0;                                                                            \
		}                                                                                            \
		named_path(&r->link, TAIL(r), 0, base, measure, SIZE, name, noted_call, 0, loop);            \
		n = bpf_probe_read_user_str(TAIL(r) + (BYTES), (NAME), target);                              \
		if (loop && noted_call != NOTED_NOTHING) {                                                   \
			long copied = noted_text((void *)(TAIL(r) + (BYTES)));                               \
			if (copied > 0)                                                                      \
				n = copied;                                                                  \
		}                                                                                            \
		if (!(LAST) && (name_cut(&r->link) || n == (NAME))) {                                        \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		r->target.off = (BYTES);                                                                     \
		r->target.len = n > 0 ? n - 1 : 0;                                                           \
		r->unreadable = n < 0;                                                                       \
		fill_header(&r->hdr, SENTINEL_KIND_FILE_SYMLINK, sizeof(*r) + (BYTES) + r->target.len,       \
			    call_of(ctx), ctx->ret);                                                         \
		ring_count(SENTINEL_KIND_FILE_SYMLINK, COUNT_DELIVERED);                                     \
		ring_submit(r);                                                                              \
		if (loop)                                                                                    \
			noted_forget();                                                                      \
		return 0;                                                                                    \
	} while (0)

static __always_inline int symlink_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool plain = call_of(ctx) == NR_SYMLINK;
	const char *target = (void *)ARG(0), *name = plain ? (void *)ARG(1) : (void *)ARG(2);
	long dirfd = plain ? AT_FDCWD : (long)ARG(1);
	enum noted noted_call;
	__u64 base, measure;

	if (!wanted_call(SENTINEL_KIND_FILE_SYMLINK, ctx->ret))
		return 0;
	base = base_of(dirfd, name);
	measure = base ? path_measure(base) : 1ull << 32;
	noted_call = loop ? noted_size(SENTINEL_KIND_FILE_SYMLINK, ctx->ret) : NOTED_NOTHING;
	if (path_size(measure) == SIZE_SMALL && noted_call != NOTED_LARGE)
		SYMLINK(NAMED_SMALL, SIZE_SMALL, USER_NAME_SMALL, false);
	SYMLINK(NAMED_LARGE, SIZE_LARGE, USER_NAME_LARGE, true);
	return 0;
}

/* Attached to sys_exit_{symlink,symlinkat}. */
PROGRAM(file_symlink, struct tp_sys_exit, symlink_exit, ctx)

static __always_inline int mkdir_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool plain = call_of(ctx) == NR_MKDIR;
	long dirfd = plain ? AT_FDCWD : (long)ARG(0);
	const char *user = plain ? (void *)ARG(0) : (void *)ARG(1);
	__u32 mode = plain ? ARG(1) : ARG(2);

	if (wanted_call(SENTINEL_KIND_FILE_MKDIR, ctx->ret))
		ONE_NAME(file_mkdir, SENTINEL_KIND_FILE_MKDIR, target, dirfd, user, {
			r->mode = mode;
			r->pad = 0;
		});
	return 0;
}

/* Attached to sys_exit_{mkdir,mkdirat}. */
PROGRAM(file_mkdir, struct tp_sys_exit, mkdir_exit, ctx)

static __always_inline int mknod_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool plain = call_of(ctx) == NR_MKNOD;
	long dirfd = plain ? AT_FDCWD : (long)ARG(0);
	const char *user = plain ? (void *)ARG(0) : (void *)ARG(1);
	__u32 mode = plain ? ARG(1) : ARG(2), rdev = plain ? ARG(2) : ARG(3);

	if (wanted_call(SENTINEL_KIND_FILE_MKNOD, ctx->ret))
		ONE_NAME(file_mknod, SENTINEL_KIND_FILE_MKNOD, target, dirfd, user, {
			r->mode = mode;
			r->rdev = rdev;
		});
	return 0;
}

/* Attached to sys_exit_{mknod,mknodat}. */
PROGRAM(file_mknod, struct tp_sys_exit, mknod_exit, ctx)
