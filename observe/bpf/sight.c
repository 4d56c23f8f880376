// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What a node sends and receives, seen at its eth0: each TCP segment and each
 * DNS message becomes one event, or several of at most CHUNK bytes, in a ring
 * buffer. Nothing is changed, nothing is held up: both programs always go on to
 * the next filter.
 *
 *   process ── eth0 egress ─► before any harm      after all harm ─► eth0 ingress ── process
 *                  │                                                     │
 *                  └────────────► event ► ring buffer ◄ event ◄──────────┘
 */
#include "kernel.h"

char __license[] SEC("license") = "Dual BSD/GPL";

#define CHUNK 16384u /* a power of two, below the 32 KB a per-CPU value may have */
#define CHUNKS 5     /* 5 * 16 KB hold the largest skb of 64 KB */

enum { DNS_PORT = 53, TCP_SYN = 2 };

/* One piece of one packet. Addresses of IPv4 stand in the first 4 bytes. */
struct event {
	__u64 time;     /* CLOCK_MONOTONIC, ns */
	__u32 ifindex;  /* of the interface: who saw it */
	__u32 seq, ack; /* TCP; seq of this piece's first byte */
	__u32 length;   /* payload bytes that this piece stands for */
	__u32 captured; /* of them copied after this header */
	__u16 sport, dport;
	__u8 saddr[16], daddr[16];
	__u8 version; /* 4 or 6 */
	__u8 proto;   /* 6 or 17 */
	__u8 flags;   /* TCP */
	__u8 egress;
	__u16 packets; /* wire packets of the skb; 0 in its later pieces */
	__u16 pad;
};

struct scratch {
	struct event e;
	__u8 bytes[CHUNK];
};

struct counts {
	__u64 events, lost, lost_bytes, uncopied_bytes;
};

/* A connection whose payload nobody wants any more, by both its ends as seen from inside. */
struct flow {
	__u32 ifindex;
	__u16 local, remote;
	__u8 addr[16]; /* the remote one */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 24);
} brine_sights SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} brine_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} brine_seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct flow);
	__type(value, __u8);
} brine_mute SEC(".maps");

const volatile __u32 copy_limit = CHUNK * CHUNKS; /* payload bytes copied of one skb */
const volatile __u32 wake_bytes = 1 << 18;        /* waiting bytes that wake the reader at once */

const struct event *unused_event __attribute__((unused));

static __always_inline __u16 load16(const __u8 *p)
{
	return (__u16)p[0] << 8 | p[1];
}

static __always_inline __u32 load32(const __u8 *p)
{
	return (__u32)load16(p) << 16 | load16(p + 2);
}

/* emit sends the scratch's event with the bytes that it says were captured. */
static __always_inline void emit(struct scratch *s, struct counts *c)
{
	__u64 size = sizeof(s->e) + (s->e.captured & (2 * CHUNK - 1));
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (size > sizeof(*s))
		return;
	if (bpf_ringbuf_query(&brine_sights, BPF_RB_AVAIL_DATA) >= wake_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&brine_sights, s, size, flags)) {
		c->lost++;
		c->lost_bytes += s->e.length;
	} else {
		c->events++;
	}
}

/* muted tells whether nobody wants the payload; a new connection begins wanted. */
static __always_inline int muted(struct event *e)
{
	struct flow f = { .ifindex = e->ifindex };

	if (e->egress) {
		f.local = e->sport, f.remote = e->dport;
		__builtin_memcpy(f.addr, e->daddr, 16);
	} else {
		f.local = e->dport, f.remote = e->sport;
		__builtin_memcpy(f.addr, e->saddr, 16);
	}
	if (e->flags & TCP_SYN) {
		bpf_map_delete_elem(&brine_mute, &f);
		return 0;
	}
	return bpf_map_lookup_elem(&brine_mute, &f) != 0;
}

