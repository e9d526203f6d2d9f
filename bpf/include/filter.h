/* SPDX-License-Identifier: GPL-2.0-only */
/* Opens that nobody wants cost no ring space. What is wanted is a set of paths (the agent's FileInterest); a
 * path is in it by its beginning, by a name on the way, or by the end of its last name.
 *
 * Whether a *directory* makes all that is in it wanted, the agent says, who has the whole path: the first
 * open in a directory goes to the agent together with the directory's place, and the answer is kept in the
 * array `open_places`. The place is a hash over the chain up to the root: inodes, names, and the counter that
 * each dentry raises with every rename. So nothing is ever invalidated: what moves has another place, and so
 * has everything when the set of paths changes and the secret with it. A place that is not known lets pass.
 *
 * The last name is compared here, with the maps below. They widen the set (long names are cut); the agent,
 * who sees what passes, narrows it again. */
#pragma once

#include "path.h"

#define PLACE_STEPS 32

#define O_ACCMODE     03
#define O_CREAT_TRUNC 01100

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sentinel_open_filter);
} open_filter __weak SEC(".maps");

/* place & ~0xffff | directory's number << 2 | ways in which everything in it is wanted. Written by the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SENTINEL_PLACES);
	__type(key, __u32);
	__type(value, __u64);
} open_places __weak SEC(".maps");

/* Names, and ends of names, that are wanted anywhere; value: in which ways. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sentinel_open_name);
	__type(value, __u32);
} open_names __weak SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sentinel_open_suffix);
	__type(value, __u32);
} open_suffixes __weak SEC(".maps");

/* Beginnings of names that are wanted in one directory. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sentinel_open_prefix);
	__type(value, __u32);
} open_prefixes __weak SEC(".maps");

#define MIX(h, v) ((h) = ((h) ^ (__u64)(v)) * 0x9e3779b97f4a7c15ull, (h) ^= (h) >> 29)

/* On the way up from a file: what is known of the place of its directory, and how long the path is. */
struct placing {
	struct dentry *d, *mroot;
	struct mount *m;
	__u64 h, len, bits; /* len, bits: as in path_measure() */
	__u32 moving, flags, done, pad;
};

/* False when there is no place to be told of: a mount by itself. */
static __always_inline bool place_start(struct placing *c, struct walk *w, __u64 path, __u64 secret)
{
	walk_start(w, path);
	if (w->d == w->mroot)
		return false;
	c->h = secret;
	c->moving = LD(w->d, d_seq.seqcount.sequence);
	c->len = c->bits = (LD(w->d, d_name.len) & 255) + 1;
	w->d = LD(w->d, d_parent);
	return true;
}

static __always_inline void place_up(struct placing *c, struct walk *w)
{
	struct dentry *at = w->d, *d;
	__u32 seq = LD(at, d_seq.seqcount.sequence);

	c->moving |= seq;
	MIX(c->h, LD(LD(at, d_inode), i_ino) ^ (__u64)seq << 32);
	d = walk_up(w);
	if (d) {
		__u32 len = LD(d, d_name.len);
		__u64 n = (len & 255) + 1;

		MIX(c->h, (__u64)LD(d, d_name.hash) << 32 | len);
		c->len += n;
		c->bits |= n;
	} else {
		MIX(c->h, (__u64)LD(LD(at, d_sb), s_dev) << 32 | ~0u);
	}
}

static long place_step(__u32 i, void *ctx)
{
	struct placing *c = ctx;
	struct walk w = {};

	(void)i;
	w.d = CAST(c->d, struct dentry); /* types are lost on the way through memory */
	w.m = CAST(c->m, struct mount);
	w.mroot = c->mroot;
	place_up(c, &w);
	if (!w.done)
		place_up(c, &w); /* two at once: what passes through memory costs as much as a step */
	c->d = w.d;
	c->m = w.m;
	c->mroot = w.mroot;
	c->flags = w.flags;
	c->done = w.done;
	return w.done;
}

/* What path_measure() says of a path, when the walk to its place came to the top. */
struct measured {
	__u64 measure; /* 0: not known */
};

/* The place of the directory of the file at @path; 0: not to be told (deep, detached, a mount by itself, or
 * being renamed). Global functions: each is verified once, by itself. The second is for kernels before 5.17,
 * which may not be given memory either; they measure in a pass of its own. */
