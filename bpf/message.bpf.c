// SPDX-License-Identifier: GPL-2.0-only
/* Datagrams: sendto, sendmsg, sendmmsg, recvfrom, recvmsg, recvmmsg. Only the first of a process, socket and
 * peer is an event, so a busy server does not flood: of what it sends each new (address, port), except for
 * answers to whom it has heard from; of what it receives each new address, whatever the port, since clients
 * take a new one for each question. Streams are told by connect and accept; the one exception is what
 * connects without connect(): MSG_FASTOPEN. Netlink is left out: everybody asks it something.
 *
 * Who asks for data (sentinel_config.buffers) gets the first bytes of what is told, and what a stream moves
 * first is told too; not of requests of io_uring.
 *
 * An unconnected socket keeps no peer: the address is the caller's memory at exit, which for a receipt the
 * kernel has just written. Misses: int 0x80; write() to a connected socket, whose connect was told.
 */
#include "data.h"
#include "path.h"
#include "uring.h"

#define AF_NETLINK     16
#define SOCK_STREAM    1
#define SOCK_SEQPACKET 5
#define MSG_FASTOPEN   0x20000000
#define MESSAGES       8 /* of one sendmmsg or recvmmsg that are looked at */

enum { SENT, HEARD, RECEIVED };

struct peer_key {
	__u64 ip[2]; /* or the hash of a name */
	__u64 ino;   /* of the socket: numbers are not reused soon, addresses are */
	__u32 tgid;
	__u16 port;
	__u8 what;
	__u8 failed;
};

/* Peers that were met. When full the oldest is forgotten, and met anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct peer_key);
	__type(value, __u8);
} peers SEC(".maps");

struct message_call {
	struct socket_call socket;
	struct peer_key key;
	__u64 bytes;
	__u64 vector; /* of sendmmsg and recvmmsg: the address of their headers */
	__u32 flags, message;
	struct data data; /* nowhere unless it is wanted */
	bool receive, wants_data;
	bool unsure; /* the socket was looked up before it was used */
};

/* Whether this is the first time, which it no longer is afterwards. */
static __always_inline bool first(struct peer_key *key)
{
	__u8 one = 1;

	return !bpf_map_lookup_elem(&peers, key) && !bpf_map_update_elem(&peers, key, &one, BPF_NOEXIST);
}

static __always_inline void peer_of(struct peer_key *k, struct socket_call *c)
{
	struct asked *a = &c->asked;
	struct sock *sk = CAST(c->sk, struct sock);

	k->ip[0] = k->ip[1] = 0;
	k->port = 0;
	if (a->len && a->family == AF_INET) {
		k->ip[0] = *(__u32 *)(a->bytes + 4);
		k->port = *(__u16 *)(a->bytes + 2);
	} else if (a->len && a->family == AF_INET6) {
		__builtin_memcpy(k->ip, a->bytes + 8, 16);
		k->port = *(__u16 *)(a->bytes + 2);
	} else if (a->len) {
		for (int i = 0; i < 14; i++)
			k->ip[0] = (k->ip[0] ^ *(__u64 *)(a->bytes + 8 * i)) * 0x9e3779b97f4a7c15ull;
	} else if (c->family == AF_INET) {
		bpf_core_read(k->ip, 4, &sk->__sk_common.skc_daddr);
		k->port = LD(sk, __sk_common.skc_dport);
	} else if (c->family == AF_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		bpf_core_read(k->ip, 16, &sk->__sk_common.skc_v6_daddr);
		k->port = LD(sk, __sk_common.skc_dport);
	}
}

/* Who makes a request of io_uring is not looked at. */
static __always_inline bool message_wanted(struct socket_call *c, __u32 kind)
{
	return c->owner ? wanted(kind) : wanted_call(kind, c->ret);
}

static __always_inline bool is_news(struct message_call *m)
{
	/* On the stack: older verifiers take no key from elsewhere in memory. */
	struct peer_key key = m->key, *k = &key;

	peer_of(k, &m->socket);
	k->failed = m->socket.ret < 0;
	if (!m->receive) {
		if (!message_wanted(&m->socket, SENTINEL_KIND_SEND))
			return false;
		k->what = SENT;
		if (!first(k))
			return false;
		k->what = HEARD;
		return !bpf_map_lookup_elem(&peers, k);
	}
	k->what = HEARD;
	first(k);
	if (!message_wanted(&m->socket, SENTINEL_KIND_RECV))
		return false;
	k->what = RECEIVED;
	k->port = 0;
	return first(k);
}

