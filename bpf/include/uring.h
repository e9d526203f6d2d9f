/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of io_uring. They never pass a system call of their own: the tracepoint of a submission shows a
 * request that has been prepared, its names copied into the kernel; the one of its completion tells the
 * result, in the thread that found it, which may be a worker of the kernel or another process. Whatever the
 * thread, a request is its owner's. Both lie off the way of system calls: who does not use io_uring pays
 * nothing. */
#pragma once

#include "kernel_uring.h"
#include "socket.h"

/* Of io_uring_complete: 0 (ctx, req, cqe); 1 (ctx, req, user_data, res). Set before load. */
extern const volatile __u32 uring_style;

enum {
	OP_READV = 1,
	OP_WRITEV = 2,
	OP_READ_FIXED = 4,
	OP_WRITE_FIXED = 5,
	OP_SENDMSG = 9,
	OP_RECVMSG = 10,
	OP_ACCEPT = 13,
	OP_CONNECT = 16,
	OP_OPENAT = 18,
	OP_READ = 22,
	OP_WRITE = 23,
	OP_SEND = 26,
	OP_RECV = 27,
	OP_OPENAT2 = 28,
	OP_SPLICE = 30,
	OP_RENAMEAT = 35,
	OP_UNLINKAT = 36,
	OP_MKDIRAT = 37,
	OP_SYMLINKAT = 38,
	OP_LINKAT = 39,
	OP_SOCKET = 45,
	OP_SEND_ZC = 47,
	OP_SENDMSG_ZC = 48,
	OP_READ_MULTISHOT = 49,
	OP_FIXED_FD_INSTALL = 54,
	OP_FTRUNCATE = 55,
	OP_BIND = 56,
	OP_LISTEN = 57,
	OP_READV_FIXED = 60,
	OP_WRITEV_FIXED = 61,
};

#define IOSQE_FIXED_FILE       1
#define IOSQE_CQE_SKIP_SUCCESS 0x40
#define PF_IO_WORKER	       0x10
#define SPLICE_F_FD_IN_FIXED   (1u << 31)

/* A program at the beginning of requests, whose number @call is given, and its twin for kernels before 6.4.
 */
