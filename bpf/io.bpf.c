// SPDX-License-Identifier: GPL-2.0-only
/* Reads, writes and closes by system calls: see io.h. */
#include "io.h"

static __always_inline int account(unsigned int fd, struct tp_sys_exit *ctx, int w, bool loop)
{
	struct io_call c = {.nr = call_of(ctx), .fd = fd, .ret = ctx->ret, .w = w};

	if (ctx->ret < 0 || others())
		return 0;
	c.file = file_of_fd(fd);
	return account_call(&c, loop);
}

/* A call that has its data in the caller's memory. */
static __always_inline int account_data(struct tp_sys_exit *ctx, int w, bool loop)
{
	struct io_call c = {.nr = call_of(ctx), .fd = ARG(0), .ret = ctx->ret, .w = w, .moves = true};

	if (ctx->ret < 0 || others())
		return 0;
	c.file = file_of_fd(c.fd);
	return account_call(&c, loop);
}

/* sendfile(out, in), splice(in, _, out), copy_file_range(in, _, out): two files each. */
static __always_inline int account_copy(struct tp_sys_exit *ctx, int w, bool loop)
{
	bool sendfile = call_of(ctx) == NR_SENDFILE;

	if (w == READ)
		return account(sendfile ? ARG(1) : ARG(0), ctx, READ, loop);
	return account(sendfile ? ARG(0) : ARG(2), ctx, WRITE, loop);
}

/* sys_enter_close: at the exit the descriptor is empty. Misses dup2, close_range, exec and exit: the
 * sweep finds those. */
static __always_inline int close_enter(struct tp_sys_enter *ctx, bool loop)
{
	struct io_call c = {.nr = call_of(ctx), .fd = ctx->args[0]};
	struct sentinel_config *conf = config_get();
	struct sentinel_open_file_key key = {};
	struct sentinel_open_file *e;

	if (!conf || others())
		return 0;
	c.file = file_of_fd(ctx->args[0]);
	if (!c.file)
		return 0;
	key.file = scramble(c.file);
	key.tgid = bpf_get_current_pid_tgid() >> 32;
	e = bpf_map_lookup_elem(&open_files, &key);
	if (!e || e->closed)
		return 0;
	c.inode = LD(CAST((void *)c.file, struct file), f_inode);
	if (e->inode == scramble(NUM(c.inode)) && !e->own) {
		/* The record that names the file found the ring full: once more. */
		c.now = bpf_ktime_get_boot_ns();
		for (c.w = READ; c.w <= WRITE && !e->single; c.w++)
			if (!e->named[c.w & 1] && e->calls[c.w & 1] && conf->kinds & 1ull << kind_of(c.w))
				e->named[c.w & 1] = emit_io(&c, e, loop);
		if (has_news(e))
			emit_close(key.file, e, call_of(ctx), NULL);
	}
	e->closed = 1;
	return 0;
}

/* Attached to sys_exit_{read,pread64,readv,preadv,preadv2} and the write family. Misses: mmap, io_submit,
 * vmsplice, int 0x80. */
PROGRAM(file_read, struct tp_sys_exit, account_data, ctx, READ)
PROGRAM(file_write, struct tp_sys_exit, account_data, ctx, WRITE)
/* Attached to sys_exit_{sendfile64,splice,copy_file_range}. */
PROGRAM(file_copy_read, struct tp_sys_exit, account_copy, ctx, READ)
PROGRAM(file_copy_write, struct tp_sys_exit, account_copy, ctx, WRITE)
/* Attached to sys_enter_close. */
PROGRAM(file_close, struct tp_sys_enter, close_enter, ctx)
