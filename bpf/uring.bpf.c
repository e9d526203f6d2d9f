// SPDX-License-Identifier: GPL-2.0-only
/* io_uring in place of system calls: open, unlink, rename, link, symlink, mkdir, ftruncate, connect, accept,
 * bind, listen, socket, and a dup of the ring's own files, give the same events as the calls. Reads and
 * writes are in uring_io.bpf.c, datagrams in message.bpf.c.
 *
 * Names, directories and arguments are kept from the submission on: by the completion the kernel has given
 * the names back. A name is the kernel's own copy, which no thread can rewrite. The descriptor that an open
 * or an accept made is looked up at the completion, when a later request of the same batch may have replaced
 * it: such events are always marked as shared, and an open always tells what was asked for.
 *
 * A request may end without a completion: IOSQE_CQE_SKIP_SUCCESS asks for none, and one that finds the queue
 * of completions full is only told as an overflow, by number. The first is told when it is submitted, as if
 * it had succeeded, and again should it fail; for the second the requests that wait are searched; and a
 * request whose memory is used again without a word about it is told then. Of reads, writes and messages
 * nothing is kept: an overflow that is nobody's known counts as a lost one. Misses: TEE, XATTR and STATX
 * requests. */
#include "uring_tell.h"

static __always_inline int submitted(__u64 req)
{
	struct io_kiocb *kiocb = (void *)req;
	struct uring_request *e = bpf_map_lookup_elem(&uring_requests, &req);
	__u32 op = uring_op(req), fixed;
	__u32 kind =
	    kind_of_op(op, op == OP_UNLINKAT && BPF_CORE_READ((struct io_unlink *)req, flags) & AT_REMOVEDIR);

	if (e) { /* another request at this place, of whose end nobody has told */
		if (!e->told && wanted(kind_of_op(e->op, e->args[0] & AT_REMOVEDIR)))
			tell(e, req, 0, false);
		forget(e, req);
	}
	if (!kind) {
		if (wanted(SENTINEL_KIND_RECV) || wanted(SENTINEL_KIND_SEND))
			note_receiver(req);
		return 0;
	}
	if (!wanted(kind))
		return 0;
	bpf_map_update_elem(&uring_requests, &req, &no_request, BPF_ANY);
	e = bpf_map_lookup_elem(&uring_requests, &req);
	if (!e)
		return 0;
	e->op = op;
	e->fd = BPF_CORE_READ(kiocb, cqe.fd);
	/* Without a branch, each of which doubles what is behind it. */
	fixed = -(BPF_CORE_READ(kiocb, flags) & IOSQE_FIXED_FILE);
	e->slot = e->fd & fixed;
	e->fd |= fixed;
	e->ring = address_of(BPF_CORE_READ(kiocb, ctx));
	e->user_data = BPF_CORE_READ(kiocb, cqe.user_data);
	take_arguments(e, req);
	if (ends_silently(req)) {
		tell(e, req, 0, false);
		e->told = 1;
	}
	return 0;
}

SUBMISSION(uring_submit, submitted)

/* The end of a request. */
static __always_inline int ended(__u64 req, long res, bool last)
{
	struct uring_request *e = bpf_map_lookup_elem(&uring_requests, &req);
	__u32 op = e ? e->op : uring_op(req), kind;

	kind = kind_of_op(op, e && e->args[0] & AT_REMOVEDIR);
	if (!kind)
		return 0;
	if (!e) { /* it was refused before it was ready, or forgotten */
		if (!wanted(kind))
			return 0;
		bpf_map_update_elem(&uring_requests, &req, &no_request, BPF_ANY);
		e = bpf_map_lookup_elem(&uring_requests, &req);
		if (!e) {
			ring_count(kind, COUNT_LOST);
			return 0;
		}
		e->op = op;
		e->fd = -1;
		e->unreadable = 3;
	}
	if (wanted(kind) && !(e->told && res >= 0))
		tell(e, req, res, true);
	if (last)
		forget(e, req);
	return 0;
}

struct uring_search {
	__u64 ring, user_data, found;
};

/* For bpf_for_each_map_elem(). */
static long uring_match(void *map, const void *key, void *value, void *ctx)
{
	struct uring_search *search = ctx;
	struct uring_request *e = value;

	(void)map;
	if (e->ring != search->ring || e->user_data != search->user_data)
		return 0;
	search->found = *(const __u64 *)key;
	return 1;
}

static __always_inline __u64 request_of(__u64 ring, __u64 user_data)
{
	struct uring_search search = {.ring = ring, .user_data = user_data};

	bpf_for_each_map_elem(&uring_requests, uring_match, &search, 0);
	return search.found;
}

SEC("tp_btf/io_uring_complete")
int uring_done(__u64 *ctx)
{
	struct uring_done d = {};

	uring_done_read(&d, ctx);
	if (d.req)
		return ended(d.req, d.res, true);
	/* One of many: only the accepted are news, and only they have a new descriptor. */
	d.req = d.res >= 0 ? request_of(d.ring, d.user_data) : 0;
	return d.req ? ended(d.req, d.res, false) : 0;
}

/* A result that has no request we know may be that of a read, a write or a message. */
static __always_inline int overflow_unknown(long res)
{
	__u32 kind = wanted(SENTINEL_KIND_FILE_READ)	? SENTINEL_KIND_FILE_READ
		     : wanted(SENTINEL_KIND_FILE_WRITE) ? SENTINEL_KIND_FILE_WRITE
		     : wanted(SENTINEL_KIND_SEND)	? SENTINEL_KIND_SEND
							: SENTINEL_KIND_RECV;

	if (res >= 0 && wanted(kind))
		ring_count(kind, COUNT_LOST);
	return 0;
}

/* ctx, user_data, res, flags, cqe. Of several requests with one number any is taken: each is told in the end.
 */
SEC("tp_btf/io_uring_cqe_overflow")
int uring_overflow(__u64 *ctx)
{
	__u64 req = request_of(address_of((void *)ctx[0]), ctx[1]);
	struct uring_request *e = req ? bpf_map_lookup_elem(&uring_requests, &req) : NULL;

	return e ? ended(req, (__s32)ctx[2], !e->many) : overflow_unknown((__s32)ctx[2]);
}
