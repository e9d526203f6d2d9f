/* SPDX-License-Identifier: GPL-2.0-only */
/* The one way out of the kernel, shared by every program: maps that the linker merges, the header,
 * and the books: produced = delivered + lost, exactly, per kind. */
#pragma once

#include "access.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* bytes; set by the agent before load */
} events __weak SEC(".maps");

/* By sentinel_kind; summed by the agent. The additions are atomic all the same: a program can be
 * preempted in the middle of a plain one. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SENTINEL_KIND_MAX);
	__type(key, __u32);
	__type(value, struct sentinel_counts);
} counts __weak SEC(".maps");

/* Written by the agent at any time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sentinel_config);
} settings __weak SEC(".maps");

/* 1 while the reader sleeps and wants to be woken; written by the reader, cleared by who wakes it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} asleep __weak SEC(".maps");

static __always_inline struct sentinel_config *config_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

/* Costs nothing unless somebody measures: a constant before load. */
static __always_inline bool others(void)
{
	return only_tgid && bpf_get_current_pid_tgid() >> 32 != only_tgid;
}

static __always_inline bool wanted(__u32 kind)
{
	struct sentinel_config *c = config_get();

	return c && c->kinds & 1ull << kind && !others();
}

enum count { COUNT_DELIVERED, COUNT_LOST, COUNT_EXCLUDED, COUNT_DEFERRED, COUNT_FILTERED };

static __always_inline void ring_count(__u32 kind, enum count what)
{
	struct sentinel_counts *c = bpf_map_lookup_elem(&counts, &kind);

	if (!c)
		return;
	if (what == COUNT_EXCLUDED)
		__sync_fetch_and_add(&c->excluded, 1);
	else if (what == COUNT_DEFERRED)
		__sync_fetch_and_add(&c->deferred, 1);
	else if (what == COUNT_FILTERED)
		__sync_fetch_and_add(&c->filtered, 1);
	else
		__sync_fetch_and_add(&c->produced, 1);
	if (what == COUNT_LOST)
		__sync_fetch_and_add(&c->lost, 1);
}

/* Wake the reader only when it sleeps, and once: a wake-up costs ten times an event. It looks at the
 * ring again after saying that it sleeps, and never sleeps longer than 20 ms. */
static __always_inline __u64 ring_wake(void)
{
	__u32 zero = 0;
	volatile __u32 *sleeping = bpf_map_lookup_elem(&asleep, &zero);

	if (!sleeping || !*sleeping)
		return BPF_RB_NO_WAKEUP;
	*sleeping = 0;
	return BPF_RB_FORCE_WAKEUP;
}

#define RARE(KIND) (1ull << SENTINEL_KIND_##KIND)

/* What tells most and is rarest: the last part of the ring is kept for it, so that no flood of file events
 * can push it out. */
#define RARE_KINDS                                                                                           \
	(RARE(EXEC) | RARE(FORK) | RARE(EXIT) | RARE(PTRACE) | RARE(MEMFD_CREATE) | RARE(SETUID) |           \
	 RARE(CAPSET) | RARE(SETNS) | RARE(UNSHARE) | RARE(MOUNT) | RARE(UMOUNT) | RARE(CHROOT) |            \
	 RARE(BPF) | RARE(MODULE_LOAD) | RARE(PROCESS_VM_WRITE))

static __always_inline bool ring_is_open_to_all(void)
{
	return bpf_ringbuf_query(&events, 0 /* BPF_RB_AVAIL_DATA */) <= ring_common;
}

static __always_inline bool ring_is_open_to(__u32 kind)
{
	return RARE_KINDS & 1ull << kind || ring_is_open_to_all();
}

/* Room for a record of @size, a constant; NULL: there is none for this kind. */
#define ring_take(kind, size) (ring_is_open_to(kind) ? bpf_ringbuf_reserve(&events, (size), 0) : NULL)
/* The same for an event that is not rare although its kind is. */
#define ring_take_common(size) (ring_is_open_to_all() ? bpf_ringbuf_reserve(&events, (size), 0) : NULL)

/* The same, and what came of it is counted. */
#define ring_reserve(kind, size)                                                                             \
	({                                                                                                   \
		void *__r = ring_take((kind), (size));                                                       \
		ring_count((kind), __r ? COUNT_DELIVERED : COUNT_LOST);                                      \
		__r;                                                                                         \
	})

static __always_inline void ring_submit(void *record)
{
	bpf_ringbuf_submit(record, ring_wake());
}

static __always_inline __u32 tty_number(struct tty_struct *tty)
{
	struct tty_driver *driver;

	if (!tty)
		return 0;
	driver = LD(tty, driver);
	return driver
		   ? (__u32)LD(driver, major) << 20 | ((LD(driver, minor_start) + LD(tty, index)) & 0xfffff)
		   : 0;
}

/* Everything about @task that does not depend on the moment. */
static __always_inline void fill_task(struct sentinel_header *h, struct task_struct *task)
{
	struct task_struct *leader = LD(task, group_leader),
			   *parent = LD(LD(task, real_parent), group_leader);
	struct signal_struct *signal = LD(task, signal);
	struct cred *cred = LD(task, cred);
	struct nsproxy *ns = LD(task, nsproxy);
	struct pid *sid = LD(signal, pids[PIDTYPE_SID]), *pgid = LD(signal, pids[PIDTYPE_PGID]);
	struct pid *tgid = LD(signal, pids[PIDTYPE_TGID]);
	struct upid *own = own_upid(tgid);

	h->version = SENTINEL_ABI_VERSION;
	h->start_ns = LD(leader, start_boottime);
	h->parent_start_ns = LD(parent, start_boottime);
	h->execution = LD(task, self_exec_id);
	h->tgid = LD(task, tgid);
	h->tid = LD(task, pid);
	h->ppid = LD(parent, tgid);
	h->vpid = LD(own, nr);
	h->uid = LD(cred, uid.val);
	h->gid = LD(cred, gid.val);
	h->euid = LD(cred, euid.val);
	h->egid = LD(cred, egid.val);
	h->loginuid = bpf_core_field_exists(task->loginuid) ? LD(task, loginuid.val) : ~0u;
	h->session = sid ? LD(sid, numbers[0].nr) : 0;
	h->tty = tty_number(LD(signal, tty));
	h->pid_ns = LD(LD(own, ns), ns.inum);
	h->mnt_ns = ns ? LD(LD(ns, mnt_ns), ns.inum) : 0;
	h->net_ns = ns ? LD(LD(ns, net_ns), ns.inum) : 0;
	h->pgid = pgid ? LD(pgid, numbers[0].nr) : 0;
}

/* The whole header, for current, at @now. Not inlined: every size of every record needs it. */
static __noinline __attribute__((unused)) void fill_header_at(struct sentinel_header *h, __u16 kind,
							      __u32 syscall, __s64 result, __u64 now)
{
	h->len = 0;
	h->kind = kind;
	h->time_ns = now;
	h->cgroup_id = bpf_get_current_cgroup_id();
	h->result = result;
	h->syscall = syscall;
	fill_task(h, current_task());
	bpf_get_current_comm(h->comm, sizeof(h->comm));
}

static __always_inline void fill_header(struct sentinel_header *h, __u16 kind, __u32 len, __u32 syscall,
					__s64 result)
{
	fill_header_at(h, kind, syscall, result, bpf_ktime_get_boot_ns());
	h->len = len;
}