__noinline __weak __u64 place_of_loop(__u64 path, __u64 secret, struct measured *out)
{
	struct placing c = {};
	struct walk w;

	if (!place_start(&c, &w, path, secret))
		return 0;
	c.d = w.d;
	c.m = w.m;
	c.mroot = w.mroot;
	bpf_loop(PLACE_STEPS / 2, place_step, &c, 0);
	if (out && c.done)
		out->measure = c.len | c.bits << 16 | 1ull << 32;
	return c.done && !c.flags && !(c.moving & 1) ? c.h | 1 << 16 : 0;
}

__noinline __weak __u64 place_of_plain(__u64 path, __u64 secret)
{
	struct placing c = {};
	struct walk w;

	if (!place_start(&c, &w, path, secret))
		return 0;
	for (int i = 0; i < PLACE_STEPS && !w.done; i++)
		place_up(&c, &w);
	return w.done && !w.flags && !(c.moving & 1) ? c.h | 1 << 16 : 0;
}

/* Uses the constant `loop` of its surroundings. */
#define place_of(path, secret, out)                                                                          \
	(loop ? place_of_loop((path), (secret), (out)) : place_of_plain((path), (secret)))

/* May the name of @d be wanted in one of @ways, in a directory of which nothing but @verdict is known? */
static __always_inline bool name_wanted(struct dentry *d, struct sentinel_open_filter *f, __u32 ways,
					__u64 verdict)
{
	__u32 len = LD(d, d_name.len) & 255, *found;
	const unsigned char *name = LD(d, d_name.name);
	/* What lies in front of a short name is read too, and not looked at. */
	__u64 end = WORD(name + len - 8);

	if (f->last[end >> 62] & 1ull << (end >> 56 & 63)) {
		if (f->lengths & 1ull << (len < 63 ? len : 63)) {
			struct sentinel_open_name key = {};

			bpf_probe_read_kernel_str(key.name, sizeof(key.name), name);
			found = bpf_map_lookup_elem(&open_names, &key);
			if (found && *found & ways)
				return true;
		}
		for (__u32 n = 1; n <= 8; n++) {
			struct sentinel_open_suffix key = {.bytes = end >> (64 - 8 * n), .len = n};

			if (!(f->suffix_lengths & 1 << n) || len < n)
				continue;
			found = bpf_map_lookup_elem(&open_suffixes, &key);
			if (found && *found & ways)
				return true;
		}
	}
	if (verdict & 0xfffc) {
		struct sentinel_open_prefix key = {.bits = 8 * (4 + SENTINEL_REST_BYTES)};

		key.dir = (verdict & 0xffff) >> 2;
		bpf_probe_read_kernel_str(key.rest, sizeof(key.rest), name);
		found = bpf_map_lookup_elem(&open_prefixes, &key);
		if (found && *found & ways)
			return true;
	}
	return false;
}

#define PATH_WANTED   0
#define PATH_UNWANTED 1

/* Is it certain that nobody wants the file at @path, opened in one of @ways? When its directory is not known,
 * its place: more than the two answers. */
static __always_inline __u64 path_judge(__u64 path, __u64 secret, __u32 ways, struct measured *out, bool loop)
{
	struct dentry *d = LD(CAST((void *)path, struct path), dentry);
	__u32 seq = LD(d, d_seq.seqcount.sequence), zero = 0, i;
	struct sentinel_open_filter *f = bpf_map_lookup_elem(&open_filter, &zero);
	__u64 tag = place_of(path, secret, out), *slot, verdict;

	if (!tag || !f)
		return PATH_WANTED;
	i = tag & (SENTINEL_PLACES - 1);
	slot = bpf_map_lookup_elem(&open_places, &i);
	if (!slot)
		return PATH_WANTED;
	verdict = *(volatile __u64 *)slot;
	if ((verdict ^ tag) >> 16)
		return tag;
	if (verdict & ways || name_wanted(d, f, ways, verdict))
		return PATH_WANTED;
	barrier();
	/* Renamed while we compared: what we compared may be half of two names. */
	return seq == LD(d, d_seq.seqcount.sequence) ? PATH_UNWANTED : PATH_WANTED;
}

/* Global functions: what follows is verified once, not once for each way through them. */
__noinline __weak __u64 path_judge_loop(__u64 path, __u64 secret, __u32 ways, struct measured *out)
{
	return path_judge(path, secret, ways, out, true);
}

__noinline __weak __u64 path_judge_plain(__u64 path, __u64 secret, __u32 ways)
{
	return path_judge(path, secret, ways, NULL, false);
}