static __always_inline int see(struct __sk_buff *skb, __u8 egress)
{
	__u32 zero = 0, at, end, left, copied = 0;
	struct scratch *s = bpf_map_lookup_elem(&brine_scratch, &zero);
	struct counts *c = bpf_map_lookup_elem(&brine_seen, &zero);
	__u8 h[40];
	int i;

	if (!s || !c)
		return TC_ACT_UNSPEC;
	s->e.time = bpf_ktime_get_ns();
	s->e.ifindex = skb->ifindex;
	s->e.egress = egress;
	s->e.pad = 0;
	__builtin_memset(s->e.saddr, 0, 32);

	/* A GSO packet's own length may be 0 or too large: the skb's holds, but for padding. */
	end = skb->len;
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		if (bpf_skb_load_bytes(skb, 14, h, 20))
			return TC_ACT_UNSPEC;
		if ((h[0] >> 4) != 4 || load16(h + 6) & 0x1fff) /* a later fragment */
			return TC_ACT_UNSPEC;
		s->e.version = 4;
		s->e.proto = h[9];
		__builtin_memcpy(s->e.saddr, h + 12, 4);
		__builtin_memcpy(s->e.daddr, h + 16, 4);
		at = 14 + (h[0] & 15) * 4;
		if (load16(h + 2) && 14u + load16(h + 2) < end)
			end = 14u + load16(h + 2);
		break;
	case htons(ETH_P_IPV6):
		if (bpf_skb_load_bytes(skb, 14, h, 40))
			return TC_ACT_UNSPEC;
		s->e.version = 6;
		s->e.proto = h[6];
		__builtin_memcpy(s->e.saddr, h + 8, 16);
		__builtin_memcpy(s->e.daddr, h + 24, 16);
		at = 54;
		if (load16(h + 4) && 54u + load16(h + 4) < end)
			end = 54u + load16(h + 4);
		break;
	default:
		return TC_ACT_UNSPEC;
	}
	switch (s->e.proto) {
	case IPPROTO_TCP:
		if (bpf_skb_load_bytes(skb, at, h, 20))
			return TC_ACT_UNSPEC;
		s->e.seq = load32(h + 4);
		s->e.ack = load32(h + 8);
		s->e.flags = h[13];
		at += (h[12] >> 4) * 4;
		break;
	case IPPROTO_UDP:
		if (bpf_skb_load_bytes(skb, at, h, 8))
			return TC_ACT_UNSPEC;
		if (load16(h) != DNS_PORT && load16(h + 2) != DNS_PORT)
			return TC_ACT_UNSPEC;
		s->e.seq = s->e.ack = 0;
		s->e.flags = 0;
		at += 8;
		break;
	default:
		return TC_ACT_UNSPEC;
	}
	s->e.sport = load16(h);
	s->e.dport = load16(h + 2);
	s->e.packets = skb->gso_segs ? skb->gso_segs : 1;
	left = end > at ? end - at : 0;
	if (muted(&s->e) || !left) {
		s->e.length = left;
		s->e.captured = 0;
		emit(s, c);
		return TC_ACT_UNSPEC;
	}
	for (i = 0; i < CHUNKS && left; i++) {
		__u32 want = left, cap;

		if (want > CHUNK)
			want = CHUNK;
		s->e.length = want;
		cap = copied < copy_limit ? copy_limit - copied : 0;
		if (cap > want)
			cap = want;
		if (cap) {
			cap = ((cap - 1) & (CHUNK - 1)) + 1; /* what the verifier of 6.1 follows */
			if (bpf_skb_load_bytes(skb, at, s->bytes, cap))
				cap = 0;
		}
		s->e.captured = cap;
		c->uncopied_bytes += want - cap;
		emit(s, c);
		s->e.seq += want;
		s->e.packets = 0;
		at += want;
		left -= want;
		copied += want;
	}
	return TC_ACT_UNSPEC;
}

SEC("tc")
int brine_sight_in(struct __sk_buff *skb)
{
	return see(skb, 0);
}

SEC("tc")
int brine_sight_out(struct __sk_buff *skb)
{
	return see(skb, 1);
}
