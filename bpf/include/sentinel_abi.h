/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * What the BPF programs and the agent say to each other.
 *
 * This header is the one definition of the wire: clang compiles it into the programs, bindgen turns
 * it into Rust. It needs nothing but fixed-width integers, so both parse it alone.
 *
 * A record is a fixed part (one struct below, always led by the header) and a tail of bytes that
 * spans in the fixed part point into. Offsets of spans count from the end of the fixed part.
 */
#pragma once

#ifndef __bpf__ /* the programs have these from kernel.h */
typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
#endif

/** Raised with every change that an older reader would misread. */
#define SENTINEL_ABI_VERSION 1

/**
 * Every kind of record: EVENT(id, KIND, name), carried by struct sentinel_<name>.
 * Ids are never reused and stay below SENTINEL_KIND_MAX.
 */
#define SENTINEL_EVENTS(EVENT)                                                                               \
	EVENT(1, EXEC, exec)                                                                                 \
	EVENT(2, FORK, fork)                                                                                 \
	EVENT(3, EXIT, exit)                                                                                 \
	EVENT(4, FILE_OPEN, file_open)                                                                       \
	EVENT(5, FILE_READ, file_read)                                                                       \
	EVENT(6, FILE_WRITE, file_write)                                                                     \
	EVENT(7, FILE_CLOSE, file_close)                                                                     \
	EVENT(8, FILE_UNLINK, file_unlink)                                                                   \
	EVENT(9, FILE_RENAME, file_rename)                                                                   \
	EVENT(10, CONNECT, connect)                                                                          \
	EVENT(11, ACCEPT, accept)                                                                            \
	EVENT(12, BIND, bind)                                                                                \
	EVENT(13, LISTEN, listen)                                                                            \
	EVENT(14, PTRACE, ptrace)                                                                            \
	EVENT(15, MEMFD_CREATE, memfd_create)                                                                \
	EVENT(16, MMAP_EXEC, mmap_exec)                                                                      \
	EVENT(17, MPROTECT_EXEC, mprotect_exec)                                                              \
	EVENT(18, DUP, dup)                                                                                  \
	EVENT(19, SOCKET, socket)                                                                            \
	EVENT(20, SEND, send)                                                                                \
	EVENT(21, RECV, recv)                                                                                \
	EVENT(45, DNS, dns)                                                                                  \
	EVENT(22, SETUID, setuid)                                                                            \
	EVENT(23, CAPSET, capset)                                                                            \
	EVENT(24, PRCTL, prctl)                                                                              \
	EVENT(25, SIGNAL, signal)                                                                            \
	EVENT(26, FILE_LINK, file_link)                                                                      \
	EVENT(27, FILE_SYMLINK, file_symlink)                                                                \
	EVENT(28, FILE_MKDIR, file_mkdir)                                                                    \
	EVENT(29, FILE_RMDIR, file_rmdir)                                                                    \
	EVENT(30, FILE_CHMOD, file_chmod)                                                                    \
	EVENT(31, FILE_CHOWN, file_chown)                                                                    \
	EVENT(32, FILE_TRUNCATE, file_truncate)                                                              \
	EVENT(33, FILE_MKNOD, file_mknod)                                                                    \
	EVENT(34, MOUNT, mount)                                                                              \
	EVENT(35, UMOUNT, umount)                                                                            \
	EVENT(36, CHROOT, chroot)                                                                            \
	EVENT(37, SETNS, setns)                                                                              \
	EVENT(38, UNSHARE, unshare)                                                                          \
	EVENT(39, BPF, bpf)                                                                                  \
	EVENT(40, MODULE_LOAD, module_load)                                                                  \
	EVENT(41, USERFAULTFD, userfaultfd)                                                                  \
	EVENT(42, IO_URING_SETUP, io_uring_setup)                                                            \
	EVENT(43, PROCESS_VM_WRITE, process_vm_write)                                                        \
	EVENT(44, SYSCALL, syscall)

/** Slots for kinds in the table of counters and bits in the configuration. */
#define SENTINEL_KIND_MAX 64

enum sentinel_kind {
#define EVENT(id, KIND, name) SENTINEL_KIND_##KIND = id,
	SENTINEL_EVENTS(EVENT)
#undef EVENT
};

