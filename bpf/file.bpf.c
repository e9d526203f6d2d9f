// SPDX-License-Identifier: GPL-2.0-only
/* Names of files: open, unlink, rename. At the exit of the system call, when the result is known. */
#include "filter.h"
#include "names.h"

/* -- open, openat, openat2, creat, open_by_handle_at
 * ------------------------------------------------------------------- */

struct open_call {
	const char *name;
	long dirfd;
	__u32 flags, mode;
	__u64 path, path_len, base, base_len; /* addresses of struct path and what path_measure() said */
	__u64 file;
	__u64 place, secret; /* see filter.h */
	__s32 nr;
	long ret;
};

static __always_inline void open_args(struct open_call *c)
{
	struct pt_regs *regs = current_regs(); /* once: two calls */
	__u64 a0 = ARG_OF(regs, 0), a1 = ARG_OF(regs, 1), a2 = ARG_OF(regs, 2);

	c->dirfd = AT_FDCWD;
	if (c->nr == NR_OPEN || c->nr == NR_CREAT) {
		c->name = (void *)a0;
		c->flags = c->nr == NR_CREAT ? 01101 /* O_CREAT|O_WRONLY|O_TRUNC */ : a1;
		c->mode = c->nr == NR_CREAT ? a1 : a2;
		return;
	}
	c->dirfd = a0;
	c->name = (void *)a1;
	if (c->nr == NR_OPENAT2) {
		__u64 how[2] = {};

		bpf_probe_read_user(how, sizeof(how), (void *)a2);
		c->flags = how[0];
		c->mode = how[1];
	} else {
		c->flags = a2;
		c->mode = ARG_OF(regs, 3);
	}
}

static __always_inline void open_fill(struct sentinel_file_open *r, struct open_call *c)
{
	r->flags = c->flags;
	r->mode = c->mode;
	r->ino = r->place = 0;
	r->dev = r->created = 0;
	if (c->file) {
		struct file *f = CAST((void *)c->file, struct file);
		struct inode *inode = LD(f, f_inode);

		r->ino = LD(inode, i_ino);
		r->dev = LD(LD(inode, i_sb), s_dev);
		r->created = (LD(f, f_mode) & FMODE_CREATED) != 0;
		r->path.flags |= leaf_flags(c->file) | (files_shared() ? SENTINEL_PATH_SHARED : 0);
	}
	fill_header(&r->hdr, SENTINEL_KIND_FILE_OPEN, 0, c->nr, c->ret);
}

/* Sure of the file: its path is all there is to say. */
#define OPEN_SURE(BYTES, SIZE)                                                                               \
	do {                                                                                                 \
		struct sentinel_file_open *r = ring_reserve(SENTINEL_KIND_FILE_OPEN, sizeof(*r) + (BYTES));  \
		if (!r)                                                                                      \
			return 0;                                                                            \
		__builtin_memset(&r->asked, 0, sizeof(r->asked));                                            \
		path_copy(&r->path, TAIL(r), 0, c->path, c->path_len, SIZE, loop);                           \
		open_fill(r, c);                                                                             \
		r->hdr.len = sizeof(*r) + r->path.span.len;                                                  \
		/* The same before and after: the path is that of this place. */                             \
		if (c->place && place_of(c->path, c->secret, NULL) == c->place)                              \
			r->place = c->place;                                                                 \
		ring_submit(r);                                                                              \
	} while (0)

/* Is it certain that nobody wants this open? */
static __always_inline bool open_unwanted(struct open_call *c, bool loop)
{
	__u32 zero = 0, ways = SENTINEL_WAY_WRITING;
	struct sentinel_open_filter *f = bpf_map_lookup_elem(&open_filter, &zero);
	__u64 secret = f ? *(volatile __u64 *)&f->secret : 0;
	bool unwanted;

	if (!f || !secret)
		return false;
	/* openat2 keeps its flags in memory that others may write. */
	if (c->nr == NR_OPENAT2)
		ways = SENTINEL_WAY_READING | SENTINEL_WAY_WRITING;
	else if (!(c->flags & (O_ACCMODE | O_CREAT_TRUNC)))
		ways = SENTINEL_WAY_READING;
	if (ways & SENTINEL_WAY_WRITING && f->modes & c->mode) {
		unwanted = false;
	} else if (c->ret < 0) {
		unwanted = !f->failed;
	} else if (!c->file || files_shared()) {
		unwanted = !f->unsure;
	} else if (f->all & ways) {
		unwanted = false;
	} else if (!(f->some & ways)) {
		unwanted = true;
	} else {
		struct measured seen = {};
		__u64 judged = loop ? path_judge_loop(c->path, secret, ways, &seen)
				    : path_judge_plain(c->path, secret, ways);

		c->path_len = seen.measure;
		unwanted = judged == PATH_UNWANTED;
		c->secret = secret;
		c->place = judged > PATH_UNWANTED ? judged : 0;
	}
	barrier();
	/* The set of paths changed meanwhile: we may have looked at half of two. */
	return unwanted && *(volatile __u64 *)&f->secret == secret;
}

