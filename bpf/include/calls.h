/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls that nobody wants cost no ring space, and hardly any time: before anything of a call is read but its
 * result, the agent's CallInterest is asked, which it keeps in `settings` and in the maps below. What the
 * agent's tables are made from (starts, forks, ends, credentials) never comes here, nor what comes through
 * io_uring. A map is looked at only for kinds of which the plan names somebody.
 *
 * How a call ended, its user and its cgroup are those of the record to be. Rules call a process by the name
 * of its main thread, which need not be that of another thread: such a call passes. */
#pragma once

#include "ring.h"

/* What a cgroup is: enum sentinel_place. Written by the agent, once it knows; a cgroup of version 2 keeps its
 * path, and so stays what it is. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* cgroup id */
	__type(value, __u32);
} cgroup_places __weak SEC(".maps");

/* Bit sentinel_kind: of that kind the name is listed. Written by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SENTINEL_NAMED_MAX);
	__type(key, struct sentinel_comm);
	__type(value, __u64);
} call_comms __weak SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SENTINEL_NAMED_MAX);
	__type(key, __u32); /* host order */
	__type(value, __u64);
} call_ports __weak SEC(".maps");

#define EINPROGRESS 115

/* Our own acts tell whether a program still fires; of starts those of our children do. */
static __always_inline bool call_is_own(struct sentinel_config *c, __u32 kind)
{
	return bpf_get_current_pid_tgid() >> 32 == c->self_tgid ||
	       (kind == SENTINEL_KIND_EXEC &&
		(__u32)LD(LD(current_task(), real_parent), tgid) == c->self_tgid);
}

static __always_inline bool call_unwanted_here(struct sentinel_config *c, __u64 bit, long ret)
{
	__u32 at = ret >= 0 ? SENTINEL_OUTCOME_SUCCEEDED
			    : (ret == -EINPROGRESS ? SENTINEL_OUTCOME_UNDER_WAY : SENTINEL_OUTCOME_FAILED);
	struct cred *cred = LD(current_task(), cred);
	__u64 host, contained, cgroup;
	__u32 *place;

	if (LD(cred, euid.val))
		at += 3;
	barrier_var(at);
	if (at > 5)
		return false;
	host = c->unwanted[at] & bit;
	contained = c->unwanted[at + 6] & bit;
	if (host == contained)
		return host != 0; /* our bool is a byte */
	cgroup = bpf_get_current_cgroup_id();
	place = bpf_map_lookup_elem(&cgroup_places, &cgroup);
	return place && (*place == SENTINEL_PLACE_CONTAINER ? contained : host);
}

static __always_inline bool comm_unwanted(struct sentinel_config *c, __u64 bit)
{
	__u64 thread = bpf_get_current_pid_tgid(), *kinds;
	struct sentinel_comm key = {};
	bool listed;

	if ((__u32)thread != thread >> 32)
		return false;
	bpf_get_current_comm(key.comm, sizeof(key.comm));
	kinds = bpf_map_lookup_elem(&call_comms, &key);
	listed = kinds && *kinds & bit;
	return listed == !!(c->except & bit);
}

/* Is it certain that nobody wants this call of current, which has returned @ret? Global: verified once. */
__noinline __weak int call_unwanted(__u32 kind, long ret)
{
	struct sentinel_config *c = config_get();
	__u64 bit = 1ull << (kind & 63), epoch;
	bool unwanted;

	if (!c)
		return 0;
	epoch = *(volatile __u64 *)&c->calls_epoch;
	barrier();
	if (!(*(volatile __u64 *)&c->selective & bit) || call_is_own(c, kind))
		return 0;
	unwanted = call_unwanted_here(c, bit, ret);
	/* Where ports count too, the name waits for them. */
	if (!unwanted && c->named & bit && !(c->ported & bit))
		unwanted = comm_unwanted(c, bit);
	barrier();
	/* The maps changed meanwhile: we may have looked at half of two plans. */
	return unwanted && *(volatile __u64 *)&c->calls_epoch == epoch;
}

/* As wanted(), of a call that has returned @ret. */
static __always_inline bool wanted_call(__u32 kind, long ret)
{
	struct sentinel_config *c = config_get();

	if (!c || !(c->kinds & 1ull << kind) || others())
		return false;
	if (!(c->selective & 1ull << kind) || !call_unwanted(kind, ret))
		return true;
	ring_count(kind, COUNT_FILTERED);
	return false;
}

static __always_inline bool port_listed(__u64 bit, __u32 port)
{
	__u64 *kinds = bpf_map_lookup_elem(&call_ports, &port);

	return kinds && *kinds & bit;
}

/* The second part of it for calls about sockets: by name, or by one of these ports. */
__noinline __weak int call_unnamed(__u32 kind, __u32 local, __u32 peer, __u32 asked)
{
	struct sentinel_config *c = config_get();
	__u64 bit = 1ull << (kind & 63), epoch;
	bool unwanted;

	if (!c)
		return 0;
	epoch = *(volatile __u64 *)&c->calls_epoch;
	barrier();
	if (!(*(volatile __u64 *)&c->selective & c->named & c->ported & bit) || call_is_own(c, kind))
		return 0;
	unwanted = comm_unwanted(c, bit) && !port_listed(bit, local) && !port_listed(bit, peer) &&
		   !port_listed(bit, asked);
	barrier();
	if (!unwanted || *(volatile __u64 *)&c->calls_epoch != epoch)
		return 0;
	ring_count(kind, COUNT_FILTERED);
	return 1;
}