/** Bytes of arguments kept of an exec. */
#define SENTINEL_ARGV_MAX 4096
/** And of its environment, where that is wanted. */
#define SENTINEL_ENV_MAX 4096
/** Bytes of data kept of a read, write, send or receipt, where that is wanted. */
#define SENTINEL_DATA_MAX 80
/** Value of sentinel_header.syscall where no system call led to the event. */
#define SENTINEL_NO_SYSCALL 0xffffu

/** Leads every record. 128 bytes: two cache lines. */
struct sentinel_header {
	/** Length of the record in bytes, header and used tail included. */
	__u32 len;
	/** enum sentinel_kind. */
	__u16 kind;
	/** SENTINEL_ABI_VERSION of the writer. */
	__u16 version;
	/** When: nanoseconds, CLOCK_BOOTTIME. */
	__u64 time_ns;
	/** Start of the process: nanoseconds, CLOCK_BOOTTIME. (tgid, start_ns) names a process for good. */
	__u64 start_ns;
	/** The same of the parent. */
	__u64 parent_start_ns;
	/** cgroup v2 id of the task. */
	__u64 cgroup_id;
	/** What the system call returned. */
	__s64 result;
	/** Process and thread, initial pid namespace. */
	__u32 tgid;
	__u32 tid;
	/** Parent process, initial pid namespace. */
	__u32 ppid;
	/** Process in its own pid namespace. */
	__u32 vpid;
	/** Real and effective ids, initial user namespace. */
	__u32 uid;
	__u32 gid;
	__u32 euid;
	__u32 egid;
	/** Audit login uid, ~0 when unset. */
	__u32 loginuid;
	/** Session id, initial pid namespace. */
	__u32 session;
	/** Controlling terminal, major << 20 | minor; 0 for none. */
	__u32 tty;
	/** Namespaces of the thread, inode numbers. */
	__u32 pid_ns;
	__u32 mnt_ns;
	__u32 net_ns;
	/** System call number, native ABI; or SENTINEL_NO_SYSCALL. */
	__u16 syscall;
	/** Programs started on the way to this one, the low bits of the kernel's count: tells one execution
	 * of a process from the next. */
	__u16 execution;
	/** Process group, initial pid namespace. */
	__u32 pgid;
	/** Task name, NUL-padded, any bytes: the process chooses it. */
	__u8 comm[16];
};

/** Bytes [off, off + len) of the tail. */
struct sentinel_span {
	__u16 off;
	__u16 len;
};

/** What is special about a path. */
enum sentinel_path_flag {
	/** Unlinked. */
	SENTINEL_PATH_DELETED = 1,
	/** The walk ended in a mount of no namespace, or of another one. */
	SENTINEL_PATH_DETACHED = 2,
	/** Not in the tree: pipe, socket, memfd. */
	SENTINEL_PATH_PSEUDO = 4,
	/** Deeper or longer than we follow: the top is missing. */
	SENTINEL_PATH_CUT = 8,
	/** The tree changed between the two passes. */
	SENTINEL_PATH_TORN = 16,
	/** Opened by handle: no way to the root is known. */
	SENTINEL_PATH_DISCONNECTED = 64,
	/** Others share the descriptor table, or the memory with the name: it may have been swapped before we
	 * looked. */
	SENTINEL_PATH_SHARED = 128,
	/** The kernel's word on which file a name led to. */
	SENTINEL_PATH_USED = 256,
};

/**
 * An absolute path in the tail, leaf first, each component followed by NUL ("shadow\0etc\0"), so that
 * a component may hold anything, '/' included (memfd). The root itself has no component.
 */
struct sentinel_path {
	struct sentinel_span span;
	/** enum sentinel_path_flag. */
	__u32 flags;
};

/** A name in the caller's memory and the directory it is relative to. */
struct sentinel_user_path {
	/** The directory: working directory, dirfd, or the root for an absolute name. */
	struct sentinel_path base;
	/** The caller's bytes without the NUL. */
	struct sentinel_span name;
	/** 1: could not be read. */
	__u32 unreadable;
	/**
	 * Which file it was according to somebody else. With SENTINEL_PATH_USED the kernel, when it used the
	 * name; else, if there is anything, the caller's memory when the call began: the first component then
	 * is the name as it stood there, the others are its directory.
	 */
	struct sentinel_path second;
};

