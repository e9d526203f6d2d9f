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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sentinel_open_filter);
} open_filter SEC(".maps");

/* place & ~0xffff | directory's number << 2 | ways in which everything in it is wanted. Written by the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SENTINEL_PLACES);
	__type(key, __u32);
	__type(value, __u64);
} open_places SEC(".maps");

/* Names, and ends of names, that are wanted anywhere; value: in which ways. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sentinel_open_name);
	__type(value, __u32);
} open_names SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct sentinel_open_suffix);
	__type(value, __u32);
} open_suffixes SEC(".maps");

/* Beginnings of names that are wanted in one directory. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct sentinel_open_prefix);
	__type(value, __u32);
} open_prefixes SEC(".maps");

#define MIX(h, v) ((h) = ((h) ^ (__u64)(v)) * 0x9e3779b97f4a7c15ull, (h) ^= (h) >> 29)

/* The place of the directory of the file at @path; 0: not to be told (deep, detached, a mount by itself, or
 * being renamed). A global function: verified once, by itself. */
__noinline __weak __u64 place_of(__u64 path, __u64 secret)
{
	__u64 h = secret;
	__u32 moving;
	struct walk w;

	walk_start(&w, path);
	if (w.d == w.mroot)
		return 0;
	moving = LD(w.d, d_seq.seqcount.sequence);
	w.d = LD(w.d, d_parent);
	for (int i = 0; i < PLACE_STEPS && !w.done; i++) {
		struct dentry *at = w.d, *d;
		__u32 seq = LD(at, d_seq.seqcount.sequence);

		moving |= seq;
		MIX(h, LD(LD(at, d_inode), i_ino) ^ (__u64)seq << 32);
		d = walk_up(&w);
		if (d)
			MIX(h, (__u64)LD(d, d_name.hash) << 32 | LD(d, d_name.len));
		else
			MIX(h, (__u64)LD(LD(at, d_sb), s_dev) << 32 | ~0u);
	}
	return w.done && !w.flags && !(moving & 1) ? h | 1 << 16 : 0;
}

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

/* Is it certain that nobody wants the file at @path, opened in one of @ways? When its directory is not known,
 * *@place says what the agent would call it. */
static __always_inline bool path_unwanted(__u64 path, struct sentinel_open_filter *f, __u64 secret,
					  __u32 ways, __u64 *place)
{
	struct dentry *d = LD(CAST((void *)path, struct path), dentry);
	__u32 seq = LD(d, d_seq.seqcount.sequence), i;
	__u64 tag = place_of(path, secret), *slot, verdict;

	if (!tag)
		return false;
	i = tag & (SENTINEL_PLACES - 1);
	slot = bpf_map_lookup_elem(&open_places, &i);
	if (!slot)
		return false;
	verdict = *(volatile __u64 *)slot;
	if ((verdict ^ tag) >> 16) {
		*place = tag;
		return false;
	}
	if (verdict & ways || name_wanted(d, f, ways, verdict))
		return false;
	barrier();
	/* Renamed while we compared: what we compared may be half of two names. */
	return seq == LD(d, d_seq.seqcount.sequence);
}
