/* SPDX-License-Identifier: GPL-2.0-only */
/* Absolute path of a (mount, dentry), walked from the leaf up to the root of the mount namespace and
 * written, in that order, straight into a reserved record: nothing is staged in scratch that another
 * program could overwrite. Two passes: the first sums the lengths, so that the caller can choose the
 * record's size; the second copies. User space turns the path round. */
#pragma once

#include "calls.h"

#define NAME_CAP   256	/* NAME_MAX and its NUL */
#define NAME_SHORT 64	/* the same for records of the smallest size */
#define SHALLOW	   48	/* steps in plain loops; deeper goes through bpf_loop() */
#define OLD	   24	/* the same before 5.17, whose verifier prunes less */
#define DEEP	   2200 /* PATH_MAX / 2 components, and mounts crossed */

/* Bytes that may start a name, and what a buffer needs: one more name. */
#define ROOM_SMALL  128
#define ROOM_MEDIUM 512
#define ROOM_LARGE  4096
#define PATH_SMALL  (ROOM_SMALL + NAME_SHORT)
#define PATH_MEDIUM (ROOM_MEDIUM + NAME_CAP)
#define PATH_LARGE  (ROOM_LARGE + NAME_CAP)

enum path_size { SIZE_SMALL, SIZE_MEDIUM, SIZE_LARGE };

struct walk {
	struct dentry *d, *mroot;
	struct mount *m;
	__u32 flags;
	__u32 done; /* 0 or 1 */
};

static __always_inline struct mount *mount_of(struct vfsmount *v)
{
	return CAST((void *)v - bpf_core_field_offset(struct mount, mnt), struct mount);
}

/* @path is the address of a struct path: in a file, or in fs_struct. */
static __always_inline void walk_start(struct walk *w, __u64 path)
{
	struct path *p = CAST((void *)path, struct path);

	w->m = mount_of(LD(p, mnt));
	w->mroot = LD(w->m, mnt.mnt_root);
	w->d = LD(p, dentry);
	w->flags = w->done = 0;
}

/* One step up. Returns the dentry whose name is the next component, or NULL: none this time. */
static __always_inline struct dentry *walk_up(struct walk *w)
{
	struct dentry *d = w->d, *parent;

	if (d == w->mroot) {
		struct mount *m = w->m, *up = LD(m, mnt_parent);

		if (up == m) { /* the top */
			/* An anonymous namespace (open_tree) is not the task's either. */
			if (LD(m, mnt_ns) != LD(LD(current_task(), nsproxy), mnt_ns))
				w->flags |= SENTINEL_PATH_DETACHED;
			w->done = 1;
			return NULL;
		}
		w->d = LD(m, mnt_mountpoint);
		w->m = up;
		w->mroot = LD(up, mnt.mnt_root);
		return NULL;
	}
	parent = LD(d, d_parent);
	if (parent == d) { /* no way to the mount's root from here */
		w->flags |= SENTINEL_PATH_DISCONNECTED;
		w->done = 1;
	}
	w->d = parent;
	return d;
}

/* First pass. Global functions: the verifier checks them once and by themselves, and the caller sees just a
 * number; inlined, every way through them would be multiplied with every way through the second pass.
 * Returns length | (or of the names' sizes) << 16 | 1 << 32, or 0: too deep. */
__noinline __weak __u64 path_measure_plain(__u64 path)
{
	__u64 len = 0, bits = 0, n;
	struct walk w;

	walk_start(&w, path);
	for (int i = 0; i < SHALLOW && !w.done; i++) {
		struct dentry *d = walk_up(&w);

		if (d) {
			n = (LD(d, d_name.len) & 255) + 1;
			len += n;
			bits |= n; /* < 64 exactly if every name is: no branch for the verifier */
		}
	}
	return w.done ? len | bits << 16 | 1ull << 32 : 0;
}

struct measuring {
	struct dentry *d, *mroot;
	struct mount *m;
	__u64 len, bits, done;
};

static long measure_step(__u32 i, void *ctx)
{
	struct measuring *c = ctx;
	struct walk w = {};
	struct dentry *d;

	(void)i;
	w.d = CAST(c->d, struct dentry); /* types are lost on the way through memory */
	w.m = CAST(c->m, struct mount);
	w.mroot = c->mroot;
	d = walk_up(&w);
	if (d) {
		__u64 n = (LD(d, d_name.len) & 255) + 1;

		c->len += n;
		c->bits |= n;
	}
	c->d = w.d;
	c->m = w.m;
	c->mroot = w.mroot;
	c->done = w.done;
	return w.done;
}

/* The same in a bpf_loop(), which the verifier looks at once instead of once a step. */
__noinline __weak __u64 path_measure_loop(__u64 path)
{
	struct measuring c = {};
	struct walk w;

	walk_start(&w, path);
	c.d = w.d;
	c.m = w.m;
	c.mroot = w.mroot;
	bpf_loop(SHALLOW, measure_step, &c, 0);
	return c.done ? c.len | c.bits << 16 | 1ull << 32 : 0;
}

