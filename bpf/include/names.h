/* SPDX-License-Identifier: GPL-2.0-only */
/* Records about names in the caller's memory: the directory is the kernel's, the name is read at exit; beside
 * them what used.h knows. */
#pragma once

#include "used.h"

#define TAIL(r) ((__u8 *)((r) + 1))

/* The directory, then the name, @off bytes into the tail. Sizes are constants. */
static __always_inline void user_path(struct sentinel_user_path *u, __u8 *tail, __u32 off, __u64 base,
				      __u64 measure, enum path_size size, const char *name, bool loop)
{
	__u32 room = size == SIZE_SMALL ? PATH_SMALL : PATH_LARGE;
	__u32 cap = size == SIZE_SMALL ? USER_NAME_SMALL : USER_NAME_LARGE;

	path_copy(&u->base, tail + off, off, base, measure, size, loop);
	user_name(u, tail + off + room, off + room, cap, name);
}
#define USER_PATH_SMALL (PATH_SMALL + USER_NAME_SMALL)
#define USER_PATH_LARGE (PATH_LARGE + USER_NAME_LARGE)

/* The same behind what was noted about it. */
static __always_inline void named_path(struct sentinel_user_path *u, __u8 *tail, __u32 off, __u64 base,
				       __u64 measure, enum path_size size, const char *name, enum noted noted,
				       int which, bool loop)
{
	__u32 room = size == SIZE_SMALL ? PATH_SMALL : PATH_LARGE;

	user_path(u, tail, off + room, base, measure, size, name, loop);
	if (!loop || noted == NOTED_NOTHING)
		return;
	if (size == SIZE_SMALL)
		noted_copy_small(&u->second, (void *)(tail + off), which, off);
	else
		noted_copy_large(&u->second, (void *)(tail + off), which, off);
}
#define NAMED_SMALL (PATH_SMALL + USER_PATH_SMALL)
#define NAMED_LARGE (PATH_LARGE + USER_PATH_LARGE)

/* A name that fills its buffer may go on: the caller takes the large record then. */
static __always_inline bool name_cut(struct sentinel_user_path *u)
{
	return u->name.len == USER_NAME_SMALL - 1;
}

/* A record of one size. @FILL sets what is not a name. Breaks when a name may go on and a larger record can
 * take it. Uses ctx, loop, name, base and measure of its surroundings. */
#define ONE_NAME_SIZED(NAME, KIND, FIELD, BYTES, SIZE, LAST, FILL)                                           \
	do {                                                                                                 \
		struct sentinel_##NAME *r = ring_take((KIND), sizeof(*r) + (BYTES));                         \
		if (!r) {                                                                                    \
			ring_count((KIND), COUNT_LOST);                                                      \
			return 0;                                                                            \
		}                                                                                            \
		named_path(&r->FIELD, TAIL(r), 0, base, measure, SIZE, name, noted_call, 0, loop);           \
		if (!(LAST) && name_cut(&r->FIELD)) {                                                        \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		FILL;                                                                                        \
		fill_header(&r->hdr, (KIND), sizeof(*r) + r->FIELD.name.off + r->FIELD.name.len,             \
			    call_of(ctx), ctx->ret);                                                         \
		ring_count((KIND), COUNT_DELIVERED);                                                         \
		ring_submit(r);                                                                              \
		if (loop)                                                                                    \
			noted_forget();                                                                      \
		return 0;                                                                                    \
	} while (0)

/* A record whose field @FIELD is the name @USER below @DIRFD. Returns from the program. */
#define ONE_NAME(NAME, KIND, FIELD, DIRFD, USER, FILL)                                                       \
	do {                                                                                                 \
		const char *name = (USER);                                                                   \
		__u64 base = base_of((DIRFD), name), measure = base ? path_measure(base) : 1ull << 32;       \
		enum noted noted_call = loop ? noted_size((KIND), ctx->ret) : NOTED_NOTHING;                 \
		if (path_size(measure) == SIZE_SMALL && noted_call != NOTED_LARGE)                           \
			ONE_NAME_SIZED(NAME, KIND, FIELD, NAMED_SMALL, SIZE_SMALL, false, FILL);             \
		ONE_NAME_SIZED(NAME, KIND, FIELD, NAMED_LARGE, SIZE_LARGE, true, FILL);                      \
	} while (0)

#define TWO_NAMES_SIZED(NAME, KIND, BYTES, SIZE, LAST, FLAGS)                                                \
	do {                                                                                                 \
		struct sentinel_##NAME *r = ring_take((KIND), sizeof(*r) + 2 * (BYTES));                     \
		if (!r) {                                                                                    \
			ring_count((KIND), COUNT_LOST);                                                      \
			return 0;                                                                            \
		}                                                                                            \
		named_path(&r->from, TAIL(r), 0, from, from_len, SIZE, from_name, noted_call, 0, loop);      \
		named_path(&r->to, TAIL(r), (BYTES), to, to_len, SIZE, to_name, noted_call, 1, loop);        \
		if (!(LAST) && (name_cut(&r->from) || name_cut(&r->to))) {                                   \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		r->flags = (FLAGS);                                                                          \
		r->pad = 0;                                                                                  \
		fill_header(&r->hdr, (KIND), sizeof(*r) + r->to.name.off + r->to.name.len, call_of(ctx),     \
			    ctx->ret);                                                                       \
		ring_count((KIND), COUNT_DELIVERED);                                                         \
		ring_submit(r);                                                                              \
		if (loop)                                                                                    \
			noted_forget();                                                                      \
		return 0;                                                                                    \
	} while (0)

/* A record with the names `from` and `to`. Returns from the program. */
#define TWO_NAMES(NAME, KIND, FROM_FD, FROM, TO_FD, TO, FLAGS)                                               \
	do {                                                                                                 \
		const char *from_name = (FROM), *to_name = (TO);                                             \
		__u64 from = base_of((FROM_FD), from_name), to = base_of((TO_FD), to_name);                  \
		__u64 from_len = from ? path_measure(from) : 1ull << 32,                                     \
		      to_len = to ? path_measure(to) : 1ull << 32;                                           \
		enum noted noted_call = loop ? noted_size((KIND), ctx->ret) : NOTED_NOTHING;                 \
		if (path_size(from_len) == SIZE_SMALL && path_size(to_len) == SIZE_SMALL &&                  \
		    noted_call != NOTED_LARGE)                                                               \
			TWO_NAMES_SIZED(NAME, KIND, NAMED_SMALL, SIZE_SMALL, false, FLAGS);                  \
		TWO_NAMES_SIZED(NAME, KIND, NAMED_LARGE, SIZE_LARGE, true, FLAGS);                           \
	} while (0)
