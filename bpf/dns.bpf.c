// SPDX-License-Identifier: GPL-2.0-only
/* Answers to questions about names: what a process receives from port 53, by UDP or TCP, the first 512 bytes
 * of it. The one place where content is looked at, and only while somebody wants it (capture.dns): the agent
 * keeps names and addresses. What is no answer stays here.
 *
 * The bytes are the caller's memory at exit, where the kernel has just put them; so is the peer of a socket
 * that is not connected. Misses: receipts through io_uring; of several pieces of one message all but the
 * first (readv, and a TCP message that comes in parts); of one recvmmsg all but the first 4.
 */
#include "socket.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM  2
#define PORT_DNS    53
#define DNS_HEADER  12 /* bytes: no answer has fewer */
#define DNS_BYTES   512
#define DNS_ANSWER  0x80 /* in the third byte: not a question */
#define MESSAGES    4

struct dns_call {
	struct socket_call socket;
	__u64 buffer;
	__u32 room, bytes; /* of the buffer; of the message */
	bool stream, connected;
};

/* Where the message of @header is, and who sent it. */
static __always_inline void dns_select(struct dns_call *d, const void *header)
{
	struct user_piece piece = {};
	struct user_header h = {};

	d->room = 0;
	if (bpf_probe_read_user(&h, sizeof(h), header) ||
	    bpf_probe_read_user(&piece, sizeof(piece), (void *)(__u64)h.pieces))
		return;
	d->buffer = piece.base;
	d->room = piece.len < DNS_BYTES ? piece.len : DNS_BYTES;
	d->socket.asked.len = 0;
	if (!d->connected && h.name)
		ask(&d->socket.asked, (void *)(__u64)h.name, h.name_len);
}

static __always_inline bool dns_asked(struct asked *a)
{
	return a->len >= 8 && (a->family == AF_INET || a->family == AF_INET6) && !a->bytes[2] &&
	       a->bytes[3] == PORT_DNS;
}

static __noinline int dns_tell(struct dns_call *d)
{
	struct socket_call *c = &d->socket;
	__u64 len = d->bytes < d->room ? d->bytes : d->room;
	struct sentinel_dns *r;
	__u8 start[6] = {};

	c->sk = CAST(c->sk, struct sock); /* the type is lost on the way through memory */
	if (len < DNS_HEADER || (!d->connected && !dns_asked(&c->asked)) ||
	    bpf_probe_read_user(start, sizeof(start), (void *)d->buffer))
		return 0;
	/* On a stream the length comes first, or in a read of its own. */
	if (!(start[2] & DNS_ANSWER) && !(d->stream && start[4] & DNS_ANSWER))
		return 0;
	r = ring_reserve(SENTINEL_KIND_DNS, sizeof(*r) + DNS_BYTES);
	if (!r)
		return 0;
	__builtin_memset(&r->socket, 0, sizeof(r->socket));
	socket_fill(&r->socket, c);
	barrier_var(len);
	if (len > DNS_BYTES || bpf_probe_read_user(r + 1, len, (void *)d->buffer))
		len = 0;
	r->message.off = 0;
	r->message.len = len;
	r->bytes = d->bytes;
	fill_header(&r->hdr, SENTINEL_KIND_DNS, sizeof(*r) + len, c->nr, c->ret);
	ring_submit(r);
	return 0;
}

/* Whether the socket of the call may have heard from port 53. */
static __always_inline bool dns_socket(struct dns_call *d)
{
	struct socket_call *c = &d->socket;
	__u16 port, type;

	c->sk = sock_of_file(file_of_fd(c->fd));
	if (!c->sk)
		return false;
	c->family = LD(c->sk, __sk_common.skc_family);
	type = LD(c->sk, sk_type);
	if ((c->family != AF_INET && c->family != AF_INET6) || (type != SOCK_DGRAM && type != SOCK_STREAM))
		return false;
	port = __builtin_bswap16(LD(c->sk, __sk_common.skc_dport));
	d->stream = type == SOCK_STREAM;
	d->connected = port == PORT_DNS;
	return d->connected || (!port && !d->stream);
}

/* Attached to sys_exit_{recvfrom,recvmsg,recvmmsg,read}. */
SEC("tracepoint")
int dns(struct tp_sys_exit *ctx)
{
	/* Read once: the verifier takes no pointer into the middle of the context. */
	int id = COMPAT ? (int)call_of(ctx) : *(volatile int *)&ctx->id;
	long ret = *(volatile long *)&ctx->ret;
	bool plain = id == NR_RECVFROM || id == NR_READ, one = plain || id == NR_RECVMSG;
	struct dns_call d = {};
	__u64 vector;

	if (ret < (one ? DNS_HEADER : 1) || !wanted(SENTINEL_KIND_DNS))
		return 0;
	d.socket.nr = id;
	d.socket.ret = ret;
	d.socket.fd = ARG(0);
	if (!dns_socket(&d))
		return 0;
	d.bytes = ret;
	vector = ARG(1);
	if (plain) {
		d.buffer = vector;
		d.room = DNS_BYTES;
		if (id == NR_RECVFROM && !d.connected && ARG(4)) {
			__u32 len = 0;

			if (!bpf_probe_read_user(&len, sizeof(len), (void *)ARG(5)))
				ask(&d.socket.asked, (void *)ARG(4), len);
		}
		return dns_tell(&d);
	}
	for (__u32 i = 0; i < MESSAGES; i++) {
		const void *header = (void *)(vector + i * MMSGHDR);

		if (i && (one || i >= ret))
			break;
		dns_select(&d, header);
		if (!one && bpf_probe_read_user(&d.bytes, sizeof(d.bytes), header + MMSGHDR_LEN))
			break;
		dns_tell(&d);
	}
	return 0;
}