/* Uses the constant `loop` of its surroundings. */
#define path_measure(path) (loop ? path_measure_loop(path) : path_measure_plain(path))

/* The smallest buffer that holds a path so measured. */
static __always_inline enum path_size path_size(__u64 measure)
{
	if (measure && (measure & 0xffff) <= ROOM_SMALL && (measure >> 16 & 0xffff) < NAME_SHORT)
		return SIZE_SMALL;
	return measure && (measure & 0xffff) <= ROOM_MEDIUM ? SIZE_MEDIUM : SIZE_LARGE;
}

/* @n bytes of a name and a NUL, of @names at most. Word by word, where a load is one instruction: a call
 * costs more than the two or three words that a name usually has. What lies behind a name in its last word is
 * written over, or lies behind the record's length. */
static __always_inline void name_copy(__u8 *at, const unsigned char *name, __u32 n, __u32 names)
{
	if (!HAS_CAST || names != NAME_SHORT) {
		bpf_probe_read_kernel(at, n + 1, name);
		return;
	}
#pragma unroll
	for (__u32 i = 0; i < NAME_SHORT; i += 8) {
		*(__u64 *)(at + i) = WORD(name + i);
		if (i + 8 > n)
			return;
	}
}

/* Second pass, one step. The length lives in the record, where the verifier knows nothing about it:
 * one round is like another. Offsets below @room may start a name of up to @names bytes (a power of
 * two), so @buf has room + names. */
static __always_inline void copy_up(struct walk *w, struct sentinel_path *p, __u8 *buf, __u32 room,
				    __u32 names)
{
	struct dentry *d = walk_up(w);
	__u32 off = p->span.len, n;
	__u8 *at;

	if (!d)
		return;
	n = LD(d, d_name.len);
	if (n >= names)
		off = room;
	barrier_var(off); /* older verifiers want the comparison here, not earlier */
	if (off >= room) {
		w->flags |= SENTINEL_PATH_CUT;
		w->done = 1;
		return;
	}
	n &= names - 1;
	at = buf + off;
	barrier_var(at); /* … and what follows from the pointer that was compared */
	name_copy(at, LD(d, d_name.name), n, names);
	at[n] = 0; /* a rename may have put a longer name in place since */
	p->span.len = off + n + 1;
}

static __always_inline void copy_shallow(struct sentinel_path *p, __u8 *buf, __u64 path, __u32 room,
					 __u32 names, int steps)
{
	struct walk w;

	walk_start(&w, path);
	for (int i = 0; i < steps && !w.done; i++)
		copy_up(&w, p, buf, room, names);
	p->flags |= w.flags | (w.done ? 0 : SENTINEL_PATH_CUT);
}

struct deep {
	struct dentry *d, *mroot;
	struct mount *m;
	struct sentinel_path *p;
	__u8 *buf;
};

/* One step in a bpf_loop(): the verifier looks at it once, however deep the path is. */
static __always_inline long loop_step(struct deep *c, __u32 room, __u32 names)
{
	struct walk w = {};

	w.d = CAST(c->d, struct dentry); /* types are lost on the way through memory */
	w.m = CAST(c->m, struct mount);
	w.mroot = c->mroot;
	copy_up(&w, c->p, c->buf, room, names);
	c->d = w.d;
	c->m = w.m;
	c->mroot = w.mroot;
	c->p->flags |= w.flags;
	return w.done != 0;
}

/* What the small, the medium and the large buffer need. */
struct room_small {
	__u8 bytes[PATH_SMALL];
};
struct room_medium {
	__u8 bytes[PATH_MEDIUM];
};
struct room_large {
	__u8 bytes[PATH_LARGE];
};

/* Global functions, as for the first pass: whatever a program copies, and however often, is verified once.
 * Memory as an argument needs 5.12. */
