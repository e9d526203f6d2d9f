// SPDX-License-Identifier: GPL-2.0-only
/* The book of births and deaths: which path each cgroup has, as a container may live for five milliseconds,
 * and by the time the agent asks, its cgroup has gone; and that it has, so that the agent can forget it. */
#include "access.h"

/* Longer ones are cut, and the agent then looks in the file system. */
#define CGROUP_PATH_MAX 512
/* About 2 MB; those that nobody asked about for longest make room. */
#define CGROUPS_MAX 4096

struct cgroup_root___born {
	int hierarchy_id; /* 0: version 2 */
} __attribute__((preserve_access_index));

struct cgroup___born {
	struct cgroup_root___born *root;
	struct kernfs_node *kn;
} __attribute__((preserve_access_index));

struct cgroup_path {
	__u8 path[CGROUP_PATH_MAX]; /* ends with NUL */
};

/* By id; written here, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CGROUPS_MAX);
	__type(key, __u64);
	__type(value, struct cgroup_path);
} cgroup_paths SEC(".maps");

/* Ids in the order of their deaths; written here, taken out by the agent. When it is full, the agent's tables
 * forget for want of room. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, CGROUPS_MAX);
	__type(value, __u64);
} cgroup_deaths SEC(".maps");

/* Too large for the stack. */
static const struct cgroup_path no_path;

/* A cgroup is there and empty: nobody is in it before we know its path. The hierarchies of version 1 have ids
 * of their own, which would be taken for those of version 2. Since 5.5; misses cgroups that are renamed,
 * which version 2 does not allow. */
SEC("tp_btf/cgroup_mkdir")
int cgroup_born(__u64 *ctx) /* cgroup, path */
{
	struct cgroup___born *cgroup = (void *)ctx[0];
	struct cgroup_path *born;
	__u64 id;

	if (LD(LD(cgroup, root), hierarchy_id))
		return 0;
	id = LD(LD(cgroup, kn), id);
	bpf_map_update_elem(&cgroup_paths, &id, &no_path, BPF_ANY);
	born = bpf_map_lookup_elem(&cgroup_paths, &id);
	if (born)
		bpf_probe_read_kernel_str(born->path, sizeof(born->path), (void *)ctx[1]);
	return 0;
}

/* A cgroup has gone: nobody was in it any more but those who had ended. Since 5.5. */
SEC("tp_btf/cgroup_rmdir")
int cgroup_died(__u64 *ctx) /* cgroup, path */
{
	struct cgroup___born *cgroup = (void *)ctx[0];
	__u64 id;

	if (LD(LD(cgroup, root), hierarchy_id))
		return 0;
	id = LD(LD(cgroup, kn), id);
	bpf_map_push_elem(&cgroup_deaths, &id, 0);
	return 0;
}
