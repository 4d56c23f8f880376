// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What a node sends and receives, seen at its eth0: each TCP segment and each
 * DNS message becomes one event, or several of at most CHUNK bytes, in a ring
 * buffer. Nothing is changed, nothing is held up: both programs always go on to
 * the next filter.
 *
 * Of a large body whose length the head of an HTTP/1.x message tells, only the
 * begin is copied: what follows is counted, as
 *
 *   head | KEEP bytes | the rest of Content-Length | next head
 *   copied            | from … until: not copied   | copied
 *
 *   process ── eth0 egress ─► before any harm      after all harm ─► eth0 ingress ── process
 *                  │                                                     │
 *                  └────────────► event ► ring buffer ◄ event ◄──────────┘
 */
#include "kernel.h"

char __license[] SEC("license") = "Dual BSD/GPL";

#define CHUNK 16384u /* a power of two, below the 32 KB a per-CPU value may have */
#define CHUNKS 5     /* 5 * 16 KB hold the largest skb of 64 KB */

#define HEAD 1024u   /* of a message's head is looked at for its Content-Length */
#define KEEP 1024u   /* bytes of a large body are copied: what a row shows of it */
#define LARGE 65536u /* bodies from here on */

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
	/* Kept here and not in registers, so that the verifier has few states to go through. */
	volatile __u32 state, seen_at[32]; /* of scan: where each state was last entered */
	volatile __u32 head, body;         /* what it found: bytes of the head, its Content-Length */
	volatile __u32 from, until;        /* the bytes that are not wanted, by sequence number */
};

struct counts {
	__u64 events, lost, lost_bytes, uncopied_bytes;
};

/* A connection of which not all payload is wanted, by both its ends as seen from inside. */
struct flow {
	__u32 ifindex;
	__u16 local, remote;
	__u8 addr[16]; /* the remote one */
};

/* What of it is not wanted: all, or of a direction (by event.egress) the bytes from … until. */
struct quiet {
	__u32 from[2], until[2];
	__u32 all;
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
	__type(value, struct quiet);
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
	__u64 captured = s->e.captured;
	/* A mask bounds it for verifiers that forget a comparison when they spill; it is at most CHUNK already. */
	__u64 size = sizeof(s->e) + (captured ? ((captured - 1) & (CHUNK - 1)) + 1 : 0);
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (bpf_ringbuf_query(&brine_sights, BPF_RB_AVAIL_DATA) >= wake_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&brine_sights, s, size, flags)) {
		c->lost++;
		c->lost_bytes += s->e.length;
	} else {
		c->events++;
	}
}

/*
 * piece sends one piece of a packet: want bytes at a place, of which cap are copied; it gives how many were. It is
 * global, as scan and large are, so that the verifier goes through it once.
 */
__noinline int piece(struct __sk_buff *skb, __u32 at, __u32 want, __u32 cap)
{
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&brine_scratch, &zero);
	struct counts *c = bpf_map_lookup_elem(&brine_seen, &zero);

	if (!s || !c)
		return 0;
	if (cap) {
		cap = ((cap - 1) & (CHUNK - 1)) + 1; /* what the verifier of 6.1 follows */
		if (bpf_skb_load_bytes(skb, at, s->bytes, cap))
			cap = 0;
	}
	s->e.length = want;
	s->e.captured = cap;
	c->uncopied_bytes += want - cap;
	emit(s, c);
	return cap;
}

/* flow_of gives the connection that an event is of. */
static __always_inline void flow_of(struct event *e, struct flow *f)
{
	f->ifindex = e->ifindex;
	if (e->egress) {
		f->local = e->sport, f->remote = e->dport;
		__builtin_memcpy(f->addr, e->daddr, 16);
	} else {
		f->local = e->dport, f->remote = e->sport;
		__builtin_memcpy(f->addr, e->saddr, 16);
	}
}

/* begins tells whether a packet begins with the head of a message that may have a body. */
static __always_inline int begins(const __u8 *b)
{
	__u32 word = load32(b);

	return word == 0x48545450 /* HTTP */ || word == 0x504f5354 /* POST */ || word == 0x50555420 /* PUT */ ||
	       word == 0x50415443 /* PATCH */;
}

/*
 * A machine that finds "\n" "content-length:" in letters of either case, and the empty line that ends the head. As a
 * table it has no branches, of which the verifier would try every combination.
 */
enum { NL = 1, CR, C, O, N, T, E, DASH, L, G, H, COLON, CLASSES = 16 };
enum { LINE = 1, LENGTH = 16, LINE_CR, END, STATES = 32 };

