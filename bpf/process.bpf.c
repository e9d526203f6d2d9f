// SPDX-License-Identifier: GPL-2.0-only
/* Starts and ends of processes: exec, fork, exit. The process table lives on these. */
#include "executable.h"

/* -- exec ------------------------------------------------------------------------------------------- */

struct exec_call {
	__u64 exe, exe_path, exe_len, cwd,
	    cwd_len; /* a file, addresses of struct path, what path_measure() said */
	const char *filename, *interp;
	__u32 nr;
	unsigned long argv, env;
	__u32 argv_len, env_len; /* env_len 0: not wanted, or empty */
};

/* Copies a kernel's string of less than @cap bytes (a constant); returns whether it fitted. */
static __always_inline bool kernel_name(struct sentinel_span *s, __u8 *buf, __u32 off, __u32 cap,
					const char *name)
{
	long n = bpf_probe_read_kernel_str(buf, cap, name);

	s->off = off;
	s->len = n > 0 ? n - 1 : 0;
	return n < cap;
}

static __always_inline void exec_fill(struct sentinel_exec *r, struct exec_call *c)
{
	struct cred *cred = LD(current_task(), cred);

	r->exe.flags |= leaf_flags(c->exe);
	executable_fill(&r->executable, c->exe, current_task());
	bpf_core_read(&r->cap[0], sizeof(r->cap[0]), &cred->cap_inheritable);
	bpf_core_read(&r->cap[1], sizeof(r->cap[1]), &cred->cap_permitted);
	bpf_core_read(&r->cap[2], sizeof(r->cap[2]), &cred->cap_effective);
	r->argv_len = c->argv_len;
	r->env_len = c->env_len;
	fill_header(&r->hdr, SENTINEL_KIND_EXEC, sizeof(*r) + r->env.off + r->env.len, c->nr, 0);
}

/* Copies user memory of at most @cap bytes (a constant); returns how many there are. */
static __always_inline __u32 user_bytes(struct sentinel_span *s, __u8 *buf, __u32 off, __u32 cap, __u64 from,
					__u32 len)
{
	barrier_var(len); /* the verifier wants the comparison here */
	if (len > cap)
		len = cap;
	if (bpf_probe_read_user(buf, len, (void *)from))
		len = 0;
	s->off = off;
	s->len = len;
	return len;
}

/* Tail: program, directory, filename (NAME bytes), interpreter (the same), arguments (ARGV), environment
 * (ENV). The last size takes what comes, the others only what fits. Arguments fault nothing in: a page that
 * is swapped out leaves them empty, and argv_len tells that there were some. */
