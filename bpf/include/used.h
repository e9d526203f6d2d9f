/* SPDX-License-Identifier: GPL-2.0-only */
/* Which file a name led to. A name lies in the caller's memory, where another thread can rewrite it at any
 * time: what is read at the exit of a call need not be what the kernel has read at its beginning. So somebody
 * else is asked, used.bpf.c: the kernel itself, when it is about to use what it has looked up; where that
 * cannot be had, the memory as the call begins, and then the event says that it is not sure. */
#pragma once

#include "path.h"

/* The last words on the names of one call. */
struct noted_names {
	__u64 base[2][2]; /* copies of struct path: the directory; where there is no name, the file */
	__u32 len[2];	  /* of the name behind it */
	__u32 kind;	  /* enum sentinel_kind */
	__u32 by_kernel;
	__u8 names[2 * NAME_CAP];
};

/* By thread. One lives as long as a call; those of calls that nobody takes it from (bind makes a special file
 * too) are the first to go. Without it an event says that it is not sure, where it is not. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct noted_names);
} noted_names __weak SEC(".maps");

/* -- what notes ------------------------------------------------------------------------------------- */

static __always_inline void noted_forget(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&noted_names, &thread);
}

static __always_inline struct noted_names *note(__u32 kind, bool by_kernel)
{
	static const struct noted_names nothing; /* too large for the stack */
	__u64 thread = bpf_get_current_pid_tgid();
	struct noted_names *n;

	if (!wanted(kind))
		return NULL;
	bpf_map_update_elem(&noted_names, &thread, &nothing, BPF_ANY);
	n = bpf_map_lookup_elem(&noted_names, &thread);
	if (n) {
		n->kind = kind;
		n->by_kernel = by_kernel;
	}
	return n;
}

/* As a call begins. Who shares its memory with nobody pays for a look at that, and is told what it has named.
 */
static __always_inline struct noted_names *note_entered(__u32 kind)
{
	if (memory_shared())
		return note(kind, false);
	noted_forget();
	return NULL;
}

static __always_inline void note_name(struct noted_names *n, int which, long dirfd, __u64 name)
{
	__u64 base = base_of(dirfd, (void *)name);
	long len = bpf_probe_read_user_str(n->names + which * NAME_CAP, NAME_CAP, (void *)name);

	/* One that fills its room may go on: nothing is said of it but that we are not sure. */
	if (len <= 1 || len == NAME_CAP || !base) {
		n->kind = 0;
		return;
	}
	n->len[which] = (len - 1) & (NAME_CAP - 1);
	bpf_probe_read_kernel(n->base[which], sizeof(n->base[which]), (void *)base);
}

/* -- what tells ------------------------------------------------------------------------------------- */
/* Global functions: older verifiers would look at what follows anew for each way through them. */

enum noted { NOTED_NOTHING, NOTED_SMALL, NOTED_LARGE };

static __always_inline struct noted_names *noted_here(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&noted_names, &thread);
}

static __always_inline bool noted_fits(struct noted_names *n, int which)
{
	__u64 measure;

	if (!n->base[which][1])
		return true;
	measure = path_measure_loop(address_of(n->base[which]));
	return path_size(measure) == SIZE_SMALL && n->len[which] < NAME_SHORT &&
	       (measure & 0xffff) + n->len[which] < ROOM_SMALL;
}

/* What was noted about this call, which has returned @ret: enum noted, the size of the record that it needs.
 * The kernel uses names of calls that succeed. */
__noinline __weak int noted_size(__u32 kind, long ret)
{
	struct noted_names *n = noted_here();

	if (!n || n->kind != kind || (ret < 0 && n->by_kernel))
		return NOTED_NOTHING;
	return noted_fits(n, 0) && noted_fits(n, 1) ? NOTED_SMALL : NOTED_LARGE;
}

/* Writes a path into @buf, @off bytes into the tail; nothing when nothing is known of this one. */
#define NOTED_COPY(size, NAMES)                                                                              \
	__noinline __weak int noted_copy_##size(struct sentinel_path *p, struct room_##size *buf,            \
						__u32 which, __u32 off)                                      \
	{                                                                                                    \
		struct noted_names *n = noted_here();                                                        \
		__u32 len;                                                                                   \
                                                                                                             \
		which &= 1;                                                                                  \
		if (!p || !buf || !n || !n->base[which][1])                                                  \
			return 0;                                                                            \
		len = n->len[which] & ((NAMES) - 1);                                                         \
		p->span.off = off;                                                                           \
		p->span.len = 0;                                                                             \
		p->flags = n->by_kernel ? SENTINEL_PATH_USED : SENTINEL_PATH_SHARED;                         \
		if (len) {                                                                                   \
			bpf_probe_read_kernel(buf->bytes, (NAMES), n->names + which * NAME_CAP);             \
			buf->bytes[len] = 0;                                                                 \
			p->span.len = len + 1;                                                               \
		}                                                                                            \
		return path_copy_##size(p, buf, address_of(n->base[which]));                                 \
	}

NOTED_COPY(small, NAME_SHORT)
NOTED_COPY(large, NAME_CAP)

struct room_text {
	__u8 bytes[NAME_CAP];
};

/* The kernel's copy of a text behind the names, into @buf. Returns its length with the NUL; 0: there is none.
 */
__noinline __weak int noted_text(struct room_text *buf)
{
	struct noted_names *n = noted_here();

	if (!buf || !n || !n->by_kernel || !n->len[1])
		return 0;
	return bpf_probe_read_kernel_str(buf->bytes, sizeof(buf->bytes), n->names + NAME_CAP);
}
