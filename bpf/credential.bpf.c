// SPDX-License-Identifier: GPL-2.0-only
/* Who one is: setuid and its family, capset. What was before is noted at the entry of the call: at the exit
 * the credentials are the new ones. Misses: what exec of a set-uid program changes (that is an exec), int
 * 0x80. */
#include "ring.h"

/* Credentials at the entry, by thread. An entry lives as long as the call. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct sentinel_credentials);
} before_call SEC(".maps");

static __always_inline void credentials_fill(struct sentinel_credentials *c)
{
	struct cred *cred = LD(current_task(), cred);

	c->uid[0] = LD(cred, uid.val);
	c->uid[1] = LD(cred, euid.val);
	c->uid[2] = LD(cred, suid.val);
	c->uid[3] = LD(cred, fsuid.val);
	c->gid[0] = LD(cred, gid.val);
	c->gid[1] = LD(cred, egid.val);
	c->gid[2] = LD(cred, sgid.val);
	c->gid[3] = LD(cred, fsgid.val);
	bpf_core_read(&c->cap[0], sizeof(c->cap[0]), &cred->cap_inheritable);
	bpf_core_read(&c->cap[1], sizeof(c->cap[1]), &cred->cap_permitted);
	bpf_core_read(&c->cap[2], sizeof(c->cap[2]), &cred->cap_effective);
}

/* Attached to sys_enter_* of every call below. */
SEC("tracepoint")
int credentials(struct tp_sys_enter *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct sentinel_credentials now = {};
	struct sentinel_config *c = config_get();

	(void)ctx;
	if (!c || !(c->kinds & (1ull << SENTINEL_KIND_SETUID | 1ull << SENTINEL_KIND_CAPSET)) || others())
		return 0;
	credentials_fill(&now);
	bpf_map_update_elem(&before_call, &thread, &now, BPF_ANY);
	return 0;
}

/* Copies what was noted and forgets it; the header tells who asked, not who one is now. */
static __always_inline __u32 take_before(struct sentinel_credentials *to, struct sentinel_header *h)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct sentinel_credentials *noted = bpf_map_lookup_elem(&before_call, &thread);

	if (!noted) { /* the call began before we were attached */
		__builtin_memset(to, 0, sizeof(*to));
		return 0;
	}
	__builtin_memcpy(to, noted, sizeof(*to));
	bpf_map_delete_elem(&before_call, &thread);
	h->uid = to->uid[0];
	h->euid = to->uid[1];
	h->gid = to->gid[0];
	h->egid = to->gid[1];
	return 1;
}

/* Attached to sys_exit_{setuid,setreuid,setresuid,setfsuid} and the same of groups, and setgroups. */
SEC("tracepoint")
int setuid(struct tp_sys_exit *ctx)
{
	struct sentinel_setuid *r;

	if (!wanted(SENTINEL_KIND_SETUID))
		return 0;
	r = ring_reserve(SENTINEL_KIND_SETUID, sizeof(*r));
	if (!r)
		return 0;
	fill_header(&r->hdr, SENTINEL_KIND_SETUID, sizeof(*r), call_of(ctx), ctx->ret);
	r->known = take_before(&r->before, &r->hdr);
	credentials_fill(&r->after);
	r->asked[0] = ARG(0);
	r->asked[1] = ARG(1);
	r->asked[2] = ARG(2);
	ring_submit(r);
	return 0;
}

/* Attached to sys_exit_capset. */
SEC("tracepoint")
int capset(struct tp_sys_exit *ctx)
{
	struct sentinel_capset *r;

	if (!wanted(SENTINEL_KIND_CAPSET))
		return 0;
	r = ring_reserve(SENTINEL_KIND_CAPSET, sizeof(*r));
	if (!r)
		return 0;
	fill_header(&r->hdr, SENTINEL_KIND_CAPSET, sizeof(*r), call_of(ctx), ctx->ret);
	r->known = take_before(&r->before, &r->hdr);
	credentials_fill(&r->after);
	r->pad = 0;
	ring_submit(r);
	return 0;
}
