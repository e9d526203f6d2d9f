// SPDX-License-Identifier: GPL-2.0-only
/* What names lead to, noted for the events that file.bpf.c, name.bpf.c and attribute.bpf.c tell at the exit
 * of the call: see used.h. Nothing here is an event. */
#include "names.h"

/* -- by the kernel ---------------------------------------------------------------------------------- */
/* The functions that ask security modules about a path are called once for each name that a call uses, when
 * all of it has been looked up and locked: with CONFIG_SECURITY_PATH, whichever modules there are. What
 * overlayfs does below does not come here. io_uring and old calls do, and sockets that are bound. */

/* What is about to be made, removed or moved: a name that is free, or the file that is there. */
static __always_inline void note_entry(struct noted_names *n, int which, __u64 dir, __u64 dentry)
{
	struct dentry *d = CAST((void *)dentry, struct dentry);
	__u32 len = LD(d, d_name.len) & (NAME_CAP - 1);

	bpf_probe_read_kernel(n->base[which], sizeof(n->base[which]), (void *)dir);
	bpf_probe_read_kernel(n->names + which * NAME_CAP, len, LD(d, d_name.name));
	n->len[which] = len;
}

/* A file that is there and stays there. */
static __always_inline void note_file(struct noted_names *n, __u64 mnt, __u64 dentry)
{
	n->base[0][0] = mnt;
	n->base[0][1] = dentry;
}

static __always_inline __u64 word_at(__u64 address)
{
	__u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)address);
	return word;
}

#define USED_ENTRY(NAME, HOOK, KIND)                                                                         \
	SEC("fentry/" HOOK) int NAME(__u64 *ctx) /* directory, entry */                                      \
	{                                                                                                    \
		struct noted_names *n = note((KIND), true);                                                  \
                                                                                                             \
		if (n)                                                                                       \
			note_entry(n, 0, ctx[0], ctx[1]);                                                    \
		return 0;                                                                                    \
	}

USED_ENTRY(used_unlink, "security_path_unlink", SENTINEL_KIND_FILE_UNLINK)
USED_ENTRY(used_rmdir, "security_path_rmdir", SENTINEL_KIND_FILE_RMDIR)
USED_ENTRY(used_mkdir, "security_path_mkdir", SENTINEL_KIND_FILE_MKDIR)
USED_ENTRY(used_mknod, "security_path_mknod", SENTINEL_KIND_FILE_MKNOD)

SEC("fentry/security_path_rename")
int used_rename(__u64 *ctx) /* old directory, old entry, new directory, new entry */
{
	struct noted_names *n = note(SENTINEL_KIND_FILE_RENAME, true);

	if (n) {
		note_entry(n, 0, ctx[0], ctx[1]);
		note_entry(n, 1, ctx[2], ctx[3]);
	}
	return 0;
}

SEC("fentry/security_path_link")
int used_link(__u64 *ctx) /* old file, new directory, new entry */
{
	struct noted_names *n = note(SENTINEL_KIND_FILE_LINK, true);

	if (n) {
		/* Both lie in one mount, or the kernel had refused. */
		note_file(n, word_at(ctx[1]), ctx[0]);
		note_entry(n, 1, ctx[1], ctx[2]);
	}
	return 0;
}

SEC("fentry/security_path_symlink")
int used_symlink(__u64 *ctx) /* directory, entry, text */
{
	struct noted_names *n = note(SENTINEL_KIND_FILE_SYMLINK, true);
	long len;

	if (!n)
		return 0;
	note_entry(n, 0, ctx[0], ctx[1]);
	len = bpf_probe_read_kernel_str(n->names + NAME_CAP, NAME_CAP, (void *)ctx[2]);
	/* One that fills its room may go on. */
	n->len[1] = len > 0 && len < NAME_CAP ? len - 1 : 0;
	return 0;
}

#define USED_FILE(NAME, HOOK, KIND)                                                                          \
	SEC("fentry/" HOOK) int NAME(__u64 *ctx) /* path */                                                  \
	{                                                                                                    \
		struct noted_names *n = note((KIND), true);                                                  \
                                                                                                             \
		if (n)                                                                                       \
			note_file(n, word_at(ctx[0]), word_at(ctx[0] + sizeof(__u64)));                      \
		return 0;                                                                                    \
	}

