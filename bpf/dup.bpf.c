// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors duplicated: dup, dup2, dup3, fcntl with F_DUPFD. A socket put onto 0, 1 or 2 is one event, with
 * both ends of its connection. Misses: descriptors received over a socket, pidfd_getfd;
 * io_uring is uring.bpf.c's. */
#include "path.h"
#include "socket.h"

#define F_DUPFD		0
#define F_DUPFD_CLOEXEC 1030
#define O_CLOEXEC	02000000

struct dup_call {
	__u64 file;
	__s32 asked_fd;
	__u32 flags;
};

static __always_inline bool dup_args(struct dup_call *d, long nr)
{
	d->asked_fd = -1;
	if (nr == NR_FCNTL) {
		__u32 cmd = ARG(1);

		if (cmd != F_DUPFD && cmd != F_DUPFD_CLOEXEC)
			return false;
		d->asked_fd = ARG(2);
		d->flags = cmd == F_DUPFD_CLOEXEC ? O_CLOEXEC : 0;
	} else if (nr != NR_DUP) {
		d->asked_fd = ARG(1);
		d->flags = nr == NR_DUP3 ? ARG(2) : 0;
	}
	return true;
}

static __always_inline void dup_fill(struct sentinel_dup *r, struct dup_call *d, struct socket_call *c)
{
	struct inode *inode;

	__builtin_memset(&r->socket, 0, sizeof(r->socket));
	r->old_fd = c->fd;
	r->asked_fd = d->asked_fd;
	r->flags = d->flags;
	r->ino = 0;
	r->dev = 0;
	if (d->file) {
		inode = LD(CAST((void *)d->file, struct file), f_inode);
		r->ino = LD(inode, i_ino);
		r->dev = LD(LD(inode, i_sb), s_dev);
	}
	if (c->sk)
		socket_fill(&r->socket, c);
	r->socket.fd = c->ret >= 0 ? c->ret : c->fd;
}

#define DUP_SOCKET(BYTES)                                                                                    \
	do {                                                                                                 \
		struct sentinel_dup *r = ring_reserve(SENTINEL_KIND_DUP, sizeof(*r) + (BYTES));              \
		if (!r)                                                                                      \
			return 0;                                                                            \
		__builtin_memset(&r->path, 0, sizeof(r->path));                                              \
		dup_fill(r, &d, c);                                                                          \
		if (BYTES)                                                                                   \
			unix_fill(&r->socket, (__u8 *)(r + 1), c);                                           \
		fill_header(&r->hdr, SENTINEL_KIND_DUP, sizeof(*r) + (BYTES), c->nr, c->ret);                \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

#define DUP_FILE(BYTES, SIZE)                                                                                \
	do {                                                                                                 \
		struct sentinel_dup *r = ring_reserve(SENTINEL_KIND_DUP, sizeof(*r) + (BYTES));              \
		if (!r)                                                                                      \
			return 0;                                                                            \
		path_copy(&r->path, (__u8 *)(r + 1), 0, path, measure, SIZE, loop);                          \
		r->path.flags |= leaf_flags(d.file) | (files_shared() ? SENTINEL_PATH_SHARED : 0);           \
		dup_fill(r, &d, c);                                                                          \
		fill_header(&r->hdr, SENTINEL_KIND_DUP, sizeof(*r) + r->path.span.len, c->nr, c->ret);       \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

static __always_inline int dup_exit(struct tp_sys_exit *ctx, bool loop)
{
	struct socket_call call = {.kind = SENTINEL_KIND_DUP, .nr = call_of(ctx), .ret = ctx->ret},
			   *c = &call;
	struct dup_call d = {};
	__u64 path, measure;

	if (!wanted_call(SENTINEL_KIND_DUP, ctx->ret) || !dup_args(&d, call_of(ctx)))
		return 0;
	c->fd = ARG(0);
	/* Both descriptors lead to the file; the new one is less likely to have been closed since. */
	d.file = file_of_fd(c->ret >= 0 ? (__u32)c->ret : (__u32)c->fd);
	c->sk = sock_of_file(d.file);
	c->family = c->sk ? LD(c->sk, __sk_common.skc_family) : 0;
	if (c->family == AF_UNIX)
		DUP_SOCKET(UNIX_TAIL);
	if (c->sk || !d.file || !has_path(LD(CAST((void *)d.file, struct file), f_inode)))
		DUP_SOCKET(0);
	path = path_of_file(d.file);
	measure = path_measure(path);
	if (path_size(measure) == SIZE_SMALL)
		DUP_FILE(PATH_SMALL, SIZE_SMALL);
	else if (path_size(measure) == SIZE_MEDIUM)
		DUP_FILE(PATH_MEDIUM, SIZE_MEDIUM);
	else
		DUP_FILE(PATH_LARGE, SIZE_LARGE);
}

/* Attached to sys_exit_{dup,dup2,dup3,fcntl}. */
PROGRAM(dup, struct tp_sys_exit, dup_exit, ctx)