#define SUBMISSION(name, call, ...)                                                                          \
	SEC("tp_btf/io_uring_submit_req") int name(__u64 *ctx)                                               \
	{                                                                                                    \
		return call(address_of((void *)ctx[0]), ##__VA_ARGS__);                                      \
	}                                                                                                    \
	SEC("tp_btf/io_uring_submit_sqe") int name##_old(__u64 *ctx)                                         \
	{                                                                                                    \
		return call(address_of((void *)ctx[0]), ##__VA_ARGS__);                                      \
	}

/* What a completion tells. @req is 0 for one of many results of one request. */
struct uring_done {
	__u64 ring, req, user_data;
	long res;
};

static __always_inline void uring_done_read(struct uring_done *d, __u64 *ctx)
{
	d->ring = address_of((void *)ctx[0]);
	d->req = address_of((void *)ctx[1]);
	if (uring_style == 0) {
		struct io_uring_cqe *cqe = (void *)address_of((void *)ctx[2]);

		d->user_data = BPF_CORE_READ(cqe, user_data);
		d->res = BPF_CORE_READ(cqe, res);
	} else {
		d->user_data = ctx[2];
		d->res = (__s32)ctx[3];
	}
}

static __always_inline __u8 uring_op(__u64 req)
{
	return BPF_CORE_READ((struct io_kiocb *)req, opcode);
}

/* Whose request it is: the thread that submitted it, or the one that submits for the process (SQPOLL). */
static __always_inline struct task_struct *uring_owner(__u64 req)
{
	struct io_kiocb___v612 *old = (void *)req;
	struct task_struct *task;

	if (bpf_core_field_exists(old->task))
		task = BPF_CORE_READ(old, task);
	else
		task = BPF_CORE_READ((struct io_kiocb *)req, tctx, task);
	return CAST(task, struct task_struct);
}

/* The file at @fd of @task. 0: none. */
static __always_inline __u64 file_of(struct task_struct *task, __u32 fd)
{
	struct fdtable *fdt = LD(LD(task, files), fdt);

	if (fd >= LD(fdt, max_fds))
		return 0;
	return WORD((void *)LD(fdt, fd) + 8ul * fd);
}

/* The file in a ring's own table. 0: none. */
static __always_inline __u64 file_of_slot(__u64 ring, __u32 slot)
{
	struct io_ring_ctx___v612 *old = (void *)ring;
	struct io_ring_ctx *now = (void *)ring;
	__u64 file = 0;

	if (bpf_core_field_exists(old->file_table.files)) {
		struct io_fixed_file *files = BPF_CORE_READ(old, file_table.files);

		if (slot < BPF_CORE_READ(old, nr_user_files))
			bpf_probe_read_kernel(&file, sizeof(file), files + slot);
	} else if (slot < BPF_CORE_READ(now, file_table.data.nr)) {
		struct io_rsrc_node **nodes = BPF_CORE_READ(now, file_table.data.nodes), *node = NULL;

		bpf_probe_read_kernel(&node, sizeof(node), nodes + slot);
		file = BPF_CORE_READ(node, file_ptr);
	}
	return file & ~7ull; /* the low bits say what kind it is */
}

/* The file that a request will use that has just been submitted. Until then another may take its place, or
 * come to a place that is empty now (0). */
static __always_inline __u64 file_to_be(__u64 req)
{
	struct io_kiocb *kiocb = (void *)req;
	__u32 fd = BPF_CORE_READ(kiocb, cqe.fd);

	if (BPF_CORE_READ(kiocb, flags) & IOSQE_FIXED_FILE)
		return file_of_slot(address_of(BPF_CORE_READ(kiocb, ctx)), fd);
	return file_of(uring_owner(req), fd);
}

/* Its descriptor. -1: one of the ring's own files. */
static __always_inline __s32 fd_to_be(__u64 req)
{
	struct io_kiocb *kiocb = (void *)req;

	return BPF_CORE_READ(kiocb, cqe.fd) | -(BPF_CORE_READ(kiocb, flags) & IOSQE_FIXED_FILE);
}

/* Whether nobody is told should the request succeed. */
static __always_inline bool ends_silently(__u64 req)
{
	return BPF_CORE_READ((struct io_kiocb *)req, flags) & IOSQE_CQE_SKIP_SUCCESS;
}

/* Of requests that read or receive many times each time but the last tells only ring and number. Written when
 * they are submitted; of several with one number the last is taken. When full the oldest is forgotten. */
struct uring_number {
	__u64 ring, user_data;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct uring_number);
	__type(value, __u64); /* the request */
} uring_receivers __weak SEC(".maps");

#define RECV_MULTISHOT 2

static __always_inline bool receives_many(__u64 req)
{
	__u32 op = uring_op(req);

	return op == OP_READ_MULTISHOT || ((op == OP_RECV || op == OP_RECVMSG) &&
					   BPF_CORE_READ((struct io_sr_msg *)req, flags) & RECV_MULTISHOT);
}

static __always_inline void note_receiver(__u64 req)
{
	struct io_kiocb *kiocb = (void *)req;
	struct uring_number number = {};

	if (!receives_many(req))
		return;
	number.ring = address_of(BPF_CORE_READ(kiocb, ctx));
	number.user_data = BPF_CORE_READ(kiocb, cqe.user_data);
	bpf_map_update_elem(&uring_receivers, &number, &req, BPF_ANY);
}

/* The request that has read or received once more. Its memory may be another's by now: then it is none of
 * these. */
static __always_inline __u64 receiver_of(struct uring_done *d)
{
	struct uring_number number = {.ring = d->ring, .user_data = d->user_data};
	__u64 *noted = bpf_map_lookup_elem(&uring_receivers, &number);
	__u64 req = noted ? *noted : 0;
	struct io_kiocb *kiocb = (void *)req;

	if (!req || address_of(BPF_CORE_READ(kiocb, ctx)) != number.ring ||
	    BPF_CORE_READ(kiocb, cqe.user_data) != number.user_data || !receives_many(req))
		return 0;
	return req;
}

/* The request that tells something now; 0: none that is known. Its last result ends one of many. */
static __always_inline __u64 teller_of(struct uring_done *d)
{
	struct uring_number number = {.ring = d->ring, .user_data = d->user_data};
	__u64 req = d->req; /* a field of ours is no place to start reading the kernel's */

	if (!req)
		return d->res >= 0 ? receiver_of(d) : 0;
	if (receives_many(req))
		bpf_map_delete_elem(&uring_receivers, &number);
	return req;
}

/* Makes the header its @owner's. What a thread is called that the kernel made for the process says nothing:
 * then the process's name. */
static __noinline __attribute__((unused)) void fill_owner(struct sentinel_header *h, __u64 owner)
{
	struct task_struct *task = CAST((void *)owner, struct task_struct);

	h->cgroup_id = LD(LD(LD(LD(task, cgroups), dfl_cgrp), kn), id);
	fill_task(h, task);
	if (LD(task, flags) & PF_IO_WORKER)
		task = LD(task, group_leader);
	bpf_core_read(h->comm, sizeof(h->comm), &task->comm);
}
