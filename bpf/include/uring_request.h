/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of io_uring under way, and what is kept of them from their submission on. */
#pragma once

#include "names.h"
#include "uring.h"

#define ACCEPT_MULTISHOT 1
#define AT_REMOVEDIR	 0x200

/* A request under way, by the address of its struct io_kiocb. */
struct uring_request {
	__u64 ring, user_data;
	__u64 base[2][2]; /* copies of struct path: what the names are relative to */
	__u64 args[4];
	__s32 fd;   /* -1: the file is one of the ring's own */
	__u32 slot; /* of a file that is made, from 1 on; of one that is used, from 0 on */
	__u32 op;
	__u8 told;
	__u8 many;	 /* completes many times, as far as the kernel still knows: only an overflow asks */
	__u8 whole;	 /* bit: the name is in `uring_names` */
	__u8 unreadable; /* bit: the name is not known */
	struct asked asked;
	__u8 names[2 * USER_NAME_SMALL];
};

struct uring_name {
	__u8 names[2 * USER_NAME_LARGE];
};

/* When full the oldest is forgotten: its event then has no names. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, __u64);
	__type(value, struct uring_request);
} uring_requests SEC(".maps");

/* Of long names. When full they are cut and marked as unreadable. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, __u64);
	__type(value, struct uring_name);
} uring_names SEC(".maps");

/* Too large for the stack. */
static const struct uring_request no_request;
static const struct uring_name no_names;

/* The kind of event that a request gives; 0: none. */
static __always_inline __u32 kind_of_op(__u32 op, bool removes_directory)
{
	switch (op) {
	case OP_OPENAT:
	case OP_OPENAT2:
		return SENTINEL_KIND_FILE_OPEN;
	case OP_UNLINKAT:
		return removes_directory ? SENTINEL_KIND_FILE_RMDIR : SENTINEL_KIND_FILE_UNLINK;
	case OP_RENAMEAT:
		return SENTINEL_KIND_FILE_RENAME;
	case OP_MKDIRAT:
		return SENTINEL_KIND_FILE_MKDIR;
	case OP_SYMLINKAT:
		return SENTINEL_KIND_FILE_SYMLINK;
	case OP_LINKAT:
		return SENTINEL_KIND_FILE_LINK;
	case OP_CONNECT:
		return SENTINEL_KIND_CONNECT;
	case OP_ACCEPT:
		return SENTINEL_KIND_ACCEPT;
	case OP_BIND:
		return SENTINEL_KIND_BIND;
	case OP_LISTEN:
		return SENTINEL_KIND_LISTEN;
	case OP_SOCKET:
		return SENTINEL_KIND_SOCKET;
	case OP_FTRUNCATE:
		return SENTINEL_KIND_FILE_TRUNCATE;
	case OP_FIXED_FD_INSTALL:
		return SENTINEL_KIND_DUP;
	default:
		return 0;
	}
}