enum sentinel_executable_flag {
	/** In the upper layer of an overlay. */
	SENTINEL_EXECUTABLE_UPPER = 1,
	/** In a lower layer of an overlay. */
	SENTINEL_EXECUTABLE_LOWER = 2,
	/** Who runs it may write it. */
	SENTINEL_EXECUTABLE_WRITABLE = 4,
};

/** The file of a program, and where it runs. */
struct sentinel_executable {
	__u64 ino;
	/** Last change of the inode and of the content: nanoseconds since the epoch, by the file system. */
	__u64 changed_ns;
	__u64 modified_ns;
	/** Start of the first process of the pid namespace: nanoseconds, CLOCK_BOOTTIME. */
	__u64 pidns_start_ns;
	/** Links of that inode: 0 is a file without a name. */
	__u32 nlink;
	/** enum sentinel_executable_flag */
	__u32 flags;
};

struct sentinel_exec {
	struct sentinel_header hdr;
	/** As the caller wrote it; for execveat with an empty name "/dev/fd/N". */
	struct sentinel_span filename;
	/** Interpreter of a script; len 0 when it is the file itself. */
	struct sentinel_span interp;
	/** Arguments, each followed by NUL, cut at SENTINEL_ARGV_MAX. */
	struct sentinel_span argv;
	/** Environment, likewise; len 0 unless sentinel_config.environment. */
	struct sentinel_span env;
	/** Bytes of arguments there were. */
	__u32 argv_len;
	/** Bytes of environment there were, when it is wanted. */
	__u32 env_len;
	/** The program, from mm->exe_file. */
	struct sentinel_path exe;
	/** Working directory. */
	struct sentinel_path cwd;
	struct sentinel_executable executable;
	/** Capabilities of the program: inheritable, permitted, effective. */
	__u64 cap[3];
};

struct sentinel_fork {
	/** The parent. */
	struct sentinel_header hdr;
	__u64 child_start_ns;
	__u32 child_tgid;
	/** Process id in the child's own pid namespace. */
	__u32 child_vpid;
};

struct sentinel_exit {
	struct sentinel_header hdr;
	/** Exit status, 0 to 255. */
	__u32 status;
	/** Signal that ended the process, or 0; bit 7: core dumped. */
	__u32 signal;
};

struct sentinel_file_open {
	struct sentinel_header hdr;
	/** The opened file; len 0: none found at the descriptor. */
	struct sentinel_path path;
	/** What was asked for: on failure, and when the table of descriptors is shared. */
	struct sentinel_user_path asked;
	__u64 ino;
	__u32 dev;
	/** O_* and permission bits as asked; openat2: as found at exit in the caller's memory. */
	__u32 flags;
	__u32 mode;
	/** 1: created by this call. */
	__u32 created;
	/** The directory as `open_places` would know it; 0: known already, or not to be remembered. */
	__u64 place;
};

/**
 * Reads or writes of one process on one open file. In an aggregated record the numbers count from
 * the first call on, so what a lost record told is told again by the next.
 */
struct sentinel_io {
	/** Names the open file, together with opened_ns: address of struct file, scrambled. */
	__u64 file;
	/** First use by this process: nanoseconds, CLOCK_BOOTTIME. 0: a single call, not aggregated. */
	__u64 opened_ns;
	__u64 calls;
	__u64 bytes;
	__u64 ino;
	__u32 dev;
	/** Descriptor of this call, or -1. */
	__s32 fd;
	struct sentinel_path path;
	/** First bytes of what this call moved; len 0 unless sentinel_config.buffers. */
	struct sentinel_span data;
	__u32 pad;
};

struct sentinel_file_read {
	struct sentinel_header hdr;
	struct sentinel_io io;
};

struct sentinel_file_write {
	struct sentinel_header hdr;
	struct sentinel_io io;
};

/** The last word on a file: sums of reads ([0]) and writes ([1]) since the first. */
struct sentinel_file_close {
	struct sentinel_header hdr;
	__u64 file;
	__u64 opened_ns;
	__u64 calls[2];
	__u64 bytes[2];
	__u64 ino;
	__u32 dev;
	__s32 fd;
	/** 1: every call was an event of its own, only the close is news. */
	__u32 single;
	__u32 pad;
};

struct sentinel_file_unlink {
	struct sentinel_header hdr;
	struct sentinel_user_path target;
};

struct sentinel_file_rename {
	struct sentinel_header hdr;
	struct sentinel_user_path from;
	struct sentinel_user_path to;
	__u32 flags;
	__u32 pad;
};