/* The tail: names of unix sockets, data, with room for so many bytes (constants). */
#define MESSAGE(NAMES, DATA)                                                                                 \
	do {                                                                                                 \
		struct sentinel_send *r = /* sentinel_recv has the same form */                              \
		    ring_reserve(c->kind, sizeof(*r) + (NAMES) + (DATA));                                    \
		if (!r)                                                                                      \
			return 0;                                                                            \
		__builtin_memset(&r->socket, 0, sizeof(r->socket));                                          \
		socket_fill(&r->socket, c);                                                                  \
		if (NAMES)                                                                                   \
			unix_fill(&r->socket, (__u8 *)(r + 1), c);                                           \
		r->bytes = m->bytes;                                                                         \
		r->flags = m->flags;                                                                         \
		r->message = m->message;                                                                     \
		r->data.off = r->data.len = 0;                                                               \
		if (DATA)                                                                                    \
			data_copy(&r->data, (__u8 *)(r + 1) + (NAMES), (NAMES), &m->data);                   \
		fill_header(&r->hdr, c->kind, sizeof(*r) + (NAMES) + (DATA), c->nr, c->ret);                 \
		if (c->owner) { /* a request that has ended holds the socket it used */                      \
			r->socket.shared = m->unsure;                                                        \
			fill_owner(&r->hdr, c->owner);                                                       \
		}                                                                                            \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

static __always_inline int message(struct message_call *m)
{
	struct socket_call *c = &m->socket;

	if (!is_news(m))
		return 0;
	if (m->data.at && has_names(c))
		MESSAGE(UNIX_TAIL, SENTINEL_DATA_MAX);
	if (m->data.at)
		MESSAGE(0, SENTINEL_DATA_MAX);
	if (has_names(c))
		MESSAGE(UNIX_TAIL, 0);
	MESSAGE(0, 0);
}

/* Padding too: before 6.3 all of what a global function is given must be written. */
static __always_inline void message_clear(struct message_call *m, bool receive)
{
	__builtin_memset(m, 0, sizeof(*m));
	m->receive = receive;
}

/* Finds the socket of the file @f; false when its messages are never events. */
static __always_inline bool message_socket(struct message_call *m, __u64 f, __u32 kind)
{
	struct socket_call *c = &m->socket;
	struct file *file;
	__u16 type;

	if (c->ret == -EAGAIN || c->ret == -EINTR || c->ret == -ERESTARTSYS)
		return false;
	/* Who wants sends alone must still learn what is an answer. */
	if (!wanted(kind) && !(m->receive && wanted(SENTINEL_KIND_SEND)))
		return false;
	c->kind = kind;
	c->sk = sock_of_file(f);
	if (!c->sk)
		return false;
	c->family = LD(c->sk, __sk_common.skc_family);
	type = LD(c->sk, sk_type);
	if (c->family == AF_NETLINK || type == SOCK_SEQPACKET)
		return false;
	if (type == SOCK_STREAM && (m->receive || !(m->flags & MSG_FASTOPEN)) &&
	    !(m->wants_data && c->ret > 0))
		return false;
	file = CAST((void *)f, struct file);
	m->key.ino = LD(LD(file, f_inode), i_ino);
	m->key.tgid = bpf_get_current_pid_tgid() >> 32;
	m->bytes = c->ret > 0 ? c->ret : 0;
	return true;
}

static __always_inline bool message_begin(struct message_call *m, struct tp_sys_exit *ctx, __u32 kind)
{
	m->socket.nr = call_of(ctx);
	m->socket.ret = ctx->ret;
	m->socket.fd = ARG(0);
	return message_socket(m, file_of_fd(m->socket.fd), kind);
}

/* The name of the peer in a msghdr. */
static __always_inline void ask_header(struct asked *a, const void *header)
{
	struct user_header h = {};

	if (!bpf_probe_read_user(&h, sizeof(h), header) && h.name)
		ask(a, (void *)(__u64)h.name, h.name_len);
}

/* Makes @m one of the messages of a call. */
static __always_inline void message_select(struct message_call *m, __u32 i)
{
	struct socket_call *c = &m->socket;
	const void *header = (void *)(m->vector + i * MMSGHDR);

	if (m->vector) {
		__u32 bytes = 0;

		__builtin_memset(&c->asked, 0, sizeof(c->asked));
		ask_header(&c->asked, header);
		if (c->ret > 0)
			bpf_probe_read_user(&bytes, sizeof(bytes), header + MMSGHDR_LEN);
		m->bytes = bytes;
		m->message = i;
		m->data.at = 0;
		if (m->wants_data && bytes)
			data_of_header(&m->data, header, bytes);
	}
}

/* However many messages there are, and whichever call it is: a global function is verified once, by itself.
 * Memory as an argument needs 5.12. */
__noinline __weak int message_once(struct message_call *m, __u32 i)
{
	if (!m)
		return 0;
	message_select(m, i);
	return message(m);
}

static __noinline int message_old(struct message_call *m)
{
	return message(m);
}

static __always_inline int message_exit(struct tp_sys_exit *ctx, bool receive, bool loop)
{
	struct message_call m;
	bool named = call_of(ctx) == NR_SENDTO || call_of(ctx) == NR_RECVFROM;
	bool one = call_of(ctx) == NR_SENDMSG || call_of(ctx) == NR_RECVMSG;

	message_clear(&m, receive);
	m.flags = one ? ARG(2) : ARG(3);
	m.wants_data = loop && data_wanted();
	if (!message_begin(&m, ctx, receive ? SENTINEL_KIND_RECV : SENTINEL_KIND_SEND))
		return 0;
	if (named) {
		const void *addr = (void *)ARG(4);
		__u32 len = ARG(5);

		if (receive && addr && bpf_probe_read_user(&len, sizeof(len), (void *)ARG(5)))
			len = 0;
		if (addr)
			ask(&m.socket.asked, addr, len);
		if (m.wants_data && m.bytes) {
			m.data.at = ARG(1);
			m.data.len = m.bytes;
		}
	} else if (one) {
		ask_header(&m.socket.asked, (void *)ARG(1));
		if (m.wants_data && m.bytes)
			data_of_header(&m.data, (void *)ARG(1), m.bytes);
	} else {
		m.vector = ARG(1);
	}
	for (__u32 i = 0; i < MESSAGES; i++) {
		if (i && (!m.vector || i >= ctx->ret))
			break;
		if (loop) {
			message_once(&m, i);
		} else {
			message_select(&m, i);
			message_old(&m);
		}
	}
	return 0;
}

/* Attached to sys_exit_{sendto,sendmsg,sendmmsg}. */
PROGRAM(send, struct tp_sys_exit, message_exit, ctx, false)
/* Attached to sys_exit_{recvfrom,recvmsg,recvmmsg}. */
PROGRAM(recv, struct tp_sys_exit, message_exit, ctx, true)

/* -- the same through io_uring ---------------------------------------------------------------------- */

/* Before what a RECVMSG that completes many times has received lies what it tells of each: a header of 16
 * bytes, and room for the address and for control data. */
static __always_inline __u64 behind_header(__u64 req, __u64 bytes)
{
	struct io_async_msghdr *message =
	    (void *)address_of(BPF_CORE_READ((struct io_kiocb *)req, async_data));
	__u64 header = 16;

	if (message && bpf_core_field_exists(message->namelen)) {
		header += (__u32)BPF_CORE_READ(message, namelen);
		header += BPF_CORE_READ(message, controllen);
	}
	return bytes > header ? bytes - header : 0;
}

/* A request that has ended, or one that has just been submitted and will not be heard of again. */
static __always_inline int request_message(__u64 req, long res, bool receive, bool ended)
{
	struct message_call m;
	struct task_struct *owner;
	struct io_sr_msg *message_of = (void *)req;
	bool header, many;
	__u64 file;
	__u32 op = uring_op(req), kind = receive ? SENTINEL_KIND_RECV : SENTINEL_KIND_SEND;

	header = op == OP_SENDMSG || op == OP_SENDMSG_ZC || op == OP_RECVMSG;
	if (receive ? op != OP_RECV && op != OP_RECVMSG
		    : op != OP_SEND && op != OP_SENDMSG && op != OP_SEND_ZC && op != OP_SENDMSG_ZC)
		return 0;
	many = receive && receives_many(req);
	message_clear(&m, receive);
	m.socket.nr = receive ? (header ? NR_RECVMSG : NR_RECVFROM) : header ? NR_SENDMSG : NR_SENDTO;
	m.socket.ret = res;
	m.socket.fd = ended ? -1 : fd_to_be(req);
	m.unsure = !ended;
	owner = uring_owner(req);
	m.socket.owner = address_of(owner);
	m.flags = BPF_CORE_READ(message_of, msg_flags);
	file = ended ? address_of(BPF_CORE_READ((struct io_kiocb *)req, file)) : file_to_be(req);
	/* A request before it in a chain may make it. */
	if (!file && !ended && wanted(kind))
		ring_count(kind, COUNT_LOST);
	if (!message_socket(&m, file, kind))
		return 0;
	m.key.tgid = LD(owner, tgid);
	if (many && header)
		m.bytes = behind_header(req, m.bytes);
	/* Somebody else's memory may lie at the address; of many receipts it is in the buffer of each; of one
	 * that has not come it is not yet written. */
	if (header && !many && (ended || !receive) && NUM(LD(current_task(), mm)) == NUM(LD(owner, mm)))
		ask_header(&m.socket.asked, BPF_CORE_READ(message_of, umsg));
	return message_once(&m, 0);
}

static __always_inline int request_ended(__u64 *ctx, bool receive)
{
	struct uring_done d = {};
	__u64 req;

	uring_done_read(&d, ctx);
	req = receive ? teller_of(&d) : d.req;
	return req ? request_message(req, d.res, receive, true) : 0;
}

static __always_inline int request_submitted(__u64 req, bool receive)
{
	return ends_silently(req) ? request_message(req, 0, receive, false) : 0;
}

/* Misses: addresses of a SEND to a socket that is not connected, of a RECVMSG that completes many times, and
 * of what is received without a completion. */
SEC("tp_btf/io_uring_complete")
int uring_send(__u64 *ctx)
{
	return request_ended(ctx, false);
}

SEC("tp_btf/io_uring_complete")
int uring_recv(__u64 *ctx)
{
	return request_ended(ctx, true);
}

SUBMISSION(uring_send_silent, request_submitted, false)
SUBMISSION(uring_recv_silent, request_submitted, true)
