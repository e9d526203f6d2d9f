/* SPDX-License-Identifier: GPL-2.0-only */
/* What a socket is and whom it talks to, from the socket itself; and the caller's own words, as `asked`. */
#pragma once

#include "calls.h"

#define AF_UNIX	 1
#define AF_INET	 2
#define AF_INET6 10
#define SOCK_RAW 3

#define EAGAIN	    11
#define EINTR	    4
#define ERESTARTSYS 512 /* the call is made again, or EINTR is what the caller will see */

#define UNIX_NAME 108 /* sun_path */
#define UNIX_TAIL (3 * UNIX_NAME)

struct asked {
	__u32 len; /* 0: none, or unreadable */
	union {
		__u16 family;
		__u64 align;
		__u8 bytes[112]; /* sockaddr_un: 110 */
	};
};

struct socket_call {
	__u32 kind, nr;
	__s32 fd;
	long ret;
	struct sock *sk; /* CAST before use: the type is lost on the way through memory */
	__u16 family;
	struct asked asked;
	__u64 owner; /* task of a request of io_uring; 0: a call of current */
};

/* The socket behind a file, or NULL: no file, or not a socket. */
static __always_inline struct sock *sock_of_file(__u64 f)
{
	struct file *file = CAST((void *)f, struct file);

	if (!f || (LD(LD(file, f_inode), i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	return LD(CAST(LD(file, private_data), struct socket), sk);
}

static __always_inline void ask(struct asked *a, const void *addr, unsigned int len)
{
	barrier_var(len);
	if (len > 110)
		len = 110;
	if (len >= 2 && !bpf_probe_read_user(a->bytes, len, addr))
		a->len = len;
}

/* The kernel's unix_address into 108 bytes of @tail. @un is a number: its type may be a module's. */
static __always_inline void unix_name(struct sentinel_endpoint *e, __u8 *tail, __u32 off, __u64 un)
{
	struct unix_address *addr = NULL;
	__u64 n;
	int len = 0;

	e->source = SENTINEL_SOURCE_KERNEL;
	e->path.off = off;
	bpf_core_read(&addr, sizeof(addr), &((struct unix_sock *)un)->addr);
	if (!addr)
		return;
	bpf_core_read(&len, sizeof(len), &addr->len);
	n = (__u32)len - sizeof(__u16); /* sun_family */
	barrier_var(n);
	if (n > UNIX_NAME)
		return;
	e->path.len = n;
	bpf_probe_read_kernel(tail + off, n,
			      (void *)addr + bpf_core_field_offset(addr->name) + sizeof(__u16));
}

static __always_inline void unix_ends(struct sentinel_sock *s, __u8 *tail, struct sock *sk)
{
	__u64 own = NUM(sk), peer = 0;

	unix_name(&s->local, tail, 0, own);
	bpf_core_read(&peer, sizeof(peer), &((struct unix_sock *)own)->peer);
	if (peer)
		unix_name(&s->peer, tail, UNIX_NAME, peer);
}

static __always_inline void ip_ends(struct sentinel_sock *s, struct sock *sk)
{
	s->local.source = s->peer.source = SENTINEL_SOURCE_KERNEL;
	/* A raw socket has its protocol there. */
	s->local.port = s->type == SOCK_RAW ? 0 : LD(sk, __sk_common.skc_num);
	s->peer.port = __builtin_bswap16(LD(sk, __sk_common.skc_dport));
	if (s->family == AF_INET) {
		bpf_core_read(s->local.ip, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(s->peer.ip, 4, &sk->__sk_common.skc_daddr);
	} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		bpf_core_read(s->local.ip, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(s->peer.ip, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* What the caller named, as far as it is as long as its family demands. */
static __always_inline void asked_end(struct sentinel_sock *s, struct asked *a)
{
	struct sentinel_endpoint *e = &s->asked;

	if (!a->len)
		return;
	e->source = SENTINEL_SOURCE_USER;
	s->asked_family = a->family;
	if (a->family == AF_INET && a->len >= 8) {
		e->port = a->bytes[2] << 8 | a->bytes[3];
		__builtin_memcpy(e->ip, a->bytes + 4, 4);
	} else if (a->family == AF_INET6 && a->len >= 24) {
		e->port = a->bytes[2] << 8 | a->bytes[3];
		__builtin_memcpy(e->ip, a->bytes + 8, 16);
	}
}

/* A record without and with room for names of unix sockets. The struct ends with what only listen has. */
#define SOCKET(name, TAIL, backlog_stmt)                                                                     \
	do {                                                                                                 \
		struct sentinel_##name *r = ring_reserve(c->kind, sizeof(*r) + (TAIL));                      \
		if (!r)                                                                                      \
			return 0;                                                                            \
		__builtin_memset(&r->socket, 0, sizeof(*r) - sizeof(r->hdr));                                \
		backlog_stmt;                                                                                \
		socket_fill(&r->socket, c);                                                                  \
		if (TAIL)                                                                                    \
			unix_fill(&r->socket, (__u8 *)(r + 1), c);                                           \
		fill_header(&r->hdr, c->kind, sizeof(*r) + (TAIL), c->nr, c->ret);                           \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

static __always_inline void socket_fill(struct sentinel_sock *s, struct socket_call *c)
{
	struct sock *sk;

	s->fd = c->fd;
	s->shared = files_shared() || arguments_shared();
	asked_end(s, &c->asked);
	if (!c->sk)
		return;
	sk = CAST(c->sk, struct sock);
	s->family = c->family;
	s->type = LD(sk, sk_type);
	s->protocol = LD(sk, sk_protocol);
	if (c->family == AF_INET || c->family == AF_INET6)
		ip_ends(s, sk);
}

static __always_inline void unix_fill(struct sentinel_sock *s, __u8 *tail, struct socket_call *c)
{
	if (c->family == AF_UNIX)
		unix_ends(s, tail, CAST(c->sk, struct sock));
	if (c->asked.len && c->asked.family == AF_UNIX) {
		s->asked.path.off = 2 * UNIX_NAME;
		s->asked.path.len = c->asked.len - sizeof(__u16);
		__builtin_memcpy(tail + 2 * UNIX_NAME, c->asked.bytes + 2, UNIX_NAME);
	}
}

static __always_inline void find_socket(struct socket_call *c)
{
	c->sk = sock_of_file(file_of_fd(c->fd));
	c->family = c->sk ? LD(c->sk, __sk_common.skc_family) : 0;
}

static __always_inline __u32 asked_port(struct asked *a)
{
	bool ip = a->len >= 4 && (a->family == AF_INET || a->family == AF_INET6);

	return ip ? (__u32)a->bytes[2] << 8 | a->bytes[3] : 0;
}

/* Nobody wants it, by the name of its process and its ports. What is taken for a port of a socket that has
 * none only ever lets pass. */
static __always_inline bool socket_unwanted(struct socket_call *c)
{
	struct sentinel_config *conf = config_get();
	__u32 local = 0, peer = 0;

	if (!conf || !(conf->ported & 1ull << c->kind))
		return false;
	if (c->sk) {
		struct sock *sk = CAST(c->sk, struct sock);

		local = LD(sk, sk_type) == SOCK_RAW ? 0 : LD(sk, __sk_common.skc_num);
		peer = __builtin_bswap16(LD(sk, __sk_common.skc_dport));
	}
	return call_unnamed(c->kind, local, peer, asked_port(&c->asked));
}

static __always_inline bool has_names(struct socket_call *c)
{
	return c->family == AF_UNIX || (c->asked.len && c->asked.family == AF_UNIX);
}