/* Field @f of the request seen as @type. */
#define FILENAME(type, f)                                                                                    \
	(bpf_core_type_exists(struct delayed_filename)                                                       \
	     ? BPF_CORE_READ((struct type##___v7 *)req, f.__incomplete_filename)                             \
	     : BPF_CORE_READ((struct type *)req, f))

static __always_inline void take_name(struct uring_request *e, __u64 req, int which, long dirfd,
				      struct filename *filename)
{
	const char *name = BPF_CORE_READ(filename, name);
	__u8 *to = e->names + which * USER_NAME_SMALL;
	long n = bpf_probe_read_kernel_str(to, USER_NAME_SMALL, name);
	__u64 base = base_from(dirfd, *to == '/');
	struct uring_name *whole;

	if (base)
		bpf_probe_read_kernel(e->base[which], sizeof(e->base[which]), (void *)base);
	if (n <= 0)
		e->unreadable |= 1 << which;
	if (n < USER_NAME_SMALL)
		return;
	if (!(e->whole & 1))
		bpf_map_update_elem(&uring_names, &req, &no_names, BPF_ANY);
	whole = bpf_map_lookup_elem(&uring_names, &req);
	if (!whole) {
		e->unreadable |= 1 << which;
		return;
	}
	bpf_probe_read_kernel_str(whole->names + which * USER_NAME_LARGE, USER_NAME_LARGE, name);
	e->whole |= 1 << which;
}

/* What the request will use. */
static __always_inline void take_arguments(struct uring_request *e, __u64 req)
{
	struct io_open *open = (void *)req;
	struct io_unlink *unlink = (void *)req;
	struct io_mkdir *mkdir = (void *)req;
	struct io_rename *rename = (void *)req;
	struct io_link *link = (void *)req;
	struct io_connect *connect = (void *)req;
	struct io_accept *accept = (void *)req;
	struct io_listen *listen = (void *)req;
	struct io_socket *socket = (void *)req;
	struct io_ftrunc *truncate = (void *)req;
	struct io_fixed_install *install = (void *)req;

	switch (e->op) {
	case OP_OPENAT:
	case OP_OPENAT2:
		e->args[0] = BPF_CORE_READ(open, how.flags);
		e->args[1] = BPF_CORE_READ(open, how.mode);
		e->slot = BPF_CORE_READ(open, file_slot);
		take_name(e, req, 0, BPF_CORE_READ(open, dfd), FILENAME(io_open, filename));
		break;
	case OP_UNLINKAT:
		e->args[0] = BPF_CORE_READ(unlink, flags);
		take_name(e, req, 0, BPF_CORE_READ(unlink, dfd), FILENAME(io_unlink, filename));
		break;
	case OP_MKDIRAT:
		e->args[0] = BPF_CORE_READ(mkdir, mode);
		take_name(e, req, 0, BPF_CORE_READ(mkdir, dfd), FILENAME(io_mkdir, filename));
		break;
	case OP_RENAMEAT:
		e->args[0] = (__u32)BPF_CORE_READ(rename, flags);
		take_name(e, req, 0, BPF_CORE_READ(rename, old_dfd), FILENAME(io_rename, oldpath));
		take_name(e, req, 1, BPF_CORE_READ(rename, new_dfd), FILENAME(io_rename, newpath));
		break;
	case OP_LINKAT:
		e->args[0] = (__u32)BPF_CORE_READ(link, flags);
		take_name(e, req, 0, BPF_CORE_READ(link, old_dfd), FILENAME(io_link, oldpath));
		take_name(e, req, 1, BPF_CORE_READ(link, new_dfd), FILENAME(io_link, newpath));
		break;
	case OP_SYMLINKAT: /* the second name is any text */
		take_name(e, req, 0, BPF_CORE_READ(link, new_dfd), FILENAME(io_link, newpath));
		take_name(e, req, 1, AT_FDCWD, FILENAME(io_link, oldpath));
		break;
	case OP_CONNECT:
		ask(&e->asked, BPF_CORE_READ(connect, addr), BPF_CORE_READ(connect, addr_len));
		break;
	case OP_ACCEPT:
		e->slot = BPF_CORE_READ(accept, file_slot);
		if (bpf_core_field_exists(accept->iou_flags)) /* 6.10 */
			e->many = BPF_CORE_READ(accept, iou_flags) & ACCEPT_MULTISHOT;
		break;
	case OP_LISTEN:
		if (bpf_core_field_exists(listen->backlog)) /* 6.11 */
			e->args[0] = BPF_CORE_READ(listen, backlog);
		break;
	case OP_SOCKET:
		e->args[0] = BPF_CORE_READ(socket, domain);
		e->args[1] = BPF_CORE_READ(socket, type);
		e->args[2] = BPF_CORE_READ(socket, protocol);
		e->args[3] = (__u32)BPF_CORE_READ(socket, flags);
		break;
	case OP_FTRUNCATE:
		if (bpf_core_field_exists(truncate->len))
			e->args[0] = BPF_CORE_READ(truncate, len);
		break;
	case OP_FIXED_FD_INSTALL:
		if (bpf_core_field_exists(install->o_flags))
			e->args[0] = BPF_CORE_READ(install, o_flags);
		break;
	}
}
