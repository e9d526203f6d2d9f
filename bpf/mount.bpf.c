// SPDX-License-Identifier: GPL-2.0-only
/* What a process sees of the system: mount, umount, chroot, pivot_root, setns, unshare; and modules. Misses:
 * int 0x80; fsopen and open_tree are told by the move_mount that puts their result into the tree. */
#include "names.h"

#define MS_REMOUNT  32
#define MS_BIND	    4096
#define MS_MOVE	    8192
#define FSTYPE_NAME 64

/* -- mount, move_mount, pivot_root ------------------------------------------------------------------ */

struct mount_call {
	const char *source, *target, *fstype;
	long source_fd, target_fd;
	__u64 flags, from, from_len, to, to_len;
	__u32 is_path;
};

static __always_inline void mount_args(struct mount_call *m, long nr)
{
	m->source_fd = m->target_fd = AT_FDCWD;
	m->is_path = 1;
	if (nr == NR_MOVE_MOUNT) {
		m->source_fd = ARG(0);
		m->source = (void *)ARG(1);
		m->target_fd = ARG(2);
		m->target = (void *)ARG(3);
		m->flags = ARG(4);
		return;
	}
	m->source = (void *)ARG(0);
	m->target = (void *)ARG(1);
	if (nr == NR_PIVOT_ROOT)
		return;
	m->fstype = (void *)ARG(2);
	m->flags = ARG(3);
	m->is_path = (m->flags & (MS_BIND | MS_MOVE)) && !(m->flags & MS_REMOUNT);
}