#define COPY_LOOP(name, ROOM, NAMES)                                                                         \
	static long name##_step(__u32 i, void *ctx)                                                          \
	{                                                                                                    \
		(void)i;                                                                                     \
		return loop_step(ctx, (ROOM), (NAMES));                                                      \
	}                                                                                                    \
	__noinline __weak int path_copy_##name(struct sentinel_path *p, struct room_##name *buf, __u64 path) \
	{                                                                                                    \
		struct deep c = {.p = p, .buf = (__u8 *)buf};                                                \
		struct walk w;                                                                               \
                                                                                                             \
		if (!p || !buf)                                                                              \
			return 0;                                                                            \
		walk_start(&w, path);                                                                        \
		c.d = w.d;                                                                                   \
		c.m = w.m;                                                                                   \
		c.mroot = w.mroot;                                                                           \
		if (bpf_loop(DEEP, name##_step, &c, 0) == DEEP)                                              \
			p->flags |= SENTINEL_PATH_CUT;                                                       \
		return 0;                                                                                    \
	}

COPY_LOOP(small, ROOM_SMALL, NAME_SHORT)
COPY_LOOP(medium, ROOM_MEDIUM, NAME_CAP)
COPY_LOOP(large, ROOM_LARGE, NAME_CAP)

/* Writes the path at @path (measured before as @measure) into @buf, which lies @off bytes into the tail.
 * @size and @loop are constants: before 5.17 a program may not even mention a callback. */
static __always_inline void path_copy(struct sentinel_path *p, __u8 *buf, __u32 off, __u64 path,
				      __u64 measure, enum path_size size, bool loop)
{
	p->span.off = off;
	p->span.len = 0;
	p->flags = 0;
	if (!path)
		return;
	if (loop && size == SIZE_SMALL)
		path_copy_small(p, (void *)buf, path);
	else if (loop && size == SIZE_MEDIUM)
		path_copy_medium(p, (void *)buf, path);
	else if (loop)
		path_copy_large(p, (void *)buf, path);
	else if (size == SIZE_SMALL)
		copy_shallow(p, buf, path, ROOM_SMALL, NAME_SHORT, OLD);
	else if (size == SIZE_MEDIUM)
		copy_shallow(p, buf, path, ROOM_MEDIUM, NAME_CAP, OLD);
	else
		copy_shallow(p, buf, path, ROOM_LARGE, NAME_CAP, OLD);
	if (measure && !(p->flags & SENTINEL_PATH_CUT) && p->span.len != (measure & 0xffff))
		p->flags |= SENTINEL_PATH_TORN;
}

static __always_inline __u64 path_of_file(__u64 file)
{
	return file ? file + bpf_core_field_offset(struct file, f_path) : 0;
}

/* What the leaf of a file alone tells. */
static __noinline __attribute__((unused)) __u32 leaf_flags(__u64 file)
{
	struct file *f = CAST((void *)file, struct file);
	struct dentry *d = LD(f, f_path.dentry);
	struct dentry_operations *op = (void *)LD(d, d_op);
	bool is_root = LD(d, d_parent) == d;
	__u32 flags = 0;

	/* d_unlinked(): not in the hash and not a root */
	if (!LD(d, d_hash.pprev) && !is_root)
		flags |= SENTINEL_PATH_DELETED;
	if (op && (!is_root || d != LD(mount_of(LD(f, f_path.mnt)), mnt.mnt_root)) && LD(op, d_dname))
		flags |= SENTINEL_PATH_PSEUDO;
	return flags;
}

#define ANON_INODE_MAGIC 0x09041934 /* eventfd, epoll, timerfd …: regular files since 6.16 */
#define PIPE_MAGIC	 0x50495045
#define SOCK_MAGIC	 0x534F434B

/* Whether its path says something. */
static __always_inline bool has_path(struct inode *inode)
{
	__u32 type = LD(inode, i_mode) & S_IFMT;
	__u64 magic = LD(LD(inode, i_sb), s_magic);

	if (type != S_IFREG && type != S_IFCHR && type != S_IFBLK && type != S_IFIFO)
		return false;
	return magic != ANON_INODE_MAGIC && magic != PIPE_MAGIC && magic != SOCK_MAGIC;
}

/* Each program and its twin for kernels before 5.17, which know no bpf_loop(). */
#define PROGRAM(name, ctx_type, call, ...)                                                                   \
	SEC("tracepoint") int name(ctx_type *ctx)                                                            \
	{                                                                                                    \
		return call(__VA_ARGS__, true);                                                              \
	}                                                                                                    \
	SEC("tracepoint") int name##_old(ctx_type *ctx)                                                      \
	{                                                                                                    \
		return call(__VA_ARGS__, false);                                                             \
	}

/* -- names in the caller's memory ------------------------------------------------------------------- */

#define USER_NAME_SMALL 256
#define USER_NAME_LARGE 4096

/* Where a name starts: as the address of a struct path. */
static __always_inline __u64 base_from(long dirfd, bool absolute)
{
	__u64 fs = NUM(LD(current_task(), fs));

	if (absolute)
		return fs + bpf_core_field_offset(struct fs_struct, root);
	if ((int)dirfd == AT_FDCWD)
		return fs + bpf_core_field_offset(struct fs_struct, pwd);
	return path_of_file(file_of_fd((unsigned int)dirfd));
}

/* The same of the name of a system call. */
static __always_inline __u64 base_of(long dirfd, const char *name)
{
	char first = 0;

	bpf_probe_read_user(&first, 1, name);
	return base_from(dirfd, first == '/');
}

/* Whether others can write the memory of the caller: threads, or a parent that waits for its vfork. Who
 * writes it as a debugger does, or has mapped the same pages, is not seen here. */
static __always_inline bool memory_shared(void)
{
	return LD(LD(current_task(), mm), mm_users.counter) > 1;
}

/* Reads the name into @buf of @cap bytes (a constant), @off bytes into the tail. Faults nothing in. */
static __always_inline void user_name(struct sentinel_user_path *u, __u8 *buf, __u32 off, __u32 cap,
				      const char *name)
{
	long n = bpf_probe_read_user_str(buf, cap, name);

	u->name.off = off;
	u->name.len = n > 0 ? n - 1 : 0;
	u->unreadable = n < 0;
	u->second.span.off = u->second.span.len = 0;
	u->second.flags = memory_shared() ? SENTINEL_PATH_SHARED : 0;
}
