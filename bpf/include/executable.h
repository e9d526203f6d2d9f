/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of a program: what tells one that belongs there from one that was put there. */
#pragma once
#include "path.h"

#define OVERLAYFS_MAGIC	 0x794c7630
#define CAP_DAC_OVERRIDE 1
#define S_IMMUTABLE	 8
#define SB_RDONLY	 1
/* Further groups of a process that we look at. */
#define GROUPS 16

/* A file that was written into a container is not part of its image. */
static __always_inline __u32 layer(struct inode *inode)
{
	struct dentry *upper = NULL;

	if (!bpf_core_type_exists(struct ovl_inode) || LD(LD(inode, i_sb), s_magic) != OVERLAYFS_MAGIC)
		return 0;
	/* No CAST: types of a module have no number there. */
	struct ovl_inode *o = (void *)(NUM(inode) - bpf_core_field_offset(struct ovl_inode, vfs_inode));

	bpf_core_read(&upper, sizeof(upper), &o->__upperdentry);
	return upper ? SENTINEL_EXECUTABLE_UPPER : SENTINEL_EXECUTABLE_LOWER;
}

#define SECOND	    1000000000ull
#define TIME(t)	    (LD(inode, t.tv_sec) * SECOND + LD(inode, t.tv_nsec))
#define TIME_V67(t) (BPF_CORE_READ(old, t.tv_sec) * SECOND + BPF_CORE_READ(old, t.tv_nsec))
/* The highest bit says that somebody has looked (6.13). */
#define TIME_V611(t) (BPF_CORE_READ(new, t##_sec) * SECOND + (BPF_CORE_READ(new, t##_nsec) & ~(1u << 31)))
#define HAS(type, f) bpf_core_field_exists(((struct type *)0)->f)

/* The two times have had three names, and did not change them together. */
static __always_inline void executable_times(struct sentinel_executable *i, struct inode *inode)
{
	struct inode___v67 *old = (void *)NUM(inode);
	struct inode___v611 *new = (void *)NUM(inode);

	if (HAS(inode___v611, i_ctime_sec)) {
		i->changed_ns = TIME_V611(i_ctime);
		i->modified_ns = TIME_V611(i_mtime);
		return;
	}
	i->changed_ns = HAS(inode___v67, __i_ctime) ? TIME_V67(__i_ctime) : TIME(i_ctime);
	i->modified_ns = HAS(inode___v67, __i_mtime) ? TIME_V67(__i_mtime) : TIME(i_mtime);
}

static __always_inline bool in_group(struct cred *cred, __u32 gid)
{
	struct group_info *groups = LD(cred, group_info);
	__u64 list = NUM(groups);
	int count = LD(groups, ngroups);

	barrier_var(list); /* the compiler would subtract the other way round */
	list += bpf_core_field_offset(struct group_info, gid);
	if (LD(cred, fsgid.val) == gid)
		return true;
	for (int n = 0; n < GROUPS && n < count; n++) {
		__u32 one = ~gid;

		bpf_probe_read_kernel(&one, sizeof(one), (void *)(list + sizeof(one) * n));
		if (one == gid)
			return true;
	}
	return false;
}

/* As the mode says. Lists of access (ACLs), mounts with other ids, and capabilities over one's own namespace
 * are not looked at. */
static __always_inline bool may_write(struct inode *inode, struct cred *cred)
{
	__u32 mode = LD(inode, i_mode);
	__u64 capabilities = 0;

	if (LD(LD(inode, i_sb), s_flags) & SB_RDONLY || LD(inode, i_flags) & S_IMMUTABLE)
		return false;
	bpf_core_read(&capabilities, sizeof(capabilities), &cred->cap_effective);
	if (capabilities >> CAP_DAC_OVERRIDE & 1 && LD(LD(cred, user_ns), level) == 0)
		return true;
	if (LD(cred, fsuid.val) == LD(inode, i_uid.val))
		return mode & 0200;
	return mode & (in_group(cred, LD(inode, i_gid.val)) ? 0020 : 0002);
}

/* @file: a struct file; 0: there is none. */
static __always_inline void executable_fill(struct sentinel_executable *i, __u64 file,
					    struct task_struct *task)
{
	struct inode *inode = LD(CAST((void *)file, struct file), f_inode);
	struct pid_namespace *ns = LD(own_upid(LD(LD(task, signal), pids[PIDTYPE_TGID])), ns);

	__builtin_memset(i, 0, sizeof(*i));
	i->pidns_start_ns = LD(LD(ns, child_reaper), start_boottime);
	if (!inode)
		return;
	i->ino = LD(inode, i_ino);
	i->nlink = LD(inode, i_nlink);
	i->flags = layer(inode) | (may_write(inode, LD(task, cred)) ? SENTINEL_EXECUTABLE_WRITABLE : 0);
	executable_times(i, inode);
}