/** One end of a connection. */
struct sentinel_endpoint {
	/** IPv6, or IPv4 in the first four bytes: the family tells. */
	__u8 ip[16];
	/** Unix: the name, abstract ones start with NUL. */
	struct sentinel_span path;
	/** Host order. */
	__u16 port;
	/** enum sentinel_source. */
	__u16 source;
};

enum sentinel_source {
	SENTINEL_SOURCE_NONE = 0,
	SENTINEL_SOURCE_KERNEL = 1,
	SENTINEL_SOURCE_USER = 2,
};

struct sentinel_sock {
	__u16 family;
	/** SOCK_*. */
	__u16 type;
	__u16 protocol;
	/** 1: others share the descriptor table. */
	__u16 shared;
	__s32 fd;
	/** Family in the caller's sockaddr, or 0. */
	__u16 asked_family;
	__u16 pad;
	struct sentinel_endpoint local;
	struct sentinel_endpoint peer;
	/** The caller's sockaddr at exit. */
	struct sentinel_endpoint asked;
};

struct sentinel_connect {
	struct sentinel_header hdr;
	struct sentinel_sock socket;
};

struct sentinel_accept {
	struct sentinel_header hdr;
	struct sentinel_sock socket;
};

struct sentinel_bind {
	struct sentinel_header hdr;
	struct sentinel_sock socket;
};

struct sentinel_listen {
	struct sentinel_header hdr;
	struct sentinel_sock socket;
	__u32 backlog;
	__u32 pad;
};

struct sentinel_ptrace {
	struct sentinel_header hdr;
	__u64 request;
	/** As the caller named it, in its own pid namespace. */
	__u32 target_pid;
	__u32 pad;
};

struct sentinel_memfd_create {
	struct sentinel_header hdr;
	struct sentinel_span name;
	__u32 flags;
};

struct sentinel_mmap_exec {
	struct sentinel_header hdr;
	__u64 addr;
	__u64 size;
	__u64 ino;
	__u32 prot;
	__u32 flags;
	struct sentinel_path path;
};

struct sentinel_mprotect_exec {
	struct sentinel_header hdr;
	__u64 addr;
	__u64 size;
	__u32 prot;
	__u32 pad;
};

/** A descriptor was duplicated. The tail holds either the path of a file or the names of a unix socket. */
struct sentinel_dup {
	struct sentinel_header hdr;
	__s32 old_fd;
	/** What the caller asked for: the number, or the lowest it may be; -1: any. */
	__s32 asked_fd;
	/** O_CLOEXEC or 0. */
	__u32 flags;
	__u32 dev;
	__u64 ino;
	/** Where the file is; len 0: it has no path. */
	struct sentinel_path path;
	/** family 0: not a socket. */
	struct sentinel_sock socket;
};

struct sentinel_socket {
	struct sentinel_header hdr;
	__u32 family;
	/** SOCK_* without flags. */
	__u32 type;
	__u32 protocol;
	/** SOCK_CLOEXEC, SOCK_NONBLOCK. */
	__u32 flags;
};

/** The first datagram of a process to a peer on a socket. */
struct sentinel_send {
	struct sentinel_header hdr;
	struct sentinel_sock socket;
	__u64 bytes;
	__u32 flags;
	/** Which message of the call this is, from 0. */
	__u32 message;
	/** Its first bytes; len 0 unless sentinel_config.buffers. */
	struct sentinel_span data;
	__u32 pad;
};

/** The first datagram of a process from a peer on a socket. */
struct sentinel_recv {
	struct sentinel_header hdr;
	struct sentinel_sock socket;
	__u64 bytes;
	__u32 flags;
	__u32 message;
	struct sentinel_span data;
	__u32 pad;
};

/** An answer that was received from port 53. */
struct sentinel_dns {
	struct sentinel_header hdr;
	struct sentinel_sock socket;
	/** The first bytes of it, 512 at most; on a stream perhaps the length first. */
	struct sentinel_span message;
	/** How many there were. */
	__u32 bytes;
};

/** What permission checks look at. Initial user namespace. */
struct sentinel_credentials {
	/** Real, effective, saved, file system. */
	__u32 uid[4];
	__u32 gid[4];
	/** Capabilities: inheritable, permitted, effective. */
	__u64 cap[3];
};

