// SPDX-License-Identifier: GPL-2.0-only
/* What processes do to themselves, to each other and to the kernel: prctl, signals, bpf, userfaultfd,
 * io_uring, process_vm_writev; and every other call that a rule names. Misses: int 0x80. */
#include "calls.h"

/* -- prctl ------------------------------------------------------------------------------------------ */

/* Options that change what a process is called, may do, or leaves behind. */
static __always_inline bool prctl_matters(__u32 option)
{
	switch (option) {
	case 1:		 /* SET_PDEATHSIG */
	case 4:		 /* SET_DUMPABLE */
	case 8:		 /* SET_KEEPCAPS */
	case 15:	 /* SET_NAME */
	case 22:	 /* SET_SECCOMP */
	case 24:	 /* CAPBSET_DROP */
	case 28:	 /* SET_SECUREBITS */
	case 35:	 /* SET_MM */
	case 36:	 /* SET_CHILD_SUBREAPER */
	case 38:	 /* SET_NO_NEW_PRIVS */
	case 47:	 /* CAP_AMBIENT */
	case 0x59616d61: /* SET_PTRACER */
		return true;
	default:
		return false;
	}
}

/* Attached to sys_exit_prctl. The name that SET_NAME has set is that of the header. */
SEC("tracepoint")
int prctl(struct tp_sys_exit *ctx)
{
	struct sentinel_prctl *r;
	__u32 option = ARG(0);

	if (!prctl_matters(option) || !wanted_call(SENTINEL_KIND_PRCTL, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_PRCTL, sizeof(*r));
	if (!r)
		return 0;
	r->option = option;
	r->args[0] = ARG(1);
	r->args[1] = ARG(2);
	r->args[2] = ARG(3);
	r->args[3] = ARG(4);
	fill_header(&r->hdr, SENTINEL_KIND_PRCTL, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* -- kill, tkill, tgkill, pidfd_send_signal, rt_sigqueueinfo, rt_tgsigqueueinfo ----------------------- */

/* The process behind a pidfd, initial pid namespace. Its pid moved from the file to the inode in 6.9. */
static __always_inline __s32 pid_of_pidfd(unsigned int fd)
{
	__u64 f = file_of_fd(fd);
	struct file *file = CAST((void *)f, struct file);
	void *pid;

	if (!f)
		return 0;
	pid = LD(file, private_data);
	if (!pid)
		pid = LD(LD(file, f_inode), i_private);
	return pid ? LD(CAST(pid, struct pid), numbers[0].nr) : 0;
}

/* Attached to the six calls above. Misses: what the kernel sends by itself, or a terminal. */
SEC("tracepoint")
int signal(struct tp_sys_exit *ctx)
{
	struct sentinel_signal *r;

	if (!wanted_call(SENTINEL_KIND_SIGNAL, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_SIGNAL, sizeof(*r));
	if (!r)
		return 0;
	r->target_pid = r->target_tid = 0;
	r->pidfd = -1;
	if (call_of(ctx) == NR_PIDFD_SEND_SIGNAL) {
		r->pidfd = ARG(0);
		r->target_pid = ctx->ret < 0 ? 0 : pid_of_pidfd(r->pidfd);
		r->signal = ARG(1);
	} else if (call_of(ctx) == NR_TGKILL || call_of(ctx) == NR_RT_TGSIGQUEUEINFO) {
		r->target_pid = ARG(0);
		r->target_tid = ARG(1);
		r->signal = ARG(2);
	} else if (call_of(ctx) == NR_TKILL) {
		r->target_tid = ARG(0);
		r->signal = ARG(1);
	} else {
		r->target_pid = ARG(0);
		r->signal = ARG(1);
	}
	fill_header(&r->hdr, SENTINEL_KIND_SIGNAL, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* -- bpf -------------------------------------------------------------------------------------------- */

/* Commands that make, find, pin or attach something. What programs do all the time with maps they have, and
 * what only tells, is no event. */
static __always_inline bool bpf_matters(__u32 cmd)
{
	switch (cmd) {
	case 0:	 /* MAP_CREATE */
	case 5:	 /* PROG_LOAD */
	case 6:	 /* OBJ_PIN */
	case 7:	 /* OBJ_GET */
	case 8:	 /* PROG_ATTACH */
	case 9:	 /* PROG_DETACH */
	case 13: /* PROG_GET_FD_BY_ID */
	case 14: /* MAP_GET_FD_BY_ID */
	case 17: /* RAW_TRACEPOINT_OPEN */
	case 18: /* BTF_LOAD */
	case 22: /* MAP_FREEZE */
	case 28: /* LINK_CREATE */
	case 29: /* LINK_UPDATE */
	case 30: /* LINK_GET_FD_BY_ID */
	case 33: /* ITER_CREATE */
	case 34: /* LINK_DETACH */
	case 35: /* PROG_BIND_MAP */
	case 36: /* TOKEN_CREATE */
		return true;
	default:
		return false;
	}
}

#define PROG_GET_FD_BY_ID 13

/* Our own look at what the kernel has counted of programs. */
static __always_inline bool bpf_is_our_look(__u32 cmd)
{
	struct sentinel_config *c = config_get();

	return cmd == PROG_GET_FD_BY_ID && c && bpf_get_current_pid_tgid() >> 32 == c->self_tgid;
}

/* Attached to sys_exit_bpf. Type and name are user memory at exit. */
SEC("tracepoint")
int bpf(struct tp_sys_exit *ctx)
{
	struct sentinel_bpf *r;
	const void *attr = (void *)ARG(1);
	__u32 cmd = ARG(0), size = ARG(2);

	if (!bpf_matters(cmd) || bpf_is_our_look(cmd) || !wanted_call(SENTINEL_KIND_BPF, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_BPF, sizeof(*r));
	if (!r)
		return 0;
	r->cmd = cmd;
	r->type = 0;
	__builtin_memset(r->name, 0, sizeof(r->name));
	if (cmd == 0 || cmd == 5) {
		bpf_probe_read_user(&r->type, sizeof(r->type), attr);
		if (size >= (cmd ? 64 : 44)) /* prog_name, map_name */
			bpf_probe_read_user(r->name, sizeof(r->name), attr + (cmd ? 48 : 28));
	}
	fill_header(&r->hdr, SENTINEL_KIND_BPF, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* Our own maps, by number. Filled by the agent, which looks here who has opened them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct sentinel_intruder);
} own_maps SEC(".maps");

#define MAP_GET_FD_BY_ID 14

/* Whether it is the descriptor of a map: the kernel calls those so. */
static __always_inline bool is_map(__u64 file)
{
	struct dentry *d = LD(CAST((void *)file, struct file), f_path.dentry);

	return LD(d, d_name.len) == 7 && WORD(LD(d, d_name.name)) == 0x0070616d2d667062 /* "bpf-map" */;
}

/* No event: notes whoever else opens a map of ours. Returns whether there was something to note. */
static __always_inline bool guard_note(__u32 id)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct sentinel_config *conf = config_get();
	struct sentinel_intruder *noted;

	if (!conf || tgid == conf->self_tgid)
		return false;
	noted = bpf_map_lookup_elem(&own_maps, &id);
	if (!noted)
		return false;
	noted->tgid = tgid;
	bpf_get_current_comm(noted->comm, sizeof(noted->comm));
	__sync_fetch_and_add(&noted->count, 1);
	return true;
}

/* The map behind a descriptor; 0 when it is something else. */
static __always_inline __u32 map_of_fd(long fd)
{
	__u64 file = file_of_fd(fd);

	if (!file || !is_map(file))
		return 0;
	return LD(CAST(LD(CAST((void *)file, struct file), private_data), struct bpf_map), id);
}

/* A map is about to get a descriptor, however it was asked for: the map is the kernel's. Nothing is refused
 * here. Where BPF is a security module (5.7, booted with it; on arm64 6.4). */
SEC("lsm/bpf_map")
int guard(__u64 *ctx) /* map, mode */
{
	guard_note(LD(CAST((void *)ctx[0], struct bpf_map), id));
	return 0;
}

/* Attached to sys_exit_bpf, where there is no guard. By the map behind the new descriptor; when another
 * thread has put something else there, by the number that was asked for. One of the two is there, unless the
 * caller rewrites both at the right moment. */
SEC("tracepoint")
int guard_asked(struct tp_sys_exit *ctx)
{
	__u32 id;

	if (ctx->ret < 0 || (__u32)ARG(0) != MAP_GET_FD_BY_ID || guard_note(map_of_fd(ctx->ret)))
		return 0;
	id = 0;
	bpf_probe_read_user(&id, sizeof(id), (void *)ARG(1));
	guard_note(id);
	return 0;
}

/* Attached to sys_exit_pidfd_getfd: a descriptor that was taken from us leads to the same map. */
SEC("tracepoint")
int guard_taken(struct tp_sys_exit *ctx)
{
	if (ctx->ret >= 0)
		guard_note(map_of_fd(ctx->ret));
	return 0;
}

/* -- userfaultfd, io_uring_setup, process_vm_writev -------------------------------------------------- */

/* Attached to sys_exit_userfaultfd. */
SEC("tracepoint")
int userfaultfd(struct tp_sys_exit *ctx)
{
	struct sentinel_userfaultfd *r;

	if (!wanted_call(SENTINEL_KIND_USERFAULTFD, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_USERFAULTFD, sizeof(*r));
	if (!r)
		return 0;
	r->flags = ARG(0);
	r->pad = 0;
	fill_header(&r->hdr, SENTINEL_KIND_USERFAULTFD, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* Attached to sys_exit_io_uring_setup. The kernel has written the parameters into user memory. */
SEC("tracepoint")
int io_uring_setup(struct tp_sys_exit *ctx)
{
	struct sentinel_io_uring_setup *r;
	__u32 params[6] = {}; /* the head of struct io_uring_params */

	if (!wanted_call(SENTINEL_KIND_IO_URING_SETUP, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_IO_URING_SETUP, sizeof(*r));
	if (!r)
		return 0;
	r->unreadable = bpf_probe_read_user(params, sizeof(params), (void *)ARG(1)) != 0;
	r->entries = ARG(0);
	r->sq_entries = params[0];
	r->cq_entries = params[1];
	r->flags = params[2];
	r->sq_thread_cpu = params[3];
	r->sq_thread_idle = params[4];
	r->features = params[5];
	fill_header(&r->hdr, SENTINEL_KIND_IO_URING_SETUP, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* Attached to sys_exit_process_vm_writev. Writing through /proc/PID/mem is an open and a write. */
SEC("tracepoint")
int process_vm_write(struct tp_sys_exit *ctx)
{
	struct sentinel_process_vm_write *r;
	user_word addr = 0;

	if (!wanted_call(SENTINEL_KIND_PROCESS_VM_WRITE, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_PROCESS_VM_WRITE, sizeof(*r));
	if (!r)
		return 0;
	r->target_pid = ARG(0);
	r->pieces = ARG(4);
	bpf_probe_read_user(&addr, sizeof(addr), (void *)ARG(3));
	r->addr = addr;
	fill_header(&r->hdr, SENTINEL_KIND_PROCESS_VM_WRITE, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* -- everything else -------------------------------------------------------------------------------- */

/* Attached to sys_exit_* of the calls that rules name and that have no kind of their own. */
SEC("tracepoint")
int syscall(struct tp_sys_exit *ctx)
{
	struct sentinel_syscall *r;

	if (!wanted_call(SENTINEL_KIND_SYSCALL, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_SYSCALL, sizeof(*r));
	if (!r)
		return 0;
	r->args[0] = ARG(0);
	r->args[1] = ARG(1);
	r->args[2] = ARG(2);
	r->args[3] = ARG(3);
	r->args[4] = ARG(4);
	r->args[5] = ARG(5);
	fill_header(&r->hdr, SENTINEL_KIND_SYSCALL, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}