#define MOUNT(BYTES, SIZE, LAST)                                                                             \
	do {                                                                                                 \
		struct sentinel_mount *r =                                                                   \
		    bpf_ringbuf_reserve(&events, sizeof(*r) + 2 * (BYTES) + FSTYPE_NAME, 0);                 \
		long n;                                                                                      \
		if (!r) {                                                                                    \
			ring_count(SENTINEL_KIND_MOUNT, COUNT_LOST);                                         \
			return 0;                                                                            \
		}                                                                                            \
		named_path(&r->source, TAIL(r), 0, m.from, m.from_len, SIZE, m.source, noted_call, 0, loop); \
		named_path(&r->target, TAIL(r), (BYTES), m.to, m.to_len, SIZE, m.target, noted_call, 1,      \
			   loop);                                                                            \
		if (!(LAST) && (name_cut(&r->source) || name_cut(&r->target))) {                             \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		if (!m.source)                                                                               \
			r->source.unreadable = 0;                                                            \
		n = bpf_probe_read_user_str(TAIL(r) + 2 * (BYTES), FSTYPE_NAME, m.fstype);                   \
		r->fstype.off = 2 * (BYTES);                                                                 \
		r->fstype.len = n > 0 ? n - 1 : 0;                                                           \
		r->flags = m.flags;                                                                          \
		r->is_path = m.is_path;                                                                      \
		fill_header(&r->hdr, SENTINEL_KIND_MOUNT, sizeof(*r) + 2 * (BYTES) + r->fstype.len,          \
			    call_of(ctx), ctx->ret);                                                         \
		ring_count(SENTINEL_KIND_MOUNT, COUNT_DELIVERED);                                            \
		ring_submit(r);                                                                              \
		if (loop)                                                                                    \
			noted_forget();                                                                      \
		return 0;                                                                                    \
	} while (0)

static __always_inline int mount_exit(struct tp_sys_exit *ctx, bool loop)
{
	enum noted noted_call;
	struct mount_call m = {};

	if (!wanted_call(SENTINEL_KIND_MOUNT, ctx->ret))
		return 0;
	mount_args(&m, call_of(ctx));
	m.from = m.is_path ? base_of(m.source_fd, m.source) : 0;
	m.from_len = m.from ? path_measure(m.from) : 1ull << 32;
	m.to = base_of(m.target_fd, m.target);
	m.to_len = m.to ? path_measure(m.to) : 1ull << 32;
	noted_call = loop ? noted_size(SENTINEL_KIND_MOUNT, ctx->ret) : NOTED_NOTHING;
	if (path_size(m.from_len) == SIZE_SMALL && path_size(m.to_len) == SIZE_SMALL &&
	    noted_call != NOTED_LARGE)
		MOUNT(NAMED_SMALL, SIZE_SMALL, false);
	MOUNT(NAMED_LARGE, SIZE_LARGE, true);
	return 0;
}

/* Attached to sys_exit_{mount,move_mount,pivot_root}. */
PROGRAM(mount, struct tp_sys_exit, mount_exit, ctx)

/* Attached to sys_enter_* of the same: the names as the call begins, as in used.bpf.c. The kernel's own word
 * would be about a place that lies below the new mount. */
SEC("tracepoint")
int entered_mount(struct tp_sys_enter *ctx)
{
	struct noted_names *n = note_entered(SENTINEL_KIND_MOUNT);
	struct mount_call m = {};

	if (!n)
		return 0;
	mount_args(&m, call_of(ctx));
	if (m.is_path)
		note_name(n, 0, m.source_fd, (__u64)m.source);
	note_name(n, 1, m.target_fd, (__u64)m.target);
	return 0;
}

static __always_inline int umount_exit(struct tp_sys_exit *ctx, bool loop)
{
	const char *user = (void *)ARG(0);
	__u32 flags = ARG(1);

	if (wanted_call(SENTINEL_KIND_UMOUNT, ctx->ret))
		ONE_NAME(umount, SENTINEL_KIND_UMOUNT, target, AT_FDCWD, user, {
			r->flags = flags;
			r->pad = 0;
		});
	return 0;
}

/* Attached to sys_exit_umount, which is umount2. */
PROGRAM(umount, struct tp_sys_exit, umount_exit, ctx)

/* -- chroot ----------------------------------------------------------------------------------------- */

#define CHROOT(PATH, SIZE, NAME, LAST)                                                                       \
	do {                                                                                                 \
		struct sentinel_chroot *r =                                                                  \
		    bpf_ringbuf_reserve(&events, sizeof(*r) + 2 * (PATH) + (NAME), 0);                       \
		if (!r) {                                                                                    \
			ring_count(SENTINEL_KIND_CHROOT, COUNT_LOST);                                        \
			return 0;                                                                            \
		}                                                                                            \
		path_copy(&r->root, TAIL(r), 0, root, root_len, SIZE, loop);                                 \
		path_copy(&r->asked.base, TAIL(r) + (PATH), (PATH), base, base_len, SIZE, loop);             \
		user_name(&r->asked, TAIL(r) + 2 * (PATH), 2 * (PATH), (NAME), name);                        \
		if (!(LAST) && name_cut(&r->asked)) {                                                        \
			bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);                                            \
			break;                                                                               \
		}                                                                                            \
		fill_header(&r->hdr, SENTINEL_KIND_CHROOT, sizeof(*r) + 2 * (PATH) + r->asked.name.len,      \
			    call_of(ctx), ctx->ret);                                                         \
		ring_count(SENTINEL_KIND_CHROOT, COUNT_DELIVERED);                                           \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

static __always_inline int chroot_exit(struct tp_sys_exit *ctx, bool loop)
{
	const char *name = (void *)ARG(0);
	__u64 root, root_len, base, base_len;

	if (!wanted_call(SENTINEL_KIND_CHROOT, ctx->ret))
		return 0;
	root = NUM(LD(current_task(), fs)) + bpf_core_field_offset(struct fs_struct, root);
	root_len = path_measure(root);
	/* After success an absolute name would start at the new root. */
	base = ctx->ret < 0 ? base_of(AT_FDCWD, name) : 0;
	base_len = base ? path_measure(base) : 1ull << 32;
	if (path_size(root_len) == SIZE_SMALL && path_size(base_len) == SIZE_SMALL)
		CHROOT(PATH_SMALL, SIZE_SMALL, USER_NAME_SMALL, false);
	CHROOT(PATH_LARGE, SIZE_LARGE, USER_NAME_LARGE, true);
	return 0;
}

/* Attached to sys_exit_chroot. */
PROGRAM(chroot, struct tp_sys_exit, chroot_exit, ctx)

/* -- setns, unshare --------------------------------------------------------------------------------- */

/* Attached to sys_exit_setns. The header has the namespaces of afterwards. */
SEC("tracepoint")
int setns(struct tp_sys_exit *ctx)
{
	struct sentinel_setns *r;
	__s32 fd = ARG(0);
	__u64 file = file_of_fd(fd);

	if (!wanted_call(SENTINEL_KIND_SETNS, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_SETNS, sizeof(*r));
	if (!r)
		return 0;
	r->fd = fd;
	r->nstype = ARG(1);
	r->ino = file ? LD(LD(CAST((void *)file, struct file), f_inode), i_ino) : 0;
	fill_header(&r->hdr, SENTINEL_KIND_SETNS, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* Attached to sys_exit_unshare. */
SEC("tracepoint")
int unshare(struct tp_sys_exit *ctx)
{
	struct sentinel_unshare *r;

	if (!wanted_call(SENTINEL_KIND_UNSHARE, ctx->ret))
		return 0;
	r = ring_reserve(SENTINEL_KIND_UNSHARE, sizeof(*r));
	if (!r)
		return 0;
	r->flags = ARG(0);
	fill_header(&r->hdr, SENTINEL_KIND_UNSHARE, sizeof(*r), call_of(ctx), ctx->ret);
	ring_submit(r);
	return 0;
}

/* -- init_module, finit_module ---------------------------------------------------------------------- */

#define MODULE_ARGS 256

#define MODULE(BYTES, SIZE)                                                                                  \
	do {                                                                                                 \
		struct sentinel_module_load *r =                                                             \
		    ring_reserve(SENTINEL_KIND_MODULE_LOAD, sizeof(*r) + (BYTES) + MODULE_ARGS);             \
		if (!r)                                                                                      \
			return 0;                                                                            \
		path_copy(&r->path, TAIL(r), 0, path, measure, SIZE, loop);                                  \
		n = bpf_probe_read_user_str(TAIL(r) + (BYTES), MODULE_ARGS, args);                           \
		r->args.off = (BYTES);                                                                       \
		r->args.len = n > 0 ? n - 1 : 0;                                                             \
		module_fill(r, file, image);                                                                 \
		fill_header(&r->hdr, SENTINEL_KIND_MODULE_LOAD, sizeof(*r) + (BYTES) + r->args.len,          \
			    call_of(ctx), ctx->ret);                                                         \
		ring_submit(r);                                                                              \
		return 0;                                                                                    \
	} while (0)

static __always_inline void module_fill(struct sentinel_module_load *r, __u64 file, bool image)
{
	r->fd = image ? -1 : (__s32)ARG(0);
	r->size = image ? ARG(1) : 0;
	r->flags = image ? 0 : ARG(2);
	r->ino = 0;
	r->dev = 0;
	if (file) {
		struct inode *inode = LD(CAST((void *)file, struct file), f_inode);

		r->ino = LD(inode, i_ino);
		r->dev = LD(LD(inode, i_sb), s_dev);
		r->path.flags |= leaf_flags(file) | (files_shared() ? SENTINEL_PATH_SHARED : 0);
	}
}

static __always_inline int module_exit(struct tp_sys_exit *ctx, bool loop)
{
	bool image = call_of(ctx) == NR_INIT_MODULE;
	const char *args = image ? (void *)ARG(2) : (void *)ARG(1);
	__u64 file, path, measure;
	long n;

	if (!wanted_call(SENTINEL_KIND_MODULE_LOAD, ctx->ret))
		return 0;
	file = image ? 0 : file_of_fd((unsigned int)ARG(0));
	path = path_of_file(file);
	measure = path ? path_measure(path) : 1ull << 32;
	if (path_size(measure) == SIZE_SMALL)
		MODULE(PATH_SMALL, SIZE_SMALL);
	else if (path_size(measure) == SIZE_MEDIUM)
		MODULE(PATH_MEDIUM, SIZE_MEDIUM);
	else
		MODULE(PATH_LARGE, SIZE_LARGE);
}

/* Attached to sys_exit_{init_module,finit_module}, which a kernel without modules does not have. */
PROGRAM(module_load, struct tp_sys_exit, module_exit, ctx)