/* Sure of the file. */
static __always_inline int open_sure(struct open_call *c, bool loop)
{
	if (path_size(c->path_len) == SIZE_SMALL)
		OPEN_SURE(PATH_SMALL, SIZE_SMALL);
	else if (path_size(c->path_len) == SIZE_MEDIUM)
		OPEN_SURE(PATH_MEDIUM, SIZE_MEDIUM);
	else
		OPEN_SURE(PATH_LARGE, SIZE_LARGE);
	return 0;
}

/* Others share the descriptors, or there is no file. */
static __always_inline int open_unsure(struct open_call *c, bool loop)
{
	/* The second witness: what the caller named. */
	c->base = base_of(c->dirfd, c->name);
	c->base_len = c->base ? path_measure(c->base) : 1ull << 32;
	if (path_size(c->path_len) != SIZE_LARGE && path_size(c->base_len) == SIZE_SMALL) {
		struct sentinel_file_open *r =
		    ring_take(SENTINEL_KIND_FILE_OPEN, sizeof(*r) + PATH_MEDIUM + USER_PATH_SMALL);

		if (!r) {
			ring_count(SENTINEL_KIND_FILE_OPEN, COUNT_LOST);
			return 0;
		}
		path_copy(&r->path, TAIL(r), 0, c->path, c->path_len, SIZE_MEDIUM, loop);
		user_path(&r->asked, TAIL(r), PATH_MEDIUM, c->base, c->base_len, SIZE_SMALL, c->name, loop);
		if (!name_cut(&r->asked)) {
			open_fill(r, c);
			r->hdr.len = sizeof(*r) + PATH_MEDIUM + PATH_SMALL + r->asked.name.len;
			ring_count(SENTINEL_KIND_FILE_OPEN, COUNT_DELIVERED);
			ring_submit(r);
			return 0;
		}
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
	}
	{
		struct sentinel_file_open *r =
		    ring_reserve(SENTINEL_KIND_FILE_OPEN, sizeof(*r) + PATH_LARGE + USER_PATH_LARGE);

		if (!r)
			return 0;
		path_copy(&r->path, TAIL(r), 0, c->path, c->path_len, SIZE_LARGE, loop);
		user_path(&r->asked, TAIL(r), PATH_LARGE, c->base, c->base_len, SIZE_LARGE, c->name, loop);
		open_fill(r, c);
		r->hdr.len = sizeof(*r) + PATH_LARGE + PATH_LARGE + r->asked.name.len;
		ring_submit(r);
	}
	return 0;
}

/* Before 5.17 the ways through a walk are many, and 5.10 verifies what follows anew for nearly each way that
 * leads there: 956,329 instructions, of a million that it allows, in one piece. A global function starts from
 * nothing; it may be given numbers alone. */
__noinline __weak int open_sure_plain(__u64 file, __u64 asked, __u64 call, __u64 path_len, __u64 place)
{
	__u32 zero = 0;
	struct sentinel_open_filter *f = bpf_map_lookup_elem(&open_filter, &zero);
	struct open_call c = {
	    .file = file,
	    .flags = asked,
	    .mode = asked >> 32,
	    .nr = call,
	    .ret = (__s32)(call >> 32),
	    .path = path_of_file(file),
	    .path_len = path_len,
	    .place = place,
	};

	c.secret = f ? *(volatile __u64 *)&f->secret : 0;
	return open_sure(&c, false);
}

__noinline __weak int open_unsure_plain(__u64 file, __u64 asked, __u64 call, __u64 name, __u64 dirfd)
{
	struct open_call c = {
	    .file = file,
	    .flags = asked,
	    .mode = asked >> 32,
	    .nr = call,
	    .ret = (__s32)(call >> 32),
	    .path = path_of_file(file),
	    .name = (void *)name,
	    .dirfd = dirfd,
	};

	c.path_len = c.path ? path_measure_plain(c.path) : 1ull << 32;
	return open_unsure(&c, false);
}