/** Credentials were changed. The header's ids are those of before. */
struct sentinel_setuid {
	struct sentinel_header hdr;
	struct sentinel_credentials before;
	struct sentinel_credentials after;
	/** Arguments. */
	__u32 asked[3];
	/** 1: `before` is known. */
	__u32 known;
};

struct sentinel_capset {
	struct sentinel_header hdr;
	struct sentinel_credentials before;
	struct sentinel_credentials after;
	__u32 known;
	__u32 pad;
};

struct sentinel_prctl {
	struct sentinel_header hdr;
	__u64 option;
	__u64 args[4];
};

struct sentinel_signal {
	struct sentinel_header hdr;
	/** As the caller named it; of a pidfd the process behind it, initial pid namespace. */
	__s32 target_pid;
	/** Thread, or 0. */
	__s32 target_tid;
	__u32 signal;
	/** -1: not by descriptor. */
	__s32 pidfd;
};

struct sentinel_file_link {
	struct sentinel_header hdr;
	struct sentinel_user_path from;
	struct sentinel_user_path to;
	__u32 flags;
	__u32 pad;
};

struct sentinel_file_symlink {
	struct sentinel_header hdr;
	/** The new name. */
	struct sentinel_user_path link;
	/** What it leads to: any text. */
	struct sentinel_span target;
	/** 1: `target` could not be read. */
	__u32 unreadable;
};

struct sentinel_file_mkdir {
	struct sentinel_header hdr;
	struct sentinel_user_path target;
	__u32 mode;
	__u32 pad;
};

struct sentinel_file_rmdir {
	struct sentinel_header hdr;
	struct sentinel_user_path target;
};

/** A file named by a descriptor, or by a name. */
struct sentinel_file_target {
	/** By descriptor; len 0: by name, or nothing is there. */
	struct sentinel_path path;
	struct sentinel_user_path asked;
	__u64 ino;
	__u32 dev;
	/** -1: by name. */
	__s32 fd;
};

struct sentinel_file_chmod {
	struct sentinel_header hdr;
	struct sentinel_file_target target;
	__u32 mode;
	__u32 flags;
};

struct sentinel_file_chown {
	struct sentinel_header hdr;
	struct sentinel_file_target target;
	/** ~0: unchanged. In the caller's user namespace. */
	__u32 uid;
	__u32 gid;
	__u32 flags;
	__u32 pad;
};

struct sentinel_file_truncate {
	struct sentinel_header hdr;
	struct sentinel_file_target target;
	__u64 size;
};

struct sentinel_file_mknod {
	struct sentinel_header hdr;
	struct sentinel_user_path target;
	/** S_IF* and permissions. */
	__u32 mode;
	/** As the caller encodes it. */
	__u32 rdev;
};

/** mount, move_mount, pivot_root. */
struct sentinel_mount {
	struct sentinel_header hdr;
	/** Device, or what is mounted again or moved; pivot_root: the new root. */
	struct sentinel_user_path source;
	struct sentinel_user_path target;
	__u64 flags;
	struct sentinel_span fstype;
	/** 1: `source` is a name of a file. */
	__u32 is_path;
};

struct sentinel_umount {
	struct sentinel_header hdr;
	struct sentinel_user_path target;
	__u32 flags;
	__u32 pad;
};

struct sentinel_chroot {
	struct sentinel_header hdr;
	/** The root of the thread at the exit of the call. */
	struct sentinel_path root;
	struct sentinel_user_path asked;
};

struct sentinel_setns {
	struct sentinel_header hdr;
	/** Inode number of what is behind the descriptor: of the namespace. */
	__u64 ino;
	__s32 fd;
	/** CLONE_NEW*; 0: any. */
	__u32 nstype;
};

struct sentinel_unshare {
	struct sentinel_header hdr;
	/** CLONE_*. */
	__u64 flags;
};

struct sentinel_bpf {
	struct sentinel_header hdr;
	/** BPF_*. */
	__u32 cmd;
	/** Of the program or map to be made: its type; else 0. */
	__u32 type;
	/** Of the program or map to be made: its name, NUL-padded, from the caller's memory. */
	__u8 name[16];
};

struct sentinel_module_load {
	struct sentinel_header hdr;
	/** finit_module: the file. */
	struct sentinel_path path;
	__u64 ino;
	/** init_module: bytes of the image. */
	__u64 size;
	/** Parameters of the module. */
	struct sentinel_span args;
	__u32 flags;
	/** -1: init_module. */
	__s32 fd;
	__u32 dev;
};