const __u8 class_of[256] = {
	['\n'] = NL, ['\r'] = CR, ['c'] = C, ['C'] = C, ['o'] = O, ['O'] = O, ['n'] = N, ['N'] = N, ['t'] = T, ['T'] = T,
	['e'] = E, ['E'] = E, ['-'] = DASH, ['l'] = L, ['L'] = L, ['g'] = G, ['G'] = G, ['h'] = H, ['H'] = H, [':'] = COLON,
};
const __u8 next_state[STATES * CLASSES] = {
#define ON(state, class, to) [(state) * CLASSES + (class)] = to
#define STEP(state, class) ON(state, NL, LINE), ON(state, class, (state) + 1)
	ON(0, NL, LINE), ON(LINE, NL, END), ON(LINE, CR, LINE_CR), ON(LINE_CR, NL, END), ON(LINE, C, 2), STEP(2, O), STEP(3, N),
	STEP(4, T), STEP(5, E), STEP(6, N), STEP(7, T), STEP(8, DASH), STEP(9, L), STEP(10, E), STEP(11, N), STEP(12, G),
	STEP(13, T), STEP(14, H), STEP(15, COLON), ON(LENGTH, NL, LINE),
};

/* scan finds the end of the head and its Content-Length in the first n bytes; it tells whether the body is large. */
__noinline int scan(__u32 n)
{
	__u32 zero = 0, i, at, number = 0;
	struct scratch *s = bpf_map_lookup_elem(&brine_scratch, &zero);

	if (!s)
		return 0;
	s->state = s->seen_at[LENGTH] = s->head = s->body = 0;
	for (i = 0; i < HEAD; i++) {
		__u32 state = s->state & (STATES - 1);
		__u64 cell;

		if (i >= n || state == END)
			break;
		cell = state * CLASSES + (class_of[s->bytes[i]] & (CLASSES - 1));
		asm volatile("%0 &= %1" : "+r"(cell) : "i"(STATES * CLASSES - 1)); /* else the verifier of 6.1 has lost its bound */
		state = next_state[cell];
		s->state = state;
		s->seen_at[state & (STATES - 1)] = i;
	}
	at = s->seen_at[LENGTH];
	if (s->state != END || !at)
		return 0;
	for (i = 1; i < 12; i++) { /* " 1234567890" */
		__u8 c = s->bytes[(at + i) & (CHUNK - 1)];

		if (c >= '0' && c <= '9')
			number = number * 10 + (c - '0');
		else if (c != ' ')
			break;
	}
	s->head = s->seen_at[END] + 1;
	s->body = number;
	return number >= LARGE && number < 1 << 30; /* sequence numbers tell no more apart */
}

/* large notes which bytes of the message that begins in the scratch are not wanted. */
__noinline int large(__u32 captured)
{
	struct flow f = {};
	struct quiet fresh = {};
	struct quiet *had;
	__u32 zero = 0;
	struct scratch *s = bpf_map_lookup_elem(&brine_scratch, &zero);

	if (!s)
		return 0;
	flow_of(&s->e, &f);
	had = bpf_map_lookup_elem(&brine_mute, &f);
	if (had)
		fresh = *had;
	s->from = s->until = 0;
	if (scan(captured)) {
		s->from = s->e.seq + s->head + KEEP;
		s->until = s->e.seq + s->head + s->body;
	}
	if (s->e.egress) {
		fresh.from[1] = s->from;
		fresh.until[1] = s->until;
	} else {
		fresh.from[0] = s->from;
		fresh.until[0] = s->until;
	}
	if (had || s->until)
		bpf_map_update_elem(&brine_mute, &f, &fresh, 0);
	return 0;
}

/* muted tells whether nobody wants the payload, and notes which part of it is not; a new connection begins wanted. */
static __always_inline int muted(struct scratch *s, __u8 way)
{
	struct event *e = &s->e;
	struct flow f = {};
	struct quiet *had;
	__u32 all = 0;

	s->from = s->until = 0;
	if (e->proto != IPPROTO_TCP)
		return 0;
	flow_of(e, &f);
	if (e->flags & TCP_SYN) {
		bpf_map_delete_elem(&brine_mute, &f);
		return 0;
	}
	had = bpf_map_lookup_elem(&brine_mute, &f);
	if (had) {
		s->from = had->from[way];
		s->until = had->until[way];
		all = had->all;
	}
	asm volatile("" : "+r"(all)); /* else the compiler joins it with the pointer, which the verifier forbids */
	return all;
}

static __always_inline int see(struct __sk_buff *skb, __u8 egress)
{
	__u32 zero = 0, at, end, left, copied = 0;
	int first = 0;
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
	s->e.length = left;
	s->e.captured = 0;
	if (!left || muted(s, egress)) {
		emit(s, c);
		return TC_ACT_UNSPEC;
	}
	if (s->e.proto == IPPROTO_TCP && left >= 16 && !bpf_skb_load_bytes(skb, at, h, 4) && begins(h)) {
		/* A message that fills its packet, or a head alone: its body may be large. */
		first = left >= HEAD || (!bpf_skb_load_bytes(skb, at + left - 4, h, 4) && load32(h) == 0x0d0a0d0a);
		s->from = s->until = 0;
	}
	for (i = 0; i < CHUNKS && left; i++) {
		__u32 want = left, cap = copied < copy_limit ? copy_limit - copied : 0;

		if (s->e.seq - s->from < s->until - s->from && left <= s->until - s->e.seq) {
			piece(skb, at, left, 0);
			break;
		}
		if (want > CHUNK)
			want = CHUNK;
		if (cap > want)
			cap = want;
		cap = piece(skb, at, want, cap);
		if (first)
			large(cap);
		first = 0;
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
