/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel types our programs touch, and only the fields they touch. CO-RE relocates every access
 * by name: order and gaps do not matter. A ___suffix names a flavour of the same kernel type. */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef __u8 bool;
typedef int pid_t;
typedef long size_t;
#define true  1
#define false 0
#define NULL  ((void *)0)

enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PROG_ARRAY = 3,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_QUEUE = 22,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY, BPF_NOEXIST, BPF_EXIST };
enum { BPF_F_NO_PREALLOC = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, si, dx, cx, bx, bp, r10, r8, r9, orig_ax, ax;
};
struct thread_info {
	__u32 status;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
};
#else
#error "no system call convention for this architecture"
#endif

/* -- files ----------------------------------------------------------------------------------------- */
struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	struct dentry *s_root;
	unsigned long s_magic;
};
typedef struct {
	unsigned int val;
} kuid_t;
typedef struct {
	unsigned int val;
} kgid_t;
struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};
struct inode {
	__u16 i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	unsigned int i_flags;
	unsigned int i_nlink; /* a union in the kernel; read by name */
	unsigned long i_ino;
	struct super_block *i_sb;
	void *i_private;
	struct timespec64 i_ctime; /* up to 6.5 */
	struct timespec64 i_mtime; /* up to 6.6 */
};
struct inode___v67 { /* up to 6.10 */
	struct timespec64 __i_ctime;
	struct timespec64 __i_mtime;
};
struct inode___v611 {
	__s64 i_ctime_sec;
	__s64 i_mtime_sec;
	__u32 i_ctime_nsec;
	__u32 i_mtime_nsec;
};
struct ovl_inode { /* often of a module: there only while that is loaded */
	struct inode vfs_inode;
	struct dentry *__upperdentry;
};
struct qstr {
	__u32 hash;
	__u32 len;
	const unsigned char *name;
};
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};
struct dentry_operations {
	void *d_dname;
};
struct seqcount {
	unsigned int sequence;
};
struct seqcount_spinlock { /* since 5.9 */
	struct seqcount seqcount;
};
struct dentry {
	struct seqcount_spinlock d_seq;
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct dentry_operations *d_op;
	struct super_block *d_sb;
};
struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};
struct ns_common {
	unsigned int inum;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct net {
	struct ns_common ns;
};
struct pid_namespace {
	struct ns_common ns;
	struct task_struct *child_reaper;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct bpf_map {
	__u32 id;
};
struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
};
struct open_how {
	__u64 flags;
	__u64 mode;
};
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};
typedef struct {
	int counter;
} atomic_t;
struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};
struct fs_struct {
	struct path root;
	struct path pwd;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

/* -- tasks ----------------------------------------------------------------------------------------- */
typedef struct { /* two words of 32 bits before 6.3; the same bytes */
	__u64 val;
} kernel_cap_t;
struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};
struct user_namespace {
	int level;
};
struct group_info {
	int ngroups;
	kgid_t gid[1];
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};
struct tty_driver {
	int major;
	int minor_start;
};
struct tty_struct {
	struct tty_driver *driver;
	int index;
};
struct signal_struct {
	atomic_t live;	/* threads that have not begun to exit */
	int nr_threads; /* threads not yet released */
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[4]; /* PIDTYPE_PID, TGID, PGID, SID */
	struct tty_struct *tty;
};
struct mm_struct {
	atomic_t mm_users;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
	struct file *exe_file;
};
struct kernfs_node {
	__u64 id; /* since 5.5 */
};
struct cgroup {
	struct kernfs_node *kn;
};
struct css_set {
	struct cgroup *dfl_cgrp;
};
struct task_struct {
#if defined(__TARGET_ARCH_x86)
	struct thread_info thread_info;
#endif
	unsigned int flags;
	pid_t pid;
	pid_t tgid;
	int exit_code;
	void *stack;
	__u64 self_exec_id;   /* raised by every exec, copied by every fork; since 5.7 */
	__u64 start_boottime; /* ns, CLOCK_BOOTTIME; since 5.5 */
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct cred *cred;
	struct signal_struct *signal;
	struct pid *thread_pid;
	struct mm_struct *mm;
	struct files_struct *files;
	struct fs_struct *fs;
	struct nsproxy *nsproxy;
	kuid_t loginuid; /* CONFIG_AUDIT */
	struct css_set *cgroups;
	__u8 comm[16];
};
struct linux_binprm {
	const char *filename;
	const char *interp;
	const char *fdpath; /* execveat with a descriptor */
};

/* -- sockets --------------------------------------------------------------------------------------- */
struct in6_addr {
	__u8 s6_addr[16];
};
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};
struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
};
struct socket {
	struct sock *sk;
};
struct sockaddr_un {
	__u16 sun_family;
};
struct unix_address {
	int len;
	struct sockaddr_un name[0];
};
struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

/* -- iterators ------------------------------------------------------------------------------------- */
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
};
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

/* Contexts of classic tracepoints: a stable ABI, not CO-RE. Behind the number lie four bytes that the
 * kernel does not set. */
struct tp_sys_exit {
	__u64 common;
	int id;
	int unset;
	long ret;
};
struct tp_sys_enter {
	__u64 common;
	int id;
	int unset;
	unsigned long args[6];
};

#if defined(__TARGET_ARCH_x86)
#define O_LARGEFILE 0100000
#else
#define O_LARGEFILE 0400000
#endif
#define S_IFMT		  0170000
#define S_IFSOCK	  0140000
#define S_IFREG		  0100000
#define S_IFBLK		  0060000
#define S_IFCHR		  0020000
#define S_IFIFO		  0010000
#define FMODE_CREATED	  0x100000
#define AT_FDCWD	  (-100)
#define SIGNAL_GROUP_EXIT 4
#define PIDTYPE_TGID	  1
#define PIDTYPE_PGID	  2
#define PIDTYPE_SID	  3
