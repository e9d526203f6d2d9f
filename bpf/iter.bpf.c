// SPDX-License-Identifier: GPL-2.0-only
/* What was there before us: processes and their open files. Read once, at start, by the agent. */
#include "executable.h"
#include <bpf/bpf_tracing.h>

/* One record being built. Not on the stack, which is too small, and safe because there is one reader: two
 * reads of one program at once would mix. */
static struct {
	struct sentinel_process process;
	__u8 exe[PATH_LARGE];
} record;

static __always_inline void fill_other(struct sentinel_header *h, struct task_struct *task)
{
	h->kind = 0;
	h->time_ns = bpf_ktime_get_boot_ns();
	h->result = 0;
	h->syscall = SENTINEL_NO_SYSCALL;
	h->cgroup_id = LD(LD(LD(LD(task, cgroups), dfl_cgrp), kn), id);
	fill_task(h, task);
	bpf_core_read(h->comm, sizeof(h->comm), &task->comm);
}

/* The program comes by our own walk, not by bpf_d_path(): that trusts a pointer whose owner may be exiting,
 * and prints another path than exec events have. */
static __always_inline int snapshot_task(struct bpf_iter__task *ctx, bool loop)
{
	struct task_struct *task = ctx->task;
	struct sentinel_process *p = &record.process;
	struct mm_struct *mm;
	__u64 path = 0;
	__u32 len;

	if (!task || LD(task, pid) != LD(task, tgid))
		return 0;
	mm = LD(task, mm);
	if (mm)
		path = path_of_file(NUM(LD(mm, exe_file)));
	path_copy(&p->exe, record.exe, 0, path, path ? path_measure(path) : 1ull << 32, SIZE_LARGE, loop);
	p->has_exe = path != 0;
	executable_fill(&p->executable, mm ? NUM(LD(mm, exe_file)) : 0, task);
	p->reader_tgid = bpf_get_current_pid_tgid() >> 32;
	fill_other(&p->hdr, task);
	len = p->exe.span.len;
	if (len > sizeof(record.exe))
		return 0;
	p->hdr.len = sizeof(*p) + len;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(*p) + len);
	return 0;
}

/* Every process. Since 5.8. */
SEC("iter/task")
int snapshot_tasks(struct bpf_iter__task *ctx)
{
	return snapshot_task(ctx, true);
}

SEC("iter/task")
int snapshot_tasks_old(struct bpf_iter__task *ctx)
{
	return snapshot_task(ctx, false);
}

/* Every open file of every process; threads that share a table are walked once. Since 5.8. */
SEC("iter/task_file")
int snapshot_files(struct bpf_iter__task_file *ctx)
{
	struct sentinel_process_file f = {};
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct inode *inode;

	if (!task || !file)
		return 0;
	inode = LD(file, f_inode);
	f.ino = LD(inode, i_ino);
	f.dev = LD(LD(inode, i_sb), s_dev);
	f.mode = LD(inode, i_mode);
	f.fmode = LD(file, f_mode);
	f.fd = ctx->fd;
	f.tgid = LD(task, tgid);
	f.start_ns = LD(LD(task, group_leader), start_boottime);
	f.reader_tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_seq_write(ctx->meta->seq, &f, sizeof(f));
	return 0;
}
