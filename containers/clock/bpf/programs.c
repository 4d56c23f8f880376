// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Sees the programs that nodes start and the processes that they fork.
 *
 * A program that a watched node starts is stopped before its first instruction,
 * noted in brine_held, and told about: user space patches its vDSO and lets it
 * go on. A fork is only told about: its memory, the patch too, is a copy.
 */
#include "kernel.h"

#define LEVELS 12 /* how deep in the control group tree a node may lie */

#define WATCH_EXEC 1
#define WATCH_FORK 2

struct happened {
	__u64 cgroup; /* the node's */
	__u32 pid;    /* in the first pid namespace */
	__u32 kind;   /* WATCH_EXEC or WATCH_FORK */
};

/* Which control groups are watched, by id, and for what. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u32);
} brine_nodes SEC(".maps");

/* Processes that the program stopped and nobody has let go yet. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct happened);
} brine_held SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} brine_happened SEC(".maps");

/* watched is the id of the watched control group that this process is in. */
static __always_inline __u64 watched(__u32 what)
{
	int level;

#pragma unroll
	for (level = 1; level <= LEVELS; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);
		__u32 *why;

		if (!id)
			return 0;
		why = bpf_map_lookup_elem(&brine_nodes, &id);
		if (why && (*why & what))
			return id;
	}
	return 0;
}

/*
 * Runs when the new program is laid out in memory and has not run. The signal
 * is seen on the way out of the system call; it comes from the kernel, so that
 * the first process of a pid namespace stops, too. User space is told last: its
 * SIGCONT must not come before our SIGSTOP. A program that finds no room in the
 * ring or the map runs on; in the second case it is patched as it runs.
 */
SEC("raw_tracepoint/sched_process_exec")
int brine_exec(void *ctx)
{
	struct happened now = {.cgroup = watched(WATCH_EXEC), .kind = WATCH_EXEC};
	struct happened *h;

	if (!now.cgroup)
		return 0;
	now.pid = bpf_get_current_pid_tgid() >> 32;
	h = bpf_ringbuf_reserve(&brine_happened, sizeof(*h), 0);
	if (!h)
		return 0;
	if (bpf_map_update_elem(&brine_held, &now.pid, &now, BPF_ANY)) {
		now.kind = WATCH_FORK;
	} else if (bpf_send_signal(SIGSTOP)) {
		bpf_map_delete_elem(&brine_held, &now.pid);
		now.kind = WATCH_FORK;
	}
	*h = now;
	bpf_ringbuf_submit(h, 0);
	return 0;
}

SEC("raw_tracepoint/sched_process_fork")
int brine_fork(__u64 *args)
{
	struct task_struct *child = (void *)args[1];
	__u64 id = watched(WATCH_FORK);
	struct happened *h;
	__u32 pid = 0, tgid = 0;

	if (!id)
		return 0;
	bpf_probe_read_kernel(&pid, sizeof(pid), &child->pid);
	bpf_probe_read_kernel(&tgid, sizeof(tgid), &child->tgid);
	if (pid != tgid)
		return 0; /* a thread, which shares its process's memory */
	h = bpf_ringbuf_reserve(&brine_happened, sizeof(*h), 0);
	if (!h)
		return 0;
	h->cgroup = id;
	h->pid = pid;
	h->kind = WATCH_FORK;
	bpf_ringbuf_submit(h, 0);
	return 0;
}

char __license[] SEC("license") = "Dual BSD/GPL";