#define EXEC(PATH, SIZE, NAME, ARGV, ENV, LAST)                                                              \
	do {                                                                                                 \
		struct sentinel_exec *r =                                                                    \
		    ring_take(SENTINEL_KIND_EXEC, sizeof(*r) + 2 * (PATH) + 2 * (NAME) + (ARGV) + (ENV));    \
		__u32 names = 2 * (PATH), words = names + 2 * (NAME);                                        \
		__u8 *tail = (__u8 *)(r + 1);                                                                \
		bool whole;                                                                                  \
		if (!r) {                                                                                    \
			ring_count(SENTINEL_KIND_EXEC, COUNT_LOST);                                          \
			return 0;                                                                            \
		}                                                                                            \
		whole = kernel_name(&r->filename, tail + names, names, NAME, c.filename);                    \
		r->interp.off = r->interp.len = 0;                                                           \
		if (c.interp != c.filename)                                                                  \
			whole &=                                                                             \
			    kernel_name(&r->interp, tail + names + (NAME), names + (NAME), NAME, c.interp);  \
		if (!(LAST) && !whole) {                                                                     \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		path_copy(&r->exe, tail, 0, c.exe_path, c.exe_len, SIZE, loop);                              \
		path_copy(&r->cwd, tail + (PATH), (PATH), c.cwd, c.cwd_len, SIZE, loop);                     \
		words += user_bytes(&r->argv, tail + words, words, ARGV, c.argv, c.argv_len);                \
		r->env.off = words;                                                                          \
		r->env.len = 0;                                                                              \
		if ((ENV) > 0)                                                                               \
			user_bytes(&r->env, tail + words, words, ENV, c.env, c.env_len);                     \
		exec_fill(r, &c);                                                                            \
		ring_count(SENTINEL_KIND_EXEC, COUNT_DELIVERED);                                             \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

/* All of it but the lengths of the paths. */
static __always_inline void exec_ask(struct exec_call *c, struct task_struct *task, struct linux_binprm *bprm)
{
	struct mm_struct *mm = LD(task, mm);
	struct sentinel_config *config = config_get();

	c->argv = LD(mm, arg_start);
	c->argv_len = LD(mm, arg_end) - c->argv;
	if (config && config->environment) {
		c->env = LD(mm, env_start);
		c->env_len = LD(mm, env_end) - c->env;
	}
	c->filename = LD(bprm, filename);
	c->interp = LD(bprm, interp);
	/* The registers are new, and x86 writes execve into them whatever the call was. */
	c->nr = LD(bprm, fdpath) ? NR_EXECVEAT : NR_EXECVE;
	c->exe = NUM(LD(mm, exe_file));
	c->exe_path = path_of_file(c->exe);
	c->cwd = NUM(LD(task, fs)) + bpf_core_field_offset(struct fs_struct, pwd);
}

#define EXEC_SMALL  EXEC(PATH_SMALL, SIZE_SMALL, 128, 512, 0, false)
#define EXEC_MEDIUM EXEC(PATH_MEDIUM, SIZE_MEDIUM, 512, SENTINEL_ARGV_MAX, SENTINEL_ENV_MAX, false)
#define EXEC_LARGE  EXEC(PATH_LARGE, SIZE_LARGE, 4096, SENTINEL_ARGV_MAX, SENTINEL_ENV_MAX, true)

/* As in file.bpf.c, a function for each size that the verifier of an old kernel looks at on its own. Returns
 * whether it did not fit. */
#define EXEC_PLAIN(SIZE)                                                                                     \
	__noinline __weak int exec_plain_##SIZE(__u64 bprm, __u64 exe_len, __u64 cwd_len)                    \
	{                                                                                                    \
		const bool loop = false;                                                                     \
		struct exec_call c = {};                                                                     \
		exec_ask(&c, current_task(), (void *)bprm);                                                  \
		c.exe_len = exe_len;                                                                         \
		c.cwd_len = cwd_len;                                                                         \
		EXEC_##SIZE;                                                                                 \
		return 1;                                                                                    \
	}
EXEC_PLAIN(SMALL)
EXEC_PLAIN(MEDIUM)
EXEC_PLAIN(LARGE)

static __always_inline int exec_done(struct task_struct *task, struct linux_binprm *bprm, bool loop)
{
	struct exec_call c = {};
	enum path_size exe, cwd;
	bool small;

	if (!wanted(SENTINEL_KIND_EXEC))
		return 0;
	exec_ask(&c, task, bprm);
	c.exe_len = path_measure(c.exe_path);
	c.cwd_len = path_measure(c.cwd);
	exe = path_size(c.exe_len);
	cwd = path_size(c.cwd_len);
	small = !c.env_len && c.argv_len <= 512 && exe == SIZE_SMALL && cwd == SIZE_SMALL;
	if (!loop) {
		__u64 where = 0;

		/* As a number: a function takes no pointer. */
		bpf_probe_read_kernel(&where, sizeof(where), &bprm);
		if (small && !exec_plain_SMALL(where, c.exe_len, c.cwd_len))
			return 0;
		if (exe != SIZE_LARGE && cwd != SIZE_LARGE && !exec_plain_MEDIUM(where, c.exe_len, c.cwd_len))
			return 0;
		exec_plain_LARGE(where, c.exe_len, c.cwd_len);
		return 0;
	}
	if (small)
		EXEC_SMALL;
	if (exe != SIZE_LARGE && cwd != SIZE_LARGE)
		EXEC_MEDIUM;
	EXEC_LARGE;
	return 0;
}

/* The new image is in place and has not run: nobody but its creator chose the arguments. Since 5.5; misses
 * nothing, whatever way the call came in. */
SEC("tp_btf/sched_process_exec")
int exec(__u64 *ctx) /* task, old pid, bprm */
{
	return exec_done((void *)ctx[0], (void *)ctx[2], true);
}

SEC("tp_btf/sched_process_exec")
int exec_old(__u64 *ctx) /* task, old pid, bprm */
{
	return exec_done((void *)ctx[0], (void *)ctx[2], false);
}

#define EXEC_FAILED(PATH, SIZE, NAME, LAST)                                                                  \
	do {                                                                                                 \
		/* Not rare: who looks along PATH fails a dozen times for one start. */                      \
		struct sentinel_exec *r = ring_take_common(sizeof(*r) + (PATH) + (NAME));                    \
		long n;                                                                                      \
		if (!r) {                                                                                    \
			ring_count(SENTINEL_KIND_EXEC, COUNT_LOST);                                          \
			return 0;                                                                            \
		}                                                                                            \
		n = bpf_probe_read_user_str((__u8 *)(r + 1) + (PATH), (NAME), name);                         \
		if (!(LAST) && n == (NAME)) {                                                                \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		__builtin_memset(r, 0, sizeof(*r));                                                          \
		path_copy(&r->cwd, (__u8 *)(r + 1), 0, cwd, measure, SIZE, loop);                            \
		r->filename.off = (PATH);                                                                    \
		r->filename.len = n > 0 ? n - 1 : 0;                                                         \
		fill_header(&r->hdr, SENTINEL_KIND_EXEC, sizeof(*r) + (PATH) + r->filename.len,              \
			    call_of(ctx), ctx->ret);                                                         \
		ring_count(SENTINEL_KIND_EXEC, COUNT_DELIVERED);                                             \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

static __always_inline int exec_exit(struct tp_sys_exit *ctx, bool loop)
{
	const char *name;
	__u64 cwd, measure;

	if (ctx->ret >= 0 || !wanted_call(SENTINEL_KIND_EXEC, ctx->ret))
		return 0;
	name = call_of(ctx) == NR_EXECVEAT ? (void *)ARG(1) : (void *)ARG(0);
	cwd = NUM(LD(current_task(), fs)) + bpf_core_field_offset(struct fs_struct, pwd);
	measure = path_measure(cwd);
	if (path_size(measure) == SIZE_SMALL)
		EXEC_FAILED(PATH_SMALL, SIZE_SMALL, 256, false);
	EXEC_FAILED(PATH_LARGE, SIZE_LARGE, 4096, true);
	return 0;
}

/* Attached to sys_exit_{execve,execveat}. The old image goes on: its name is user memory and may have
 * changed since. Misses: int 0x80. */
SEC("tracepoint")
int exec_failed(struct tp_sys_exit *ctx)
{
	return exec_exit(ctx, true);
}

SEC("tracepoint")
int exec_failed_old(struct tp_sys_exit *ctx)
{
	return exec_exit(ctx, false);
}

/* -- fork ------------------------------------------------------------------------------------------- */

/* Before the child first runs, in the thread that made it. Since 5.5. */
SEC("tp_btf/sched_process_fork")
int fork(__u64 *ctx) /* parent, child */
{
	struct task_struct *child = (void *)ctx[1];
	struct sentinel_fork *r;

	if (LD(child, pid) != LD(child, tgid) || !wanted(SENTINEL_KIND_FORK))
		return 0;
	r = ring_reserve(SENTINEL_KIND_FORK, sizeof(*r));
	if (!r)
		return 0;
	r->child_start_ns = LD(child, start_boottime);
	r->child_tgid = LD(child, tgid);
	r->child_vpid = LD(own_upid(LD(child, thread_pid)), nr);
	fill_header(&r->hdr, SENTINEL_KIND_FORK, sizeof(*r), SENTINEL_NO_SYSCALL, 0);
	ring_submit(r);
	return 0;
}

/* -- exit ------------------------------------------------------------------------------------------- */

struct ended {
	__u64 start_ns;
	__u64 tgid;
};

/* Processes whose last threads end at once: each thread may find that none is alive, one may say so. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024); /* many times what can be between the two lines of do_exit() */
	__type(key, struct ended);
	__type(value, __u32);
} ended SEC(".maps");

static __always_inline bool first_to_end(struct task_struct *task)
{
	struct ended key = {.start_ns = LD(LD(task, group_leader), start_boottime), .tgid = LD(task, tgid)};
	__u32 one = 1;

	if (LD(task, pid) == LD(task, tgid) && LD(LD(task, signal), nr_threads) == 1)
		return !bpf_map_lookup_elem(&ended, &key);
	return !bpf_map_update_elem(&ended, &key, &one, BPF_NOEXIST);
}

/* In the last thread, while it still has its namespaces. Since 5.5. `exit` is a name of the compiler's. */
SEC("tp_btf/sched_process_exit")
int process_exit(__u64 *ctx) /* task */
{
	struct task_struct *task = (void *)ctx[0];
	struct signal_struct *signal = LD(task, signal);
	struct sentinel_exit *r;
	__u32 code;

	if (LD(signal, live.counter) || !wanted(SENTINEL_KIND_EXIT) || !first_to_end(task))
		return 0;
	r = ring_reserve(SENTINEL_KIND_EXIT, sizeof(*r));
	if (!r)
		return 0;
	code = LD(signal, flags) & SIGNAL_GROUP_EXIT ? LD(signal, group_exit_code) : LD(task, exit_code);
	r->status = code >> 8 & 0xff;
	r->signal = code & 0xff;
	fill_header(&r->hdr, SENTINEL_KIND_EXIT, sizeof(*r), SENTINEL_NO_SYSCALL, 0);
	ring_submit(r);
	return 0;
}
