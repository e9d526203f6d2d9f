/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of io_uring about the file that they hold. FTRUNCATE is an ftruncate. FIXED_FD_INSTALL, which
 * makes a descriptor of one of the ring's own files, is a dup: of no descriptor, since the caller named none.
 * Part of uring_tell.h. */
#pragma once

#define URING_TRUNCATE(BYTES, SIZE)                                                                          \
	do {                                                                                                 \
		struct sentinel_file_truncate *r =                                                           \
		    ring_reserve(SENTINEL_KIND_FILE_TRUNCATE, sizeof(*r) + (BYTES));                         \
		if (!r)                                                                                      \
			return 0;                                                                            \
		path_copy(&r->target.path, TAIL(r), 0, path, measure, SIZE, true);                           \
		__builtin_memset(&r->target.asked, 0, sizeof(r->target.asked));                              \
		r->target.fd = e->fd;                                                                        \
		r->target.ino = 0;                                                                           \
		r->target.dev = 0;                                                                           \
		if (file) {                                                                                  \
			struct inode *inode = LD(CAST((void *)file, struct file), f_inode);                  \
			r->target.ino = LD(inode, i_ino);                                                    \
			r->target.dev = LD(LD(inode, i_sb), s_dev);                                          \
			r->target.path.flags |= leaf_flags(file) | (held ? 0 : SENTINEL_PATH_SHARED);        \
		}                                                                                            \
		r->size = e->args[0];                                                                        \
		fill_request(&r->hdr, SENTINEL_KIND_FILE_TRUNCATE, sizeof(*r) + r->target.path.span.len,     \
			     NR_FTRUNCATE, res, owner);                                                      \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

/* What a request of which only our notes are left, or that has just been submitted, uses. */
static __always_inline __u64 file_noted(struct uring_request *e, __u64 owner)
{
	return e->fd < 0 ? file_of_slot(e->ring, e->slot)
			 : file_of(CAST((void *)owner, struct task_struct), e->fd);
}

static __always_inline void install_fill(struct sentinel_dup *r, struct uring_request *e, __u64 file,
					 struct socket_call *c, __u32 held)
{
	__builtin_memset(&r->socket, 0, sizeof(r->socket));
	r->old_fd = -1;
	r->asked_fd = -1;
	r->flags = e->args[0];
	r->ino = 0;
	r->dev = 0;
	if (file) {
		struct inode *inode = LD(CAST((void *)file, struct file), f_inode);

		r->ino = LD(inode, i_ino);
		r->dev = LD(LD(inode, i_sb), s_dev);
	}
	if (c->sk) {
		socket_fill(&r->socket, c);
		r->socket.shared = !held;
	}
	r->socket.fd = c->ret >= 0 ? c->ret : -1;
}

#define URING_INSTALL_SOCKET(BYTES)                                                                          \
	do {                                                                                                 \
		struct sentinel_dup *r = ring_reserve(SENTINEL_KIND_DUP, sizeof(*r) + (BYTES));              \
		if (!r)                                                                                      \
			return 0;                                                                            \
		__builtin_memset(&r->path, 0, sizeof(r->path));                                              \
		install_fill(r, e, file, c, held);                                                           \
		if (BYTES)                                                                                   \
			unix_fill(&r->socket, TAIL(r), c);                                                   \
		fill_request(&r->hdr, SENTINEL_KIND_DUP, sizeof(*r) + (BYTES), NR_DUP, res, owner);          \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

#define URING_INSTALL_FILE(BYTES, SIZE)                                                                      \
	do {                                                                                                 \
		struct sentinel_dup *r = ring_reserve(SENTINEL_KIND_DUP, sizeof(*r) + (BYTES));              \
		if (!r)                                                                                      \
			return 0;                                                                            \
		path_copy(&r->path, TAIL(r), 0, path, measure, SIZE, true);                                  \
		r->path.flags |= leaf_flags(file) | (held ? 0 : SENTINEL_PATH_SHARED);                       \
		install_fill(r, e, file, c, held);                                                           \
		fill_request(&r->hdr, SENTINEL_KIND_DUP, sizeof(*r) + r->path.span.len, NR_DUP, res, owner); \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

/* @held: @file is what the request used; else it is looked up. */
__noinline __weak int uring_tell_held(__u64 req, __u64 owner, long res, __u64 file, __u32 held)
{
	struct uring_request *e = bpf_map_lookup_elem(&uring_requests, &req);
	struct socket_call call = {.kind = SENTINEL_KIND_DUP, .nr = NR_DUP, .ret = res, .fd = -1}, *c = &call;
	__u64 path, measure;

	if (!e)
		return 0;
	if (!held)
		file = file_noted(e, owner);
	path = path_of_file(file);
	measure = base_measure(path);
	if (e->op == OP_FTRUNCATE) {
		if (path_size(measure) != SIZE_LARGE)
			URING_TRUNCATE(PATH_MEDIUM, SIZE_MEDIUM);
		URING_TRUNCATE(PATH_LARGE, SIZE_LARGE);
	}
	c->sk = sock_of_file(file);
	c->family = c->sk ? LD(c->sk, __sk_common.skc_family) : 0;
	if (c->family == AF_UNIX)
		URING_INSTALL_SOCKET(UNIX_TAIL);
	if (c->sk || !file || !has_path(LD(CAST((void *)file, struct file), f_inode)))
		URING_INSTALL_SOCKET(0);
	if (path_size(measure) != SIZE_LARGE)
		URING_INSTALL_FILE(PATH_MEDIUM, SIZE_MEDIUM);
	URING_INSTALL_FILE(PATH_LARGE, SIZE_LARGE);
}