USED_FILE(used_chmod, "security_path_chmod", SENTINEL_KIND_FILE_CHMOD)
USED_FILE(used_chown, "security_path_chown", SENTINEL_KIND_FILE_CHOWN)
USED_FILE(used_truncate, "security_path_truncate", SENTINEL_KIND_FILE_TRUNCATE)

/* -- by the memory as the call begins --------------------------------------------------------------- */

/* The name of a call that has just one: the first argument of the calls @PLAIN and @PLAIN2, else the second
 * one, below the first. */
#define ENTERED(NAME, KIND, PLAIN, PLAIN2)                                                                   \
	SEC("tracepoint") int NAME(struct tp_sys_enter *ctx)                                                 \
	{                                                                                                    \
		int call = call_of(ctx);                                                                     \
		bool plain = call == (PLAIN) || call == (PLAIN2);                                            \
		struct noted_names *n = note_entered((KIND));                                                \
                                                                                                             \
		if (n)                                                                                       \
			note_name(n, 0, plain ? AT_FDCWD : (long)ARG(0), plain ? ARG(0) : ARG(1));           \
		return 0;                                                                                    \
	}

ENTERED(entered_mkdir, SENTINEL_KIND_FILE_MKDIR, NR_MKDIR, NR_MKDIR)
ENTERED(entered_mknod, SENTINEL_KIND_FILE_MKNOD, NR_MKNOD, NR_MKNOD)
ENTERED(entered_chmod, SENTINEL_KIND_FILE_CHMOD, NR_CHMOD, NR_CHMOD)
ENTERED(entered_chown, SENTINEL_KIND_FILE_CHOWN, NR_CHOWN, NR_LCHOWN)
ENTERED(entered_truncate, SENTINEL_KIND_FILE_TRUNCATE, NR_TRUNCATE, NR_TRUNCATE)
/* umount2. When it has been done, the kernel's own word is that of a mount which is nowhere any more. */
ENTERED(entered_umount, SENTINEL_KIND_UMOUNT, NR_UMOUNT2, NR_UMOUNT2)

static __always_inline int entered_removal(__u32 kind, int call)
{
	bool at = call == NR_UNLINKAT;
	bool directory = call == NR_RMDIR || (at && ARG(2) & 0x200 /* AT_REMOVEDIR */);
	struct noted_names *n;

	if (directory != (kind == SENTINEL_KIND_FILE_RMDIR))
		return 0;
	n = note_entered(kind);
	if (n)
		note_name(n, 0, at ? (long)ARG(0) : AT_FDCWD, at ? ARG(1) : ARG(0));
	return 0;
}

SEC("tracepoint")
int entered_unlink(struct tp_sys_enter *ctx)
{
	return entered_removal(SENTINEL_KIND_FILE_UNLINK, call_of(ctx));
}

SEC("tracepoint")
int entered_rmdir(struct tp_sys_enter *ctx)
{
	return entered_removal(SENTINEL_KIND_FILE_RMDIR, call_of(ctx));
}

static __always_inline int entered_two(__u32 kind, bool plain)
{
	struct noted_names *n = note_entered(kind);

	if (!n)
		return 0;
	note_name(n, 0, plain ? AT_FDCWD : (long)ARG(0), plain ? ARG(0) : ARG(1));
	note_name(n, 1, plain ? AT_FDCWD : (long)ARG(2), plain ? ARG(1) : ARG(3));
	return 0;
}

SEC("tracepoint")
int entered_rename(struct tp_sys_enter *ctx)
{
	return entered_two(SENTINEL_KIND_FILE_RENAME, call_of(ctx) == NR_RENAME);
}

SEC("tracepoint")
int entered_link(struct tp_sys_enter *ctx)
{
	return entered_two(SENTINEL_KIND_FILE_LINK, call_of(ctx) == NR_LINK);
}

SEC("tracepoint")
int entered_symlink(struct tp_sys_enter *ctx)
{
	bool plain = call_of(ctx) == NR_SYMLINK;
	struct noted_names *n = note_entered(SENTINEL_KIND_FILE_SYMLINK);

	if (n)
		note_name(n, 0, plain ? AT_FDCWD : (long)ARG(1), plain ? ARG(1) : ARG(2));
	return 0;
}
