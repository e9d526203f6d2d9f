/* SPDX-License-Identifier: GPL-2.0-only */
/* The first bytes of what a call moved, from the caller's memory at its exit: where another thread may have
 * rewritten them. Nobody looks unless somebody asked for it: sentinel_config.buffers. */
#pragma once

#include "ring.h"

/* Where in the caller's memory, and how much; at 0: nowhere. */
struct data {
	__u64 at, len;
};

static __always_inline bool data_wanted(void)
{
	struct sentinel_config *c = config_get();

	return c && c->buffers;
}

/* The first piece of a vector. @moved bytes in all. */
static __always_inline void data_of_vector(struct data *d, const void *vector, __u64 moved)
{
	struct user_piece first = {};

	if (bpf_probe_read_user(&first, sizeof(first), vector))
		return;
	d->at = first.base;
	d->len = first.len < moved ? first.len : moved;
}

/* The same of a msghdr. */
static __always_inline void data_of_header(struct data *d, const void *header, __u64 moved)
{
	struct user_header h = {};

	if (!bpf_probe_read_user(&h, sizeof(h), header) && h.pieces)
		data_of_vector(d, (void *)(__u64)h.pieces, moved);
}

/* Into @buf of SENTINEL_DATA_MAX bytes, which lies @off bytes into the tail. Faults nothing in. */
static __always_inline void data_copy(struct sentinel_span *s, __u8 *buf, __u32 off, struct data *d)
{
	__u64 n = d->len;

	s->off = off;
	s->len = 0;
	if (n > SENTINEL_DATA_MAX)
		n = SENTINEL_DATA_MAX;
	barrier_var(n);
	if (n > SENTINEL_DATA_MAX) /* once more, for the verifier */
		return;
	if (n && !bpf_probe_read_user(buf, n, (void *)d->at))
		s->len = n;
}
