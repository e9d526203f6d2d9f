/* SPDX-License-Identifier: GPL-2.0-only */
/* The events of requests of io_uring, written from the notes of uring_request.h. */
#pragma once

#include "filter.h"
#include "uring_request.h"

#define EMPTY_SLOT 0xffffffffu /* IORING_FILE_INDEX_ALLOC: the kernel chooses */
#define ECANCELED  125

/* As fill_owner(), which a program with many kinds of records would verify for each. */
__noinline __weak int fill_owner_once(struct sentinel_header *h, __u64 owner)
{
	if (h)
		fill_owner(h, owner);
	return 0;
}

static __always_inline void fill_request(struct sentinel_header *h, __u16 kind, __u32 len, __u32 nr,
					 __s64 result, __u64 owner)
{
	h->len = len;
	h->kind = kind;
	h->time_ns = bpf_ktime_get_boot_ns();
	h->result = result;
	h->syscall = nr;
	fill_owner_once(h, owner);
}

static __always_inline __u64 base_address(struct uring_request *e, int which)
{
	return e->base[which][1] ? address_of(e->base[which]) : 0;
}

static __always_inline __u64 base_measure(__u64 base)
{
	return base ? path_measure_loop(base) : 1ull << 32;
}

/* One of the names behind its directory, @off bytes into the tail. Sizes are constants. */
static __always_inline void asked_name(struct sentinel_user_path *u, __u8 *tail, __u32 off,
				       struct uring_request *e, __u64 req, int which, __u64 base,
				       __u64 measure, enum path_size size)
{
	__u32 room = size == SIZE_SMALL ? PATH_SMALL : PATH_LARGE;
	__u32 cap = size == SIZE_SMALL ? USER_NAME_SMALL : USER_NAME_LARGE;
	const void *name = e->names + which * USER_NAME_SMALL;
	struct uring_name *whole = NULL;
	long n;

	path_copy(&u->base, tail + off, off, base, measure, size, true);
	if (size != SIZE_SMALL && e->whole & 1 << which)
		whole = bpf_map_lookup_elem(&uring_names, &req);
	if (whole)
		name = whole->names + which * USER_NAME_LARGE;
	n = bpf_probe_read_kernel_str(tail + off + room, cap, name);
	u->name.off = off + room;
	u->name.len = n > 0 ? n - 1 : 0;
	u->unreadable = (e->unreadable >> which & 1) || (e->whole & 1 << which && !whole);
	/* What the kernel has copied when the request was submitted: nobody can rewrite it. */
	__builtin_memset(&u->second, 0, sizeof(u->second));
}

#define END(r, NAME) (sizeof(*(r)) + (NAME).off + (NAME).len)

