/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads and writes, summed per process and open file: the first call is an event, later ones are counted
 * in the map `open_files`, the sums leave at close or when user space sweeps the map.
 *
 * Records carry totals since the first call, never differences, so a record that finds the ring full
 * loses nothing: the next one tells it too. User space subtracts what it has told before.
 *
 * The key is the address of struct file and the process. The address is reused, often at once, so an
 * entry also holds the inode and `closed`: a closed entry that is met again is a new open. Only the
 * sweep deletes entries: of dead processes, or closed long ago.
 *
 * A record may carry the first bytes of the call that it names (sentinel_config.buffers; 5.17). */
#pragma once

#include "data.h"
#include "path.h"
#include "uring.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768); /* when full, every call is an event */
	__type(key, struct sentinel_open_file_key);
	__type(value, struct sentinel_open_file);
} open_files __weak SEC(".maps");

/* Processes that store our output: summed whatever the configuration says. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32); /* tgid */
	__type(value, __u32);
} consumers __weak SEC(".maps");

/* Our own output files. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct sentinel_file_id);
	__type(value, __u32);
} own_files __weak SEC(".maps");

enum { READ, WRITE };

static __always_inline __u32 kind_of(int w)
{
	return w ? SENTINEL_KIND_FILE_WRITE : SENTINEL_KIND_FILE_READ;
}

struct io_call {
	__u64 file, now;
	struct inode *inode;
	struct task_struct *owner; /* of a request of io_uring; NULL: a call of current */
	__u32 nr, fd;
	long ret;
	int w;
	bool moves;	  /* data between a file and the caller's memory */
	bool unsure;	  /* the file was looked up before it was used */
	struct data data; /* nowhere unless it is wanted */
};

