/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The maps. Sizes of 1 are set by the engine when it loads the object. */
#ifndef BRINE_MAPS_H
#define BRINE_MAPS_H

#include "rules.h"

/* Cells per row, and where the verdict is taken: 0 tc, 1 XDP. */
const volatile __u32 stride = 1;
/* Source and destination of the engine's probe frames. */
const volatile __u8 probe_mac[6] = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct control);
} brine_control SEC(".maps");

/* PLANES planes of stride * stride cells of 16 bits, four to an element. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} brine_matrix SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ruleset);
} brine_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct rule);
} brine_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct port);
} brine_ports SEC(".maps");

/* Host-side ifindex -> port + 1 in the low, ifindex in the high half. */
#define IFINDEX_SLOTS 65536
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, IFINDEX_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, __u64);
} brine_ifindex SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __be32);
	__type(value, __u32);
} brine_addr4 SEC(".maps");

struct addr6 {
	__u64 word[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct addr6);
	__type(value, __u32);
} brine_addr6 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ledger_key);
	__type(value, struct ledger);
} brine_ledger SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct traffic_key);
	__type(value, struct traffic);
} brine_traffic SEC(".maps");

/* Ports of the first fragment of a packet, for the later ones. */
struct frag_key {
	__u16 src, dst;
	__u32 id;
	__u32 proto;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct frag_key);
	__type(value, __u32);
} brine_frags SEC(".maps");

/* Connections opened since a rule for existing ones began. */
struct flow_key {
	__u32 rule;
	__u16 low, high;   /* the two ports of the engine */
	__u16 low_port, high_port;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct flow_key);
	__type(value, __u8);
} brine_flows SEC(".maps");

/* Flows with segments that were cut: all their packets go that way, to keep their order. */
struct cut_key {
	__u16 src, dst; /* the two ports of the engine */
	__u16 sport, dport;
	__u32 proto;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct cut_key);
	__type(value, __u8);
} brine_cut SEC(".maps");

/* Packets that rules dropped, for who watches a port. */
struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} brine_lost SEC(".maps");

/* Things that should not happen, and frames that go nowhere. */
enum odd {
	ODD_NOT_IP,      /* ARP, unknown EtherTypes */
	ODD_MALFORMED,
	ODD_NO_PORT,     /* from an interface that is no port */
	ODD_NO_ROUTE,    /* unknown destination and no fallback; multicast */
	ODD_STALE,       /* a cell could not be read in one generation */
	ODD_NO_LEDGER,   /* ledger full: acted on, not counted */
	ODD_NO_TRAFFIC,  /* traffic table full: not counted by port */
	ODD_COUNT,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ODD_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} brine_odd SEC(".maps");

static __always_inline void count_odd(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&brine_odd, &what);

	if (n)
		(*n)++;
}

#endif
