// SPDX-License-Identifier: GPL-2.0-only
/* What files are changed to: chmod, chown, truncate. By descriptor the file is the kernel's; by name the
 * directory is, and the name user memory at the exit of the call, beside what used.bpf.c has noted. Misses:
 * int 0x80; io_uring is uring.bpf.c's.
 */
#include "names.h"

static __always_inline void target_file(struct sentinel_file_target *t, __u64 file, int fd)
{
	struct inode *inode;

	__builtin_memset(&t->asked, 0, sizeof(t->asked));
	t->fd = fd;
	t->ino = 0;
	t->dev = 0;
	if (!file)
		return;
	inode = LD(CAST((void *)file, struct file), f_inode);
	t->ino = LD(inode, i_ino);
	t->dev = LD(LD(inode, i_sb), s_dev);
	t->path.flags |= leaf_flags(file) | (files_shared() ? SENTINEL_PATH_SHARED : 0);
}

static __always_inline void target_name(struct sentinel_file_target *t)
{
	__builtin_memset(&t->path, 0, sizeof(t->path));
	t->ino = 0;
	t->dev = 0;
	t->fd = -1;
}

#define BY_FD_SIZED(NAME, KIND, BYTES, SIZE, FILL)                                                           \
	do {                                                                                                 \
		struct sentinel_##NAME *r = ring_reserve((KIND), sizeof(*r) + (BYTES));                      \
		if (!r)                                                                                      \
			return 0;                                                                            \
		path_copy(&r->target.path, TAIL(r), 0, path, measure, SIZE, loop);                           \
		target_file(&r->target, file, fd);                                                           \
		FILL;                                                                                        \
		fill_header(&r->hdr, (KIND), sizeof(*r) + r->target.path.span.len, call_of(ctx), ctx->ret);  \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

/* A record about the file behind @FD. Returns from the program. */
#define BY_FD(NAME, KIND, FD, FILL)                                                                          \
	do {                                                                                                 \
		int fd = (FD);                                                                               \
		__u64 file = file_of_fd(fd), path = path_of_file(file),                                      \
		      measure = path ? path_measure(path) : 1ull << 32;                                      \
		if (path_size(measure) == SIZE_SMALL)                                                        \
			BY_FD_SIZED(NAME, KIND, PATH_SMALL, SIZE_SMALL, FILL);                               \
		else if (path_size(measure) == SIZE_MEDIUM)                                                  \
			BY_FD_SIZED(NAME, KIND, PATH_MEDIUM, SIZE_MEDIUM, FILL);                             \
		else                                                                                         \
			BY_FD_SIZED(NAME, KIND, PATH_LARGE, SIZE_LARGE, FILL);                               \
	} while (0)

/* -- chmod, fchmod, fchmodat, fchmodat2 ------------------------------------------------------------- */

#define CHMOD_FILL                                                                                           \
	({                                                                                                   \
		r->mode = mode;                                                                              \
		r->flags = flags;                                                                            \
	})

static __always_inline int chmod_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool at = call_of(ctx) == NR_FCHMODAT || call_of(ctx) == NR_FCHMODAT2;
	const char *user = at ? (void *)ARG(1) : (void *)ARG(0);
	long dirfd = at ? (long)ARG(0) : AT_FDCWD;
	__u32 mode = at ? ARG(2) : ARG(1), flags = call_of(ctx) == NR_FCHMODAT2 ? ARG(3) : 0;

	if (!wanted_call(SENTINEL_KIND_FILE_CHMOD, ctx->ret))
		return 0;
	if (call_of(ctx) == NR_FCHMOD)
		BY_FD(file_chmod, SENTINEL_KIND_FILE_CHMOD, ARG(0), CHMOD_FILL);
	ONE_NAME(file_chmod, SENTINEL_KIND_FILE_CHMOD, target.asked, dirfd, user, {
		target_name(&r->target);
		CHMOD_FILL;
	});
	return 0;
}

/* Attached to sys_exit_{chmod,fchmod,fchmodat,fchmodat2}. */
PROGRAM(file_chmod, struct tp_sys_exit, chmod_exit, ctx)

/* -- chown, fchown, lchown, fchownat ---------------------------------------------------------------- */

#define CHOWN_FILL                                                                                           \
	({                                                                                                   \
		r->uid = uid;                                                                                \
		r->gid = gid;                                                                                \
		r->flags = flags;                                                                            \
		r->pad = 0;                                                                                  \
	})

static __always_inline int chown_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool at = call_of(ctx) == NR_FCHOWNAT;
	const char *user = at ? (void *)ARG(1) : (void *)ARG(0);
	long dirfd = at ? (long)ARG(0) : AT_FDCWD;
	__u32 uid = at ? ARG(2) : ARG(1), gid = at ? ARG(3) : ARG(2), flags = at ? ARG(4) : 0;

	if (!wanted_call(SENTINEL_KIND_FILE_CHOWN, ctx->ret))
		return 0;
	if (call_of(ctx) == NR_FCHOWN)
		BY_FD(file_chown, SENTINEL_KIND_FILE_CHOWN, ARG(0), CHOWN_FILL);
	ONE_NAME(file_chown, SENTINEL_KIND_FILE_CHOWN, target.asked, dirfd, user, {
		target_name(&r->target);
		CHOWN_FILL;
	});
	return 0;
}

/* Attached to sys_exit_{chown,fchown,lchown,fchownat}. */
PROGRAM(file_chown, struct tp_sys_exit, chown_exit, ctx)

/* -- truncate, ftruncate ---------------------------------------------------------------------------- */

static __always_inline int truncate_exit(struct tp_sys_exit *ctx, bool loop)
{
	const char *user = (void *)ARG(0);
	__u64 size = second_size();

	if (!wanted_call(SENTINEL_KIND_FILE_TRUNCATE, ctx->ret))
		return 0;
	if (call_of(ctx) != NR_TRUNCATE)
		BY_FD(file_truncate, SENTINEL_KIND_FILE_TRUNCATE, ARG(0), r->size = size);
	ONE_NAME(file_truncate, SENTINEL_KIND_FILE_TRUNCATE, target.asked, AT_FDCWD, user, {
		target_name(&r->target);
		r->size = size;
	});
	return 0;
}

/* Attached to sys_exit_{truncate,ftruncate}. Misses what O_TRUNC does: that is an open. */
PROGRAM(file_truncate, struct tp_sys_exit, truncate_exit, ctx)