struct sentinel_userfaultfd {
	struct sentinel_header hdr;
	__u32 flags;
	__u32 pad;
};

struct sentinel_io_uring_setup {
	struct sentinel_header hdr;
	__u32 entries;
	/** IORING_SETUP_*, from the caller's memory at exit. */
	__u32 flags;
	/** Written there by the kernel. */
	__u32 sq_entries;
	__u32 cq_entries;
	__u32 sq_thread_cpu;
	__u32 sq_thread_idle;
	__u32 features;
	/** 1: could not be read. */
	__u32 unreadable;
};

struct sentinel_process_vm_write {
	struct sentinel_header hdr;
	/** First address in the other process, from the caller's memory. */
	__u64 addr;
	/** As the caller named it. */
	__u32 target_pid;
	/** Pieces. */
	__u32 pieces;
};

/** A system call that a rule names and that has no kind of its own. */
struct sentinel_syscall {
	struct sentinel_header hdr;
	__u64 args[6];
};

/* -- what the agent tells the programs ------------------------------------------------------------- */

/** Run-time configuration: the one element of the map `settings`. */
struct sentinel_config {
	/** Bit sentinel_kind set: somebody wants these events. */
	__u64 kinds;
	/** Our own process, initial pid namespace: it alone is excluded, and only on `own_files`. */
	__u32 self_tgid;
	/** 1: sum reads and writes per open file. */
	__u32 aggregate;
	/** 1: exec events carry the environment. */
	__u32 environment;
	/** 1: reads, writes and messages carry their first bytes, and streams of sockets are messages too. */
	__u32 buffers;
	/** Bit sentinel_kind set: not every such call matters. The rest of this struct tells which do. */
	__u64 selective;
	/** Raised before the maps `call_comms` and `call_ports` change. */
	__u64 calls_epoch;
	/** Bit sentinel_kind set: nobody wants such calls. By enum sentinel_outcome, plus 3 when the
	 * effective user is not 0, plus 6 in a container. */
	__u64 unwanted[12];
	/** Bit sentinel_kind set: only calls of processes that are in `call_comms` matter. */
	__u64 named;
	/** Bit sentinel_kind set: of these, only calls of processes that are not there. */
	__u64 except;
	/** Bit sentinel_kind set: and calls with a port that is in `call_ports`. */
	__u64 ported;
};

/** Entries of the maps `call_comms` and `call_ports`. */
#define SENTINEL_NAMED_MAX 1024

/** Key of the map `call_comms`: a task name, NUL-padded. */
struct sentinel_comm {
	__u8 comm[16];
};

/** What a cgroup is: value of the map `cgroup_places`. */
enum sentinel_place {
	SENTINEL_PLACE_HOST = 1,
	SENTINEL_PLACE_CONTAINER = 2,
};

/** How a call ended. */
enum sentinel_outcome {
	SENTINEL_OUTCOME_SUCCEEDED = 0,
	/** It goes on without the caller: EINPROGRESS. */
	SENTINEL_OUTCOME_UNDER_WAY = 1,
	SENTINEL_OUTCOME_FAILED = 2,
};

/** Key of the map `own_files`: files that our own process writes as its output. */
struct sentinel_file_id {
	__u64 ino;
	/** Kernel's device number, major << 20 | minor. */
	__u32 dev;
	__u32 pad;
};

/** Who has opened a map of ours: element of the map `own_maps`, whose keys are the numbers of maps. */
struct sentinel_intruder {
	/** How often it was opened. */
	__u64 count;
	/** By whom the last time, initial pid namespace. */
	__u32 tgid;
	__u32 pad;
	__u8 comm[16];
};

/** How a file is opened, as bits of a set. */
enum sentinel_way {
	/** Without write access, O_CREAT and O_TRUNC. */
	SENTINEL_WAY_READING = 1,
	SENTINEL_WAY_WRITING = 2,
};

