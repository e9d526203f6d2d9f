// SPDX-License-Identifier: GPL-2.0-only
/* Empty programs that tell by loading what this kernel and these privileges allow. Never attached. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/sched_process_exit")
int fact_tp_btf(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("fexit/do_sys_openat2")
int fact_fexit(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("fentry/security_path_unlink")
int fact_path(void *ctx)
{
	(void)ctx;
	return 0;
}

/* Rare: it is attached for a moment. */
SEC("tp/sched/sched_kthread_stop")
int fact_tracepoint(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("lsm/file_open")
int fact_lsm(void *ctx)
{
	(void)ctx;
	return 0;
}