/* In the tail the data, of which there is room for @DATA bytes (a constant), and the path. */
#define EMIT_IO(DATA, BYTES, SIZE)                                                                           \
	do {                                                                                                 \
		struct sentinel_file_read *r = /* sentinel_file_write has the same form */                   \
		    ring_take(kind, sizeof(*r) + (DATA) + (BYTES));                                          \
		if (!r) {                                                                                    \
			ring_count(kind, single ? COUNT_LOST : COUNT_DEFERRED);                              \
			return false;                                                                        \
		}                                                                                            \
		path_copy(&r->io.path, (__u8 *)(r + 1) + (DATA), (DATA), path, measure, SIZE, loop);         \
		if ((SIZE) == SIZE_SMALL && r->io.path.flags & SENTINEL_PATH_CUT) {                          \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		/* A request that has ended holds the file it used. */                                       \
		if (c->owner ? c->unsure : files_shared())                                                   \
			r->io.path.flags |= SENTINEL_PATH_SHARED;                                            \
		r->io.path.flags |= leaf_flags(c->file);                                                     \
		r->io.file = scramble(c->file);                                                              \
		r->io.opened_ns = single ? 0 : e->opened_ns;                                                 \
		r->io.calls = single ? 1 : e->calls[c->w & 1];                                               \
		r->io.bytes = single ? (__u64)c->ret : e->bytes[c->w & 1];                                   \
		r->io.ino = LD(c->inode, i_ino);                                                             \
		r->io.dev = LD(LD(c->inode, i_sb), s_dev);                                                   \
		r->io.fd = c->fd;                                                                            \
		r->io.data.off = r->io.data.len = 0;                                                         \
		if (DATA)                                                                                    \
			data_copy(&r->io.data, (__u8 *)(r + 1), 0, &c->data);                                \
		fill_header_at(&r->hdr, kind, c->nr, c->ret, c->now);                                        \
		if (c->owner)                                                                                \
			fill_owner(&r->hdr, address_of(c->owner));                                           \
		r->hdr.len = sizeof(*r) + (DATA) + r->io.path.span.len;                                      \
		ring_count(kind, COUNT_DELIVERED);                                                           \
		ring_submit(r);                                                                              \
		return true;                                                                                 \
	} while (0)

static __always_inline void data_of_call(struct io_call *c)
{
	if (c->nr == NR_READ || c->nr == NR_PREAD64 || c->nr == NR_WRITE || c->nr == NR_PWRITE64) {
		c->data.at = ARG(1);
		c->data.len = c->ret;
	} else {
		data_of_vector(&c->data, (void *)ARG(1), c->ret);
	}
}

/* The record that names the file: one call, or the totals so far. @e: NULL when there is no entry. */
static __always_inline bool emit_io(struct io_call *c, struct sentinel_open_file *e, bool loop)
{
	__u64 path = path_of_file(c->file), measure = 0;
	bool single = !e || e->single;
	__u32 kind = kind_of(c->w);

	if (loop && c->moves && c->ret > 0 && data_wanted())
		data_of_call(c);
	if (loop && c->data.at) {
		measure = path_measure(path);
		if (path_size(measure) != SIZE_LARGE)
			EMIT_IO(SENTINEL_DATA_MAX, PATH_MEDIUM, SIZE_MEDIUM);
		else
			EMIT_IO(SENTINEL_DATA_MAX, PATH_LARGE, SIZE_LARGE);
	}
	/* Most paths are short: tried without measuring, which would cost as much as the copy. */
	EMIT_IO(0, PATH_SMALL, SIZE_SMALL);
	measure = path_measure(path);
	if (path_size(measure) != SIZE_LARGE)
		EMIT_IO(0, PATH_MEDIUM, SIZE_MEDIUM);
	else
		EMIT_IO(0, PATH_LARGE, SIZE_LARGE);
}

/* The sums of a file that is closed, or whose address now belongs to another. */
static __always_inline bool emit_close(__u64 file, struct sentinel_open_file *e, __u32 nr,
				       struct task_struct *owner)
{
	struct sentinel_file_close *r = ring_take(SENTINEL_KIND_FILE_CLOSE, sizeof(*r));

	if (!r) {
		e->untold = 1;
		ring_count(SENTINEL_KIND_FILE_CLOSE, COUNT_DEFERRED);
		return false;
	}
	e->untold = 0;
	r->file = file;
	r->opened_ns = e->opened_ns;
	r->calls[READ] = e->calls[READ];
	r->calls[WRITE] = e->calls[WRITE];
	r->bytes[READ] = e->bytes[READ];
	r->bytes[WRITE] = e->bytes[WRITE];
	r->ino = e->ino;
	r->dev = e->dev;
	r->fd = e->fd;
	r->single = e->single;
	r->pad = 0;
	fill_header(&r->hdr, SENTINEL_KIND_FILE_CLOSE, sizeof(*r), nr, 0);
	if (owner)
		fill_owner(&r->hdr, address_of(owner));
	ring_count(SENTINEL_KIND_FILE_CLOSE, COUNT_DELIVERED);
	ring_submit(r);
	return true;
}

/* Is there more to say than the first record of each direction said? */
static __always_inline bool has_news(struct sentinel_open_file *e)
{
	return e->calls[WRITE] || (e->calls[READ] > 1 && !e->single);
}

static __always_inline bool is_own(struct inode *inode, struct sentinel_config *conf, __u32 tgid)
{
	struct sentinel_file_id id = {};

	if (tgid != conf->self_tgid)
		return false;
	id.ino = LD(inode, i_ino);
	id.dev = LD(LD(inode, i_sb), s_dev);
	return bpf_map_lookup_elem(&own_files, &id) != NULL;
}

static __always_inline void begin_entry(struct sentinel_open_file *e, struct sentinel_open_file_key *key,
					struct io_call *c, struct sentinel_config *conf)
{
	e->opened_ns = c->now;
	e->inode = scramble(NUM(c->inode));
	e->start_ns = LD(LD(c->owner ? c->owner : current_task(), group_leader), start_boottime);
	e->ino = LD(c->inode, i_ino);
	e->dev = LD(LD(c->inode, i_sb), s_dev);
	e->fd = c->fd;
	e->single = !conf->aggregate && !bpf_map_lookup_elem(&consumers, &key->tgid);
	e->own = is_own(c->inode, conf, key->tgid);
}

/* A file that this process has not used before, or whose entry belongs to an earlier file. NULL: no room
 * in the table, or none in the ring for what the earlier file still has to tell. */
static __always_inline struct sentinel_open_file *begin(struct sentinel_open_file_key *key,
							struct sentinel_open_file *old, struct io_call *c,
							struct sentinel_config *conf)
{
	struct sentinel_open_file fresh = {};

	if (!old) {
		begin_entry(&fresh, key, c, conf);
		/* Of two threads that begin at once one inserts, and both use what it inserted. */
		bpf_map_update_elem(&open_files, key, &fresh, BPF_NOEXIST);
		return bpf_map_lookup_elem(&open_files, key);
	}
	if ((old->untold || !old->closed) && !old->own && has_news(old) &&
	    !emit_close(key->file, old, c->nr, c->owner))
		return NULL;
	/* Sums first, `opened_ns` next, `closed` last: a sweep that reads half of it takes no old sum for a
	 * new one. Of two threads that begin at once both reset, and one call in the sums may be missing:
	 * 5.10 has no atomic that could tell them apart. */
	old->calls[READ] = old->calls[WRITE] = old->bytes[READ] = old->bytes[WRITE] = 0;
	old->named[READ] = old->named[WRITE] = old->untold = 0;
	barrier();
	begin_entry(old, key, c, conf);
	barrier();
	old->closed = 0;
	return old;
}

/* A call that has succeeded. */
static __always_inline int account_call(struct io_call *c, bool loop)
{
	struct sentinel_config *conf = config_get();
	struct sentinel_open_file_key key = {};
	struct sentinel_open_file *e;
	int w = c->w;

	if (!conf || !c->file)
		return 0;
	c->inode = LD(CAST((void *)c->file, struct file), f_inode);
	key.file = scramble(c->file);
	key.tgid = c->owner ? (__u32)LD(c->owner, tgid) : (__u32)(bpf_get_current_pid_tgid() >> 32);
	e = bpf_map_lookup_elem(&open_files, &key);
	if (!e || e->closed || e->inode != scramble(NUM(c->inode))) {
		if (!has_path(c->inode))
			return 0;
		c->now = bpf_ktime_get_boot_ns();
		e = begin(&key, e, c, conf);
	}
	if (e ? e->own : is_own(c->inode, conf, key.tgid)) {
		ring_count(kind_of(w), COUNT_EXCLUDED);
		return 0;
	}
	if (e) { /* else there is no entry, and the call is an event of its own */
		__sync_fetch_and_add(&e->calls[w], 1);
		__sync_fetch_and_add(&e->bytes[w], c->ret);
		if (e->named[w] && !e->single)
			return 0;
	}
	if (!(conf->kinds & 1ull << kind_of(w)))
		return 0;
	if (!c->now)
		c->now = bpf_ktime_get_boot_ns();
	/* Two threads may both be first: both records tell totals, so nothing is told twice. */
	if (emit_io(c, e, loop) && e)
		e->named[w] = 1;
	return 0;
}