#define URING_ONE_SIZED(NAME, KIND, NR, FIELD, BYTES, SIZE, FILL)                                            \
	do {                                                                                                 \
		struct sentinel_##NAME *r = ring_reserve((KIND), sizeof(*r) + (BYTES));                      \
		if (!r)                                                                                      \
			return 0;                                                                            \
		asked_name(&r->FIELD, TAIL(r), 0, e, req, 0, base, measure, SIZE);                           \
		FILL;                                                                                        \
		fill_request(&r->hdr, (KIND), END(r, r->FIELD.name), (NR), res, owner);                      \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

#define URING_ONE(NAME, KIND, NR, FIELD, FILL)                                                               \
	do {                                                                                                 \
		if (path_size(measure) == SIZE_SMALL && !e->whole)                                           \
			URING_ONE_SIZED(NAME, KIND, NR, FIELD, USER_PATH_SMALL, SIZE_SMALL, FILL);           \
		URING_ONE_SIZED(NAME, KIND, NR, FIELD, USER_PATH_LARGE, SIZE_LARGE, FILL);                   \
	} while (0)

#define URING_TWO_SIZED(NAME, KIND, NR, BYTES, SIZE)                                                         \
	do {                                                                                                 \
		struct sentinel_##NAME *r = ring_reserve((KIND), sizeof(*r) + 2 * (BYTES));                  \
		if (!r)                                                                                      \
			return 0;                                                                            \
		asked_name(&r->from, TAIL(r), 0, e, req, 0, base, measure, SIZE);                            \
		asked_name(&r->to, TAIL(r), (BYTES), e, req, 1, base2, measure2, SIZE);                      \
		r->flags = e->args[0];                                                                       \
		r->pad = 0;                                                                                  \
		fill_request(&r->hdr, (KIND), END(r, r->to.name), (NR), res, owner);                         \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

#define URING_TWO(NAME, KIND, NR)                                                                            \
	do {                                                                                                 \
		__u64 base2 = base_address(e, 1), measure2 = base_measure(base2);                            \
		if (path_size(measure) == SIZE_SMALL && path_size(measure2) == SIZE_SMALL && !e->whole)      \
			URING_TWO_SIZED(NAME, KIND, NR, USER_PATH_SMALL, SIZE_SMALL);                        \
		URING_TWO_SIZED(NAME, KIND, NR, USER_PATH_LARGE, SIZE_LARGE);                                \
	} while (0)

#define URING_SYMLINK(BYTES, SIZE, TEXT)                                                                     \
	do {                                                                                                 \
		struct sentinel_file_symlink *r =                                                            \
		    ring_reserve(SENTINEL_KIND_FILE_SYMLINK, sizeof(*r) + (BYTES) + (TEXT));                 \
		struct uring_name *whole = bpf_map_lookup_elem(&uring_names, &req);                          \
		const void *text =                                                                           \
		    whole && e->whole & 2 ? whole->names + USER_NAME_LARGE : e->names + USER_NAME_SMALL;     \
		long n;                                                                                      \
		if (!r)                                                                                      \
			return 0;                                                                            \
		asked_name(&r->link, TAIL(r), 0, e, req, 0, base, measure, SIZE);                            \
		n = bpf_probe_read_kernel_str(TAIL(r) + (BYTES), (TEXT), text);                              \
		r->target.off = (BYTES);                                                                     \
		r->target.len = n > 0 ? n - 1 : 0;                                                           \
		r->unreadable = e->unreadable >> 1 & 1;                                                      \
		fill_request(&r->hdr, SENTINEL_KIND_FILE_SYMLINK, END(r, r->target), NR_SYMLINKAT, res,      \
			     owner);                                                                         \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

/* An event about names. A global function: verified once, by itself. */
__noinline __weak int uring_tell_names(__u64 req, __u64 owner, long res)
{
	struct uring_request *e = bpf_map_lookup_elem(&uring_requests, &req);
	__u64 base, measure;

	if (!e)
		return 0;
	base = base_address(e, 0);
	measure = base_measure(base);
	switch (e->op) {
	case OP_UNLINKAT:
		/* sentinel_file_rmdir has the same form */
		URING_ONE(file_unlink,
			  e->args[0] & AT_REMOVEDIR ? SENTINEL_KIND_FILE_RMDIR : SENTINEL_KIND_FILE_UNLINK,
			  NR_UNLINKAT, target, );
	case OP_MKDIRAT:
		URING_ONE(file_mkdir, SENTINEL_KIND_FILE_MKDIR, NR_MKDIRAT, target, {
			r->mode = e->args[0];
			r->pad = 0;
		});
	case OP_RENAMEAT: /* sentinel_file_link has the same form */
	case OP_LINKAT:
		URING_TWO(file_rename,
			  e->op == OP_LINKAT ? SENTINEL_KIND_FILE_LINK : SENTINEL_KIND_FILE_RENAME,
			  e->op == OP_LINKAT ? NR_LINKAT : NR_RENAMEAT2);
	case OP_SYMLINKAT:
		if (path_size(measure) == SIZE_SMALL && !e->whole)
			URING_SYMLINK(USER_PATH_SMALL, SIZE_SMALL, USER_NAME_SMALL);
		URING_SYMLINK(USER_PATH_LARGE, SIZE_LARGE, USER_NAME_LARGE);
	}
	return 0;
}

/* As open_unwanted() of file.bpf.c: what was opened is never certain here. */
static __always_inline bool unwanted(struct uring_request *e, long res)
{
	__u32 zero = 0;
	struct sentinel_open_filter *f = bpf_map_lookup_elem(&open_filter, &zero);
	__u64 secret = f ? *(volatile __u64 *)&f->secret : 0;
	bool writes = e->args[0] & (O_ACCMODE | O_CREAT_TRUNC);
	bool nobody;

	if (!f || !secret)
		return false;
	if (writes && f->modes & e->args[1])
		return false;
	nobody = res < 0 ? !f->failed : !f->unsure;
	barrier();
	return nobody && *(volatile __u64 *)&f->secret == secret;
}

#define URING_OPEN(PATH_BYTES, PATH_SIZE, BYTES, SIZE)                                                       \
	do {                                                                                                 \
		struct sentinel_file_open *r =                                                               \
		    ring_reserve(SENTINEL_KIND_FILE_OPEN, sizeof(*r) + (PATH_BYTES) + (BYTES));              \
		if (!r)                                                                                      \
			return 0;                                                                            \
		path_copy(&r->path, TAIL(r), 0, path, path_len, PATH_SIZE, true);                            \
		asked_name(&r->asked, TAIL(r), (PATH_BYTES), e, req, 0, base, measure, SIZE);                \
		r->flags = e->args[0];                                                                       \
		r->mode = e->args[1];                                                                        \
		r->ino = r->place = 0;                                                                       \
		r->dev = r->created = 0;                                                                     \
		if (file) {                                                                                  \
			struct file *f = CAST((void *)file, struct file);                                    \
			struct inode *inode = LD(f, f_inode);                                                \
			r->ino = LD(inode, i_ino);                                                           \
			r->dev = LD(LD(inode, i_sb), s_dev);                                                 \
			r->created = (LD(f, f_mode) & FMODE_CREATED) != 0;                                   \
			r->path.flags |= leaf_flags(file) | SENTINEL_PATH_SHARED;                            \
		}                                                                                            \
		fill_request(&r->hdr, SENTINEL_KIND_FILE_OPEN, END(r, r->asked.name),                        \
			     e->op == OP_OPENAT ? NR_OPENAT : NR_OPENAT2, res, owner);                       \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

/* @file: what the new descriptor leads to, or 0. */
__noinline __weak int uring_tell_open(__u64 req, __u64 owner, long res, __u64 file)
{
	struct uring_request *e = bpf_map_lookup_elem(&uring_requests, &req);
	__u64 path = path_of_file(file), path_len, base, measure;

	if (!e)
		return 0;
	if (unwanted(e, res)) {
		ring_count(SENTINEL_KIND_FILE_OPEN, COUNT_FILTERED);
		return 0;
	}
	path_len = base_measure(path);
	base = base_address(e, 0);
	measure = base_measure(base);
	if (path_size(path_len) != SIZE_LARGE && path_size(measure) == SIZE_SMALL && !e->whole)
		URING_OPEN(PATH_MEDIUM, SIZE_MEDIUM, USER_PATH_SMALL, SIZE_SMALL);
	URING_OPEN(PATH_LARGE, SIZE_LARGE, USER_PATH_LARGE, SIZE_LARGE);
}

#define URING_SOCKET(NAME, BYTES, EXTRA)                                                                     \
	do {                                                                                                 \
		struct sentinel_##NAME *r = ring_reserve(c->kind, sizeof(*r) + (BYTES));                     \
		if (!r)                                                                                      \
			return 0;                                                                            \
		__builtin_memset(&r->socket, 0, sizeof(*r) - sizeof(r->hdr));                                \
		EXTRA;                                                                                       \
		socket_fill(&r->socket, c);                                                                  \
		/* Only the one that an accept made was looked up by its number. */                          \
		r->socket.shared = c->kind == SENTINEL_KIND_ACCEPT;                                          \
		if (BYTES)                                                                                   \
			unix_fill(&r->socket, TAIL(r), c);                                                   \
		fill_request(&r->hdr, c->kind, sizeof(*r) + (BYTES), c->nr, c->ret, owner);                  \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

#define URING_NAMED_SOCKET(NAME, EXTRA)                                                                      \
	do {                                                                                                 \
		if (has_names(c))                                                                            \
			URING_SOCKET(NAME, UNIX_TAIL, EXTRA);                                                \
		URING_SOCKET(NAME, 0, EXTRA);                                                                \
	} while (0)

/* @file: the socket; of an accept the new one. */
__noinline __weak int uring_tell_socket(__u64 req, __u64 owner, long res, __u64 file)
{
	struct uring_request *e = bpf_map_lookup_elem(&uring_requests, &req);
	struct socket_call call = {.ret = res}, *c = &call;

	if (!e)
		return 0;
	if (e->op == OP_SOCKET) {
		struct sentinel_socket *r = ring_reserve(SENTINEL_KIND_SOCKET, sizeof(*r));

		if (!r)
			return 0;
		r->family = e->args[0];
		r->type = e->args[1];
		r->protocol = e->args[2];
		r->flags = e->args[3];
		fill_request(&r->hdr, SENTINEL_KIND_SOCKET, sizeof(*r), NR_SOCKET, res, owner);
		ring_submit(r);
		return 0;
	}
	c->fd = e->op == OP_ACCEPT && res >= 0 ? res : e->fd;
	c->sk = sock_of_file(file);
	c->family = c->sk ? LD(c->sk, __sk_common.skc_family) : 0;
	c->kind = kind_of_op(e->op, false);
	switch (e->op) {
	case OP_CONNECT:
		c->nr = NR_CONNECT;
		bpf_probe_read_kernel(&c->asked, sizeof(c->asked), &e->asked);
		break;
	case OP_ACCEPT:
		c->nr = NR_ACCEPT4;
		break;
	case OP_BIND:
		c->nr = NR_BIND;
		break;
	case OP_LISTEN:
		c->nr = NR_LISTEN;
		URING_NAMED_SOCKET(listen, r->backlog = e->args[0]);
	default:
		return 0;
	}
	/* sentinel_accept and sentinel_bind have the same form */
	URING_NAMED_SOCKET(connect, );
}

#include "uring_held.h"

/* @alive: the request is there and done; else it has just been submitted, or only our notes of it are left.
 */
static __always_inline void tell(struct uring_request *e, __u64 req, long res, bool alive)
{
	struct task_struct *task = alive ? uring_owner(req) : current_task();
	__u64 owner = address_of(task), file = 0;
	__u32 op = e->op;

	if (op == OP_ACCEPT && (res == -EAGAIN || res == -EINTR || res == -ERESTARTSYS || res == -ECANCELED))
		return;
	switch (op) {
	case OP_OPENAT:
	case OP_OPENAT2:
	case OP_ACCEPT:
		if (alive && res >= 0 && e->slot)
			file = file_of_slot(e->ring, e->slot == EMPTY_SLOT ? (__u32)res : e->slot - 1);
		else if (alive && res >= 0)
			file = file_of(task, res);
		else if (alive && op == OP_ACCEPT)
			file = address_of(BPF_CORE_READ((struct io_kiocb *)req, file));
		if (op == OP_ACCEPT)
			uring_tell_socket(req, owner, res, file);
		else
			uring_tell_open(req, owner, res, file);
		break;
	case OP_FTRUNCATE:
	case OP_FIXED_FD_INSTALL:
		if (alive)
			file = address_of(BPF_CORE_READ((struct io_kiocb *)req, file));
		uring_tell_held(req, owner, res, file, alive);
		break;
	case OP_CONNECT:
	case OP_BIND:
	case OP_LISTEN:
	case OP_SOCKET:
		if (alive)
			file = address_of(BPF_CORE_READ((struct io_kiocb *)req, file));
		uring_tell_socket(req, owner, res, file);
		break;
	default:
		uring_tell_names(req, owner, res);
	}
}

static __always_inline void forget(struct uring_request *e, __u64 req)
{
	if (e->whole)
		bpf_map_delete_elem(&uring_names, &req);
	bpf_map_delete_elem(&uring_requests, &req);
}
