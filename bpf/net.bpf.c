// SPDX-License-Identifier: GPL-2.0-only
/* Sockets: socket, connect, accept, bind, listen. At the exit of the system call, from the socket: what the
 * kernel used, not what the caller's memory says now. That is told too, as `asked`; user space compares. */
#include "socket.h"

/* Attached to sys_exit_connect. A refused TCP connect has lost the peer's port in the socket, an unreachable
 * one its address, a failed unix connect everything: `asked` has them. Misses: int 0x80; and
 * sendto() without connect, which leaves nothing in the socket. */
SEC("tracepoint")
int connect(struct tp_sys_exit *ctx)
{
	struct socket_call call = {.kind = SENTINEL_KIND_CONNECT, .nr = call_of(ctx), .ret = ctx->ret},
			   *c = &call;

	if (!wanted_call(SENTINEL_KIND_CONNECT, ctx->ret))
		return 0;
	c->fd = ARG(0);
	ask(&c->asked, (void *)ARG(1), ARG(2));
	find_socket(c);
	if (socket_unwanted(c))
		return 0;
	if (has_names(c))
		SOCKET(connect, UNIX_TAIL, );
	SOCKET(connect, 0, );
}

/* Attached to sys_exit_bind. */
SEC("tracepoint")
int bind(struct tp_sys_exit *ctx)
{
	struct socket_call call = {.kind = SENTINEL_KIND_BIND, .nr = call_of(ctx), .ret = ctx->ret},
			   *c = &call;

	if (!wanted_call(SENTINEL_KIND_BIND, ctx->ret))
		return 0;
	c->fd = ARG(0);
	ask(&c->asked, (void *)ARG(1), ARG(2));
	find_socket(c);
	if (socket_unwanted(c))
		return 0;
	if (has_names(c))
		SOCKET(bind, UNIX_TAIL, );
	SOCKET(bind, 0, );
}

/* Attached to sys_exit_{accept,accept4}. The new socket; on failure the one that listens. Not an event: a
 * queue that was empty or a wait that was interrupted. Misses: int 0x80. */
SEC("tracepoint")
int accept(struct tp_sys_exit *ctx)
{
	struct socket_call call = {.kind = SENTINEL_KIND_ACCEPT, .nr = call_of(ctx), .ret = ctx->ret},
			   *c = &call;

	if (c->ret == -EAGAIN || c->ret == -EINTR || c->ret == -ERESTARTSYS ||
	    !wanted_call(SENTINEL_KIND_ACCEPT, ctx->ret))
		return 0;
	c->fd = c->ret >= 0 ? c->ret : (long)ARG(0);
	find_socket(c);
	if (socket_unwanted(c))
		return 0;
	if (has_names(c))
		SOCKET(accept, UNIX_TAIL, );
	SOCKET(accept, 0, );
}

/* Attached to sys_exit_listen. */
SEC("tracepoint")
int listen(struct tp_sys_exit *ctx)
{
	struct socket_call call = {.kind = SENTINEL_KIND_LISTEN, .nr = call_of(ctx), .ret = ctx->ret},
			   *c = &call;

	if (!wanted_call(SENTINEL_KIND_LISTEN, ctx->ret))
		return 0;
	c->fd = ARG(0);
	find_socket(c);
	if (socket_unwanted(c))
		return 0;
	if (has_names(c))
		SOCKET(listen, UNIX_TAIL, r->backlog = ARG(1));
	SOCKET(listen, 0, r->backlog = ARG(1));
}

/* Attached to sys_exit_socket. All of it is in registers. Misses: socketpair, which only talks to itself. */
SEC("tracepoint")
int socket(struct tp_sys_exit *ctx)
{
	struct sentinel_socket *r;

	if (!wanted_call(SENTINEL_KIND_SOCKET, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_SOCKET, sizeof(*r));
	if (!r)
		return 0;
	r->family = ARG(0);
	r->type = ARG(1) & 0xf; /* SOCK_TYPE_MASK */
	r->flags = (__u32)ARG(1) & ~0xfu;
	r->protocol = ARG(2);
	fill_header(&r->hdr, SENTINEL_KIND_SOCKET, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}
