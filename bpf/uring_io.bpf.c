// SPDX-License-Identifier: GPL-2.0-only
/* Reads and writes through io_uring. Misses: what overflows the queue of completions (uring_overflow counts
 * it as lost), and how much is read or written without a completion. */
#include "io.h"

/* The file of a splice that it reads from is named by a descriptor, which is looked up now. */
static __always_inline __u64 source_of(__u64 req)
{
	struct io_splice *splice = (void *)req;
	__u32 fd;

	fd = BPF_CORE_READ(splice, splice_fd_in);
	if (BPF_CORE_READ(splice, flags) & SPLICE_F_FD_IN_FIXED)
		return file_of_slot(address_of(BPF_CORE_READ((struct io_kiocb *)req, ctx)), fd);
	return file_of(uring_owner(req), fd);
}

/* A request of io_uring that has ended: it holds its file, and no longer knows by which descriptor. Or one
 * that has just been submitted, and will not be heard of again. */
static __always_inline int account_request(__u64 req, long res, int w, bool ended)
{
	struct io_call c = {.fd = -1, .ret = res, .w = w, .unsure = !ended};
	__u32 op = uring_op(req);

	if (others())
		return 0;
	if (w == READ && (op == OP_READ || op == OP_READ_FIXED || op == OP_READ_MULTISHOT))
		c.nr = NR_READ;
	else if (w == READ && (op == OP_READV || op == OP_READV_FIXED))
		c.nr = NR_READV;
	else if (w == WRITE && (op == OP_WRITE || op == OP_WRITE_FIXED))
		c.nr = NR_WRITE;
	else if (w == WRITE && (op == OP_WRITEV || op == OP_WRITEV_FIXED))
		c.nr = NR_WRITEV;
	else if (op == OP_SPLICE)
		c.nr = NR_SPLICE;
	else
		return 0;
	c.owner = uring_owner(req);
	if (w == READ && op == OP_SPLICE) {
		c.file = source_of(req);
	} else if (ended) {
		c.file = address_of(BPF_CORE_READ((struct io_kiocb *)req, file));
	} else {
		c.file = file_to_be(req);
		c.fd = fd_to_be(req);
	}
	/* A request before it in a chain may open it. */
	if (!c.file && !ended && wanted(kind_of(w)))
		ring_count(kind_of(w), COUNT_LOST);
	return account_call(&c, true);
}

static __always_inline int request_ended(__u64 *ctx, int w)
{
	struct uring_done d = {};
	__u64 req;

	uring_done_read(&d, ctx);
	req = w == READ ? teller_of(&d) : d.req;
	return req && d.res >= 0 ? account_request(req, d.res, w, true) : 0;
}

static __always_inline int request_submitted(__u64 req, int w)
{
	if (w == READ)
		note_receiver(req);
	return ends_silently(req) ? account_request(req, 0, w, false) : 0;
}

SEC("tp_btf/io_uring_complete")
int uring_read(__u64 *ctx)
{
	return request_ended(ctx, READ);
}

SEC("tp_btf/io_uring_complete")
int uring_write(__u64 *ctx)
{
	return request_ended(ctx, WRITE);
}

SUBMISSION(uring_read_silent, request_submitted, READ)
SUBMISSION(uring_write_silent, request_submitted, WRITE)