static __always_inline int open_tell(struct open_call *c, bool loop)
{
	c->file = c->ret >= 0 ? file_of_fd(c->ret) : 0;
	c->path = path_of_file(c->file);
	if (open_unwanted(c, loop)) {
		ring_count(SENTINEL_KIND_FILE_OPEN, COUNT_FILTERED);
		return 0;
	}
	if (!c->path)
		c->path_len = 1ull << 32;
	else if (!c->path_len)
		c->path_len = path_measure(c->path);
	if (!loop) {
		__u64 asked = c->flags | (__u64)c->mode << 32, call = (__u32)c->nr | (__u64)c->ret << 32;

		if (c->file && !files_shared())
			return open_sure_plain(c->file, asked, call, c->path_len, c->place);
		return open_unsure_plain(c->file, asked, call, (__u64)c->name, c->dirfd);
	}
	return c->file && !files_shared() ? open_sure(c, loop) : open_unsure(c, loop);
}

static __always_inline int open_exit(struct tp_sys_exit *ctx, bool loop)
{
	struct open_call c = {};

	if (!wanted_call(SENTINEL_KIND_FILE_OPEN, ctx->ret))
		return 0;
	c.nr = call_of(ctx);
	c.ret = ctx->ret;
	open_args(&c);
	return open_tell(&c, loop);
}

/* A handle is a number of the file system's: nothing was asked for by name. */
static __always_inline int open_handle_exit(struct tp_sys_exit *ctx, bool loop)
{
	struct open_call c = {.dirfd = -1};

	if (!wanted_call(SENTINEL_KIND_FILE_OPEN, ctx->ret))
		return 0;
	c.nr = call_of(ctx);
	c.ret = ctx->ret;
	c.flags = ARG(2);
	return open_tell(&c, loop);
}

/* Attached to sys_exit_{open,openat,openat2,creat}. Misses: int 0x80. */
PROGRAM(file_open, struct tp_sys_exit, open_exit, ctx)
/* Attached to sys_exit_open_by_handle_at. */
PROGRAM(file_open_handle, struct tp_sys_exit, open_handle_exit, ctx)

/* What all of them are made of, those of 32 bits and of x32 too; other calls pay nothing. Its result is the
 * descriptor, and what was asked for is the kernel's copy. Where trampolines can be had (5.5, on arm64 6.4).
 * Opens by handle are made of something else. */
SEC("fexit/do_sys_openat2")
int file_open_direct(__u64 *ctx) /* directory, name, how, result */
{
	struct open_call c = {};
	struct open_how *how = (void *)ctx[2];

	c.ret = (int)ctx[3];
	if (!wanted_call(SENTINEL_KIND_FILE_OPEN, c.ret))
		return 0;
	c.nr = current_call();
	c.dirfd = (int)ctx[0];
	c.name = (void *)ctx[1];
	/* The kernel adds it to what was asked for. */
	c.flags = how->flags & ~(__u64)O_LARGEFILE;
	c.mode = how->mode;
	return open_tell(&c, true);
}

/* -- unlink, unlinkat, rmdir ------------------------------------------------------------------------ */

static __always_inline int unlink_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool at = call_of(ctx) == NR_UNLINKAT;
	long dirfd = at ? (long)ARG(0) : AT_FDCWD;
	const char *user = at ? (void *)ARG(1) : (void *)ARG(0);

	if (call_of(ctx) == NR_RMDIR || (at && ARG(2) & 0x200 /* AT_REMOVEDIR */)) {
		if (wanted_call(SENTINEL_KIND_FILE_RMDIR, ctx->ret))
			ONE_NAME(file_rmdir, SENTINEL_KIND_FILE_RMDIR, target, dirfd, user, );
		return 0;
	}
	if (wanted_call(SENTINEL_KIND_FILE_UNLINK, ctx->ret))
		ONE_NAME(file_unlink, SENTINEL_KIND_FILE_UNLINK, target, dirfd, user, );
	return 0;
}

/* Attached to sys_exit_{unlink,unlinkat,rmdir}. The name is user memory; used.bpf.c sees the dentry. */
PROGRAM(file_unlink, struct tp_sys_exit, unlink_exit, ctx)

/* -- rename, renameat, renameat2 -------------------------------------------------------------------- */

static __always_inline int rename_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool plain = call_of(ctx) == NR_RENAME;
	long from_fd = plain ? AT_FDCWD : (long)ARG(0), to_fd = plain ? AT_FDCWD : (long)ARG(2);
	const char *old = plain ? (void *)ARG(0) : (void *)ARG(1),
		   *new = plain ? (void *)ARG(1) : (void *)ARG(3);
	__u32 flags = call_of(ctx) == NR_RENAMEAT2 ? ARG(4) : 0;

	if (wanted_call(SENTINEL_KIND_FILE_RENAME, ctx->ret))
		TWO_NAMES(file_rename, SENTINEL_KIND_FILE_RENAME, from_fd, old, to_fd, new, flags);
	return 0;
}

/* Attached to sys_exit_{rename,renameat,renameat2}. Names as for unlink. */
PROGRAM(file_rename, struct tp_sys_exit, rename_exit, ctx)