/** Which opens matter: the one element of the map `open_filter`. */
struct sentinel_open_filter {
	/** Mixed into the places of directories, another one for every set of paths. 0: every open matters.
	 */
	__u64 secret;
	/** Bit b: some wanted name or suffix ends in the byte b. */
	__u64 last[4];
	/** Bit min(n, 63): some wanted name has n bytes. */
	__u64 lengths;
	/** enum sentinel_way: all of these matter. */
	__u32 all;
	/** enum sentinel_way: of these some matter. */
	__u32 some;
	/** 1: failed opens matter. */
	__u32 failed;
	/** 1: opens matter of which it is not certain what was opened. */
	__u32 unsure;
	/** Opens for writing whose mode has one of these bits matter. */
	__u32 modes;
	/** Bit n: some key of `open_suffixes` has n bytes, 1 to 8. */
	__u32 suffix_lengths;
};

/** Slots of the map `open_places`: the low 16 bits of a place. */
#define SENTINEL_PLACES 65536
/** Bytes of a name that the kernel's side compares; the rest is not looked at. */
#define SENTINEL_NAME_BYTES 64
#define SENTINEL_REST_BYTES 56

/** Key of the map `open_names`: a name, NUL-padded, cut to 63 bytes. Value: enum sentinel_way. */
struct sentinel_open_name {
	__u8 name[SENTINEL_NAME_BYTES];
};

/** Key of the map `open_suffixes`: the last `len` bytes of a name, the very last the highest. */
struct sentinel_open_suffix {
	__u64 bytes;
	__u64 len;
};

/** Key of the trie `open_prefixes`: the beginning of a name in a directory that is known by a number. */
struct sentinel_open_prefix {
	/** Bits of what follows. */
	__u32 bits;
	__u32 dir;
	__u8 rest[SENTINEL_REST_BYTES];
};

/* -- what the agent reads from maps ---------------------------------------------------------------- */

/** Element of the per-CPU map `counts`, by sentinel_kind. */
struct sentinel_counts {
	/** Events that happened and were wanted: submitted or lost. */
	__u64 produced;
	/** Of these, found the ring full. */
	__u64 lost;
	/** Our own output, left out. */
	__u64 excluded;
	/** Found the ring full, but a later record tells the same. */
	__u64 deferred;
	/** Of no interest to anybody: see sentinel_open_filter. */
	__u64 filtered;
};

/** Key of the map `open_files`: an open file as one process uses it. */
struct sentinel_open_file_key {
	/** Address of struct file, scrambled. */
	__u64 file;
	__u32 tgid;
	__u32 pad;
};

/** What a process did to an open file, since opened_ns. */
struct sentinel_open_file {
	__u64 inode;
	__u64 opened_ns;
	/** Start of the process. */
	__u64 start_ns;
	/** Reads, writes. */
	__u64 calls[2];
	__u64 bytes[2];
	__u64 ino;
	__u32 dev;
	__s32 fd;
	/** Closed; the entry waits for its address to be used again. Bytes of their own: threads race. */
	__u8 closed;
	/** The sums of the closed file found no room in the ring: the sweep must tell them. */
	__u8 untold;
	/** One event per call: sums are only for the close. */
	__u8 single;
	/** Our own output. */
	__u8 own;
	/** The record that names the file has been sent: of reads, of writes. */
	__u8 named[2];
	__u8 pad[2];
};

/** What the iterators write: one record a process; kind 0, and a tail like that of an event. */
struct sentinel_process {
	struct sentinel_header hdr;
	/** The program; len 0 for kernel threads. DETACHED is meant as seen from the reader. */
	struct sentinel_path exe;
	struct sentinel_executable executable;
	/** Who reads this, initial pid namespace: tells the agent its own number. */
	__u32 reader_tgid;
	/** 1: there is a program. */
	__u32 has_exe;
};

/** One record an open file of a process. */
struct sentinel_process_file {
	__u64 ino;
	__u64 start_ns;
	__u32 dev;
	__u32 tgid;
	__u32 fd;
	/** S_IF* and permissions. */
	__u32 mode;
	/** FMODE_*. */
	__u32 fmode;
	/** Who reads this, initial pid namespace. */
	__u32 reader_tgid;
};

#define EVENT(id, KIND, name)                                                                                \
	_Static_assert(id < SENTINEL_KIND_MAX, "no room for " #name);                                        \
	_Static_assert(__builtin_offsetof(struct sentinel_##name, hdr) == 0,                                 \
		       "sentinel_" #name " must start with hdr");                                            \
	_Static_assert(sizeof(struct sentinel_##name) % 8 == 0,                                              \
		       "pad sentinel_" #name " by hand to a multiple of 8");
SENTINEL_EVENTS(EVENT)
#undef EVENT
