/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The verdict: from a link and a packet to what all rules on it want. */
#ifndef BRINE_JUDGE_H
#define BRINE_JUDGE_H

#include "maps.h"

/* splitmix64's finalizer (Steele, Lea, Flood 2014): random number n of a key. */
static __always_inline __u64 mix64(__u64 z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static __always_inline __u64 draw(__u64 seed, __u32 link, __u64 position)
{
	return mix64(mix64(seed ^ ((__u64)link << 20)) + (position + 1) * 0x9e3779b97f4a7c15ULL);
}

/*
 * opened_since notes connections that open while the rule is on and tells
 * whether this packet is of one. Both directions of a connection are one.
 */
static __always_inline int opened_since(__u32 rule, __u32 link, __u64 pkt)
{
	__u16 src = link >> 16, dst = (__u16)link;
	struct flow_key key = { .rule = rule };
	__u8 one = 1;

	if (src < dst || (src == dst && PKT_SPORT(pkt) < PKT_DPORT(pkt))) {
		key.low = src, key.high = dst;
		key.low_port = PKT_SPORT(pkt), key.high_port = PKT_DPORT(pkt);
	} else {
		key.low = dst, key.high = src;
		key.low_port = PKT_DPORT(pkt), key.high_port = PKT_SPORT(pkt);
	}
	if (pkt & PKT_SYN) {
		bpf_map_update_elem(&brine_flows, &key, &one, BPF_ANY);
		return 1;
	}
	return bpf_map_lookup_elem(&brine_flows, &key) != 0;
}

static __always_inline int matches(struct rule *r, __u32 link, __u64 pkt)
{
	if (r->proto && r->proto != PKT_PROTO(pkt))
		return 0;
	if (r->sport | r->dport) {
		if (!(pkt & PKT_PORTS))
			return 0;
		if (r->sport && r->sport != PKT_SPORT(pkt))
			return 0;
		if (r->dport && r->dport != PKT_DPORT(pkt))
			return 0;
	}
	if (r->flags & (RULE_NEW | RULE_EXISTING)) {
		if (PKT_PROTO(pkt) != IPPROTO_TCP || !(pkt & PKT_PORTS))
			return 0;
		if (r->flags & RULE_NEW)
			return (pkt & (PKT_SYN | PKT_ACK)) == PKT_SYN;
		if (pkt & PKT_PROBE)
			return 1;
		return !opened_since(r->id, link, pkt);
	}
	return 1;
}

/*
 * strikes decides whether a rule by share falls on this packet. It gives 0,
 * or 1 and 16 random bits above it.
 */
static __always_inline __u32 strikes(struct rule *r, struct ledger *l, __u32 link)
{
	__u64 position, rnd;
	__u32 bad;

	bpf_spin_lock(&l->lock);
	position = l->position++;
	bad = l->bad;
	rnd = draw(r->seed, link, position);
	if (r->leave) {
		bad = bad ? rnd >> 32 >= r->leave : rnd >> 32 < r->share;
		l->bad = bad;
	} else {
		bad = rnd >> 32 < r->share;
	}
	bpf_spin_unlock(&l->lock);
	return bad ? 1 | (__u32)rnd << V_RANDOM_SHIFT : 0;
}

static __always_inline __u32 wants(struct rule *r, struct ledger *l, __u32 link, __u64 now)
{
	__u32 struck;

	switch (r->action) {
	case ACT_DROP:
		return V_DROP;
	case ACT_FLAP:
		return r->half && ((now - r->begin) / r->half) & 1 ? V_PASS : V_DROP;
	case ACT_DIVERT:
		return V_DIVERT;
	}
	struck = strikes(r, l, link);
	if (!struck)
		return V_PASS;
	switch (r->action) {
	case ACT_LOSS:
		return V_DROP;
	case ACT_DUPLICATE:
		return V_DUPLICATE;
	case ACT_REORDER:
		return V_DIVERT;
	case ACT_CORRUPT:
		struck &= ~1u;
		return r->flags & RULE_UNDETECTED ? V_CORRUPT | struck : V_DIVERT | struck;
	}
	return V_PASS;
}

/*
 * judge lets one rule decide on one packet. Scalars only and its own
 * function: it is verified once, on kernels from 5.10, instead of once for
 * each rule that can meet on a link.
 */
__noinline __u32 judge(__u32 slot, __u32 link, __u64 pkt, __u64 size, __u64 now)
{
	struct rule *r = bpf_map_lookup_elem(&brine_rules, &slot);
	__u32 packets = size >> 32, bytes = (__u32)size, v;
	struct ledger_key key = {};
	struct ledger *l;

	if (!r || !matches(r, link, pkt))
		return V_PASS;
	key.rule = r->id;
	key.src = link >> 16;
	key.dst = (__u16)link;
	l = bpf_map_lookup_elem(&brine_ledger, &key);
	if (!l) {
		struct ledger zero = { .first = now };

		bpf_map_update_elem(&brine_ledger, &key, &zero, BPF_NOEXIST);
		l = bpf_map_lookup_elem(&brine_ledger, &key);
	}
	if (!l) { /* full: a harm must not fail open */
		count_odd(ODD_NO_LEDGER);
		return r->action == ACT_DROP ? V_DROP : V_PASS;
	}
	if (pkt & PKT_PROBE) {
		v = r->action == ACT_DROP ? V_DROP : V_PASS;
		__sync_fetch_and_add(&l->probes, 1);
		if (v)
			__sync_fetch_and_add(&l->probes_hit, 1);
		return v;
	}
	v = wants(r, l, link, now);
	if (!l->packets)
		l->first = now;
	l->last = now;
	__sync_fetch_and_add(&l->packets, packets);
	__sync_fetch_and_add(&l->bytes, bytes);
	if (v) {
		__sync_fetch_and_add(&l->hit_packets, packets);
		__sync_fetch_and_add(&l->hit_bytes, bytes);
	}
	return v;
}

/*
 * cell_of reads a link's rule set in the generation that is on. The writer
 * fills the plane of the next generation, which was left three flips ago; if
 * the generation moved that far while we looked (this CPU was taken away in
 * between), the cell may be half-written, and we look again. The index of the
 * second look depends on the cell, so that no CPU reorders them.
 */
#define CELL_STALE 0xffffffffu

__noinline __u32 cell_of(__u32 src, __u32 dst)
{
	__u32 n = stride;

	for (int i = 0; i < 4; i++) {
		__u32 zero = 0, at, set, before, after;
		struct control *c;
		__u64 *word;

		c = bpf_map_lookup_elem(&brine_control, &zero);
		if (!c)
			break;
		before = READ_ONCE(c->generation);
		at = (before % PLANES) * n * n + src * n + dst;
		zero = at >> 2;
		word = bpf_map_lookup_elem(&brine_matrix, &zero);
		if (!word)
			break;
		set = (READ_ONCE(*word) >> (at & 3) * 16) & 0xffff;
		zero = set >> 16;
		asm volatile("" : "+r"(zero));
		c = bpf_map_lookup_elem(&brine_control, &zero);
		if (!c)
			break;
		after = READ_ONCE(c->generation);
		if (after - before < PLANES - 1)
			return set;
	}
	count_odd(ODD_STALE);
	return CELL_STALE;
}

/*
 * What decide returns: verdict bits, random bits, and who sends the packet to
 * the delay line; of a dropped packet, the slot of the rule that did it.
 */
#define DECIDED(v, set, mask) ((__u64)(v) | (__u64)(set) << 32 | (__u64)(mask) << 48)

#define DECIDED_RANDOM(d) ((__u16)((d) >> V_RANDOM_SHIFT))
#define DECIDED_SET(d) ((__u16)((d) >> 32))
#define DECIDED_MASK(d) ((__u16)((d) >> 48))
#define DECIDED_SLOT(d) ((__u16)((d) >> 48))
#define NO_SLOT 0xffff

/* all_rules joins what all rules of the link want. */
static __always_inline __u64 all_rules(__u32 set, __u32 link, __u64 pkt, __u64 size)
{
	__u32 v = V_PASS, mask = 0, slot = NO_SLOT, one, at;
	struct ruleset *rules;
	__u64 now;

	if (!set)
		return V_PASS;
	if (set == CELL_STALE)
		return DECIDED(V_DROP, 0, NO_SLOT);
	rules = bpf_map_lookup_elem(&brine_sets, &set);
	if (!rules)
		return DECIDED(V_DROP, 0, NO_SLOT);
	now = bpf_ktime_get_ns();
	for (int i = 0; i < SET_RULES; i++) {
		if (i >= rules->n)
			break;
		at = rules->rule[i];
		one = judge(at, link, pkt, size, now);
		/* no branches: each would double the paths to verify */
		mask |= (one / V_DIVERT & 1) << i;
		slot ^= (slot ^ at) & -(one & V_DROP);
		v |= one;
	}
	return DECIDED(v, set, v & V_DROP ? slot : mask);
}

/* account counts what a port put on the wire, and what became of it. */
static __always_inline void account(__u32 link, __u64 pkt, __u64 size, __u32 stopped, __u32 extra)
{
	struct traffic_key key = {
		.src = link >> 16, .dst = (__u16)link, .proto = PKT_PROTO(pkt), .dport = PKT_DPORT(pkt),
	};
	__u32 packets = size >> 32, bytes = (__u32)size;
	struct traffic *t = bpf_map_lookup_elem(&brine_traffic, &key);

	if (!t) {
		struct traffic zero = {};

		if (bpf_map_update_elem(&brine_traffic, &key, &zero, BPF_NOEXIST)) {
			count_odd(ODD_NO_TRAFFIC);
			key.dport = 0;
			key.proto = 0;
			bpf_map_update_elem(&brine_traffic, &key, &zero, BPF_NOEXIST);
		}
		t = bpf_map_lookup_elem(&brine_traffic, &key);
	}
	if (!t)
		return;
	/* Stopped before sent: who reads in between must not think that it arrived. */
	if (stopped) { /* what the delay line gives back is counted there */
		__sync_fetch_and_add(&t->stopped_packets, packets);
		__sync_fetch_and_add(&t->stopped_bytes, bytes);
	}
	__sync_fetch_and_add(&t->packets, packets);
	__sync_fetch_and_add(&t->bytes, bytes);
	if (extra && !stopped) {
		__sync_fetch_and_add(&t->extra_packets, packets);
		__sync_fetch_and_add(&t->extra_bytes, bytes);
	}
}

/* decide gives the verdict of a rule set on a packet of a link, and counts it. */
__noinline __u64 decide(__u32 set, __u32 link, __u64 pkt, __u64 size)
{
	__u64 d = all_rules(set, link, pkt, size);

	if (!(pkt & PKT_PROBE))
		account(link, pkt, size, d & (V_DROP | V_DIVERT), d & V_DUPLICATE);
	return d;
}

/*
 * still_cut looks again at a packet that waited in the delay line: a cut that
 * began meanwhile takes it. Other rules have had their say.
 */
__noinline __u32 still_cut(__u32 slot, __u32 link, __u64 pkt, __u64 size, __u64 now)
{
	struct rule *r = bpf_map_lookup_elem(&brine_rules, &slot);
	__u32 packets = size >> 32, bytes = (__u32)size;
	struct ledger_key key = {};
	struct ledger *l;

	if (!r || !matches(r, link, pkt))
		return 0;
	if (r->action == ACT_FLAP) {
		if (!r->half || ((now - r->begin) / r->half) & 1)
			return 0;
	} else if (r->action != ACT_DROP) {
		return 0;
	}
	key.rule = r->id;
	key.src = link >> 16;
	key.dst = (__u16)link;
	l = bpf_map_lookup_elem(&brine_ledger, &key);
	if (!l) {
		struct ledger zero = { .first = now };

		bpf_map_update_elem(&brine_ledger, &key, &zero, BPF_NOEXIST);
		l = bpf_map_lookup_elem(&brine_ledger, &key);
	}
	if (!l)
		return 1;
	if (!l->packets)
		l->first = now;
	l->last = now;
	__sync_fetch_and_add(&l->packets, packets);
	__sync_fetch_and_add(&l->bytes, bytes);
	__sync_fetch_and_add(&l->hit_packets, packets);
	__sync_fetch_and_add(&l->hit_bytes, bytes);
	return 1;
}

/*
 * released decides on a packet that comes out of the delay line: 0, or the
 * slot of the rule that takes it + 1.
 */
__noinline __u32 released(__u32 link, __u64 pkt, __u64 size)
{
	__u32 set = cell_of(link >> 16, link & 0xffff), cut = 0;
	__u32 packets = size >> 32, bytes = (__u32)size;
	struct traffic_key key = {
		.src = link >> 16, .dst = (__u16)link, .proto = PKT_PROTO(pkt), .dport = PKT_DPORT(pkt),
	};
	struct ruleset *rules;
	struct traffic *t;

	if (set == CELL_STALE)
		return NO_SLOT + 1;
	rules = bpf_map_lookup_elem(&brine_sets, &set);
	if (set && rules) {
		__u64 now = bpf_ktime_get_ns();

		for (int i = 0; i < SET_RULES; i++) {
			if (i >= rules->n)
				break;
			if (still_cut(rules->rule[i], link, pkt, size, now))
				cut = rules->rule[i] + 1;
		}
	}
	if (cut)
		return cut;
	t = bpf_map_lookup_elem(&brine_traffic, &key);
	if (t) {
		__sync_fetch_and_add(&t->extra_packets, packets);
		__sync_fetch_and_add(&t->extra_bytes, bytes);
	}
	return 0;
}

/*
 * tell_lost tells of a packet that a rule dropped, if someone watches one of
 * its ports. The link carries the packet, so it is done in the program's own
 * context: ctx is an skb or an XDP buffer.
 */
static __always_inline void tell_lost(void *ctx, __u32 link, __u64 pkt, __u32 slot, __u32 length)
{
	__u32 src = link >> 16, dst = (__u16)link;
	struct port *from = bpf_map_lookup_elem(&brine_ports, &src);
	struct port *to = bpf_map_lookup_elem(&brine_ports, &dst);
	struct lost event = { .length = length, .src = src, .dst = dst };
	struct rule *r;

	if (!from || !to || !(from->watched | to->watched) || pkt & PKT_PROBE)
		return;
	r = bpf_map_lookup_elem(&brine_rules, &slot);
	if (r)
		event.rule = r->id;
	event.at = bpf_ktime_get_ns();
	if (length > LOST_BYTES)
		length = LOST_BYTES;
	bpf_perf_event_output(ctx, &brine_lost, 0xffffffffULL | (__u64)length << 32, &event, sizeof(event));
}

#endif
