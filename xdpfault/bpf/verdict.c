// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * One verdict, two hooks. brine_tc sits at the clsact ingress of every
 * host-side veth (a node's egress), decides, and hands the packet to the
 * destination's eth0. brine_xdp decides in its place where the engine puts it
 * at native XDP; what it decided travels to tc in the packet's metadata.
 */
#include "kernel.h"
#include "rules.h"
#include "maps.h"
#include "route.h"
#include "judge.h"

#define JUDGED 0x4272696e /* "Brin" */

/* What XDP hands to tc, before the packet's first byte. */
struct judged {
	__u32 magic;
	__u32 pad;
	__u64 decided;
};

/* deliver rewrites the destination and lets the packet appear on its eth0. */
static __always_inline int deliver(struct __sk_buff *skb, __u32 dst, __u64 bits, __u32 copies)
{
	struct port *to = bpf_map_lookup_elem(&brine_ports, &dst);

	if (!to || !to->ifindex) {
		count_odd(ODD_NO_ROUTE);
		return TC_ACT_SHOT;
	}
	/*
	 * A probe is sent out of the host-side end instead: on its way it
	 * becomes a packet for another host, which a packet socket at eth0 sees
	 * and no IP stack answers (redirect_peer calls all packets its own).
	 */
	if (bits & PKT_PROBE)
		return bpf_redirect(to->ifindex, 0);
	if (bpf_skb_store_bytes(skb, 0, to->mac, sizeof(to->mac), 0))
		return TC_ACT_SHOT;
	if (copies)
		bpf_clone_redirect(skb, to->ifindex, 0);
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(to->ifindex, 0);
}

/* divert hands the packet to the delay line. */
static __always_inline int divert(struct __sk_buff *skb, __u32 link, __u64 decided)
{
	__u32 zero = 0, set = DECIDED_SET(decided), tap;
	struct handover h = {
		.src = link >> 16, .dst = (__u16)link,
		.set = set, .mask = DECIDED_MASK(decided), .random = DECIDED_RANDOM(decided),
		.stamp = bpf_ktime_get_ns() >> 10,
	};
	struct control *c = bpf_map_lookup_elem(&brine_control, &zero);
	struct ruleset *rules = bpf_map_lookup_elem(&brine_sets, &set);

	if (!c || !c->tap || !rules)
		return TC_ACT_SHOT;
	tap = c->tap;
	h.tag = rules->tag;
	if (bpf_skb_store_bytes(skb, 0, &h, sizeof(h), 0))
		return TC_ACT_SHOT;
	if (decided & V_DUPLICATE)
		bpf_clone_redirect(skb, tap, 0);
	return bpf_redirect(tap, 0);
}

/*
 * corrupt flips one bit of the payload and mends the checksum, so that only
 * the application can tell. Packets without payload and later fragments have
 * nothing to flip. A checksum that is left to offload is right by itself.
 */
static __noinline void corrupt(struct __sk_buff *skb, __u32 l4, __u32 proto, __u32 random)
{
	__u32 head = 8, field = 2, at, flags = 2;
	__u8 byte, flipped;
	__u64 from, to;

	if (!l4 || l4 > 0x7ff)
		return;
	if (proto == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, l4 + 12, &byte, 1))
			return;
		head = (byte >> 4) * 4;
		field = 16;
	} else if (proto == IPPROTO_UDP) {
		field = 6;
		flags |= BPF_F_MARK_MANGLED_0;
	} else if (proto != IPPROTO_ICMP && proto != IPPROTO_ICMPV6) {
		return;
	}
	if (skb->len <= l4 + head)
		return;
	at = head + (random >> 3) % (skb->len - l4 - head);
	if (at > 0xffff || bpf_skb_load_bytes(skb, l4 + at, &byte, 1))
		return;
	flipped = byte ^ 1 << (random & 7);
	if (bpf_skb_store_bytes(skb, l4 + at, &flipped, 1, 0))
		return;
	from = at & 1 ? (__u64)byte << 8 : byte;
	to = at & 1 ? (__u64)flipped << 8 : flipped;
	bpf_l4_csum_replace(skb, l4 + field, from, to, flags);
}

/*
 * must_cut tells whether a packet has to be cut into packets of the wire
 * before its verdict, or to follow one that had to. Datagrams and acknowledgements
 * of flows that send no segments go their way without that. Whether it comes
 * from the cutter is asked here and not in the program, which would be verified
 * once for each answer.
 */
__noinline int must_cut(__u32 set, __u32 link, __u64 pkt, __u32 gso_size, __u32 was_cut)
{
	struct cut_key key = {
		.src = link >> 16, .dst = (__u16)link,
		.sport = PKT_SPORT(pkt), .dport = PKT_DPORT(pkt), .proto = PKT_PROTO(pkt),
	};
	struct ruleset *rules = bpf_map_lookup_elem(&brine_sets, &set);
	__u8 one = 1;

	if (was_cut || !rules || !rules->cut || pkt & PKT_PROBE)
		return 0;
	if (bpf_map_lookup_elem(&brine_cut, &key))
		return 1;
	if (!gso_size)
		return 0;
	bpf_map_update_elem(&brine_cut, &key, &one, BPF_ANY);
	return 1;
}

/*
 * cut has the packet sent through a device that takes no segments, so that
 * the kernel cuts it. What comes out at the far end gets its verdict there.
 */
static __always_inline int cut(struct __sk_buff *skb, __u32 src)
{
	__u32 zero = 0;
	struct control *c = bpf_map_lookup_elem(&brine_control, &zero);

	if (!c || !c->cutter)
		return TC_ACT_SHOT;
	skb->mark = src + 1;
	return bpf_redirect(c->cutter, 0);
}

/* Headers of up to so many bytes are read: Ethernet, IPv6, options, TCP. */
#define HEADERS 192

/*
 * come_again has a packet whose headers are not linear come in once more, when they
 * are; 0 if they are already. IP stacks send linear headers, and the payload
 * of TCP is not: to pull that beforehand cost a segment more than all else here.
 */
static __noinline int come_again(struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data;

	if (linear < HEADERS && linear < skb->len && !bpf_skb_pull_data(skb, skb->len < HEADERS ? skb->len : HEADERS))
		return bpf_redirect(skb->ifindex, BPF_F_INGRESS);
	count_odd(ODD_MALFORMED);
	return TC_ACT_SHOT;
}

SEC("tc")
int brine_tc(struct __sk_buff *skb)
{
	__u32 src = port_of(skb->ifindex);
	struct packet p = {};
	struct judged *m;
	__u64 decided, size;
	__u32 way, link, set = 0;
	int judged, cutter, got;

	if (!src) {
		count_odd(ODD_NO_PORT);
		return TC_ACT_SHOT;
	}
	src--;
	cutter = src == CUTTER;
	if (cutter) {
		if (!skb->mark)
			return TC_ACT_SHOT;
		src = (__u16)(skb->mark - 1);
	}
	got = parse((void *)(long)skb->data, (void *)(long)skb->data_end, &p);
	if (got == PARSE_SHORT)
		return come_again(skb);
	if (got != PARSED)
		return TC_ACT_SHOT;
	if (cutter)
		skb->mark = 0;
	way = route(src, &p);
	if (way == ROUTE_NONE)
		return TC_ACT_SHOT;
	link = src << 16 | ROUTE_PORT(way);
	m = (void *)(long)skb->data_meta;
	judged = (void *)(m + 1) <= (void *)(long)skb->data && m->magic == JUDGED;
	if (judged) {
		decided = m->decided;
	} else {
		if (p.more | p.offset)
			p.bits = join_fragment(link, p.frag_id, p.bits);
		if (!(way & ROUTE_EXEMPT))
			set = cell_of(src, ROUTE_PORT(way));
		if (set && must_cut(set, link, p.bits, skb->gso_size, cutter))
			return cut(skb, src);
		size = (__u64)(skb->gso_segs ? skb->gso_segs : 1) << 32 | skb->len;
		decided = decide(set, link, p.bits, size);
	}
	if (decided & V_DROP) {
		tell_lost(skb, link, p.bits, DECIDED_SLOT(decided), skb->len);
		return TC_ACT_SHOT;
	}
	if (decided & V_CORRUPT)
		corrupt(skb, p.l4, p.proto, DECIDED_RANDOM(decided));
	if (decided & V_DIVERT)
		return divert(skb, link, decided);
	return deliver(skb, ROUTE_PORT(way), p.bits, decided & V_DUPLICATE);
}

/*
 * segments counts the wire packets of a packet from the delay line: what comes
 * back from there has its segment size, but no count of segments.
 */
static __always_inline __u32 segments(struct __sk_buff *skb, struct packet *p)
{
	__u32 head = p->l4 + 8, size = skb->gso_size;
	__u8 doff = 0;

	if (!size || !p->l4)
		return 1;
	if (p->proto == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, p->l4 + 12, &doff, 1))
			return 1;
		head = p->l4 + (doff >> 4) * 4;
	}
	return skb->len > head ? (skb->len - head + size - 1) / size : 1;
}

/* brine_line sits at the ingress of the delay line's device. */
SEC("tc")
int brine_line(struct __sk_buff *skb)
{
	struct packet p = {};
	struct handover h;
	__u32 link, cut;
	int got;

	if (bpf_skb_load_bytes(skb, 0, &h, sizeof(h)))
		return TC_ACT_SHOT;
	got = parse((void *)(long)skb->data, (void *)(long)skb->data_end, &p);
	if (got == PARSE_SHORT)
		return come_again(skb);
	if (got != PARSED)
		return TC_ACT_SHOT;
	link = (__u32)h.src << 16 | h.dst;
	if (p.more | p.offset)
		p.bits = join_fragment(link, p.frag_id, p.bits);
	cut = released(link, p.bits, (__u64)segments(skb, &p) << 32 | skb->len);
	if (cut) {
		tell_lost(skb, link, p.bits, cut - 1, skb->len);
		return TC_ACT_SHOT;
	}
	return deliver(skb, h.dst, 0, 0);
}

SEC("xdp")
int brine_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 src = port_of(ctx->ingress_ifindex), way, set;
	struct packet p = {};
	__u64 decided, size = 1ULL << 32 | (__u32)(end - data);
	struct judged *m;
	int got;

	if (!src) {
		count_odd(ODD_NO_PORT);
		return XDP_DROP;
	}
	src--;
	got = parse(data, end, &p);
	if (got == PARSE_SHORT)
		count_odd(ODD_MALFORMED);
	if (got != PARSED)
		return XDP_DROP;
	way = route(src, &p);
	if (way == ROUTE_NONE)
		return XDP_DROP;
	if (p.more | p.offset)
		p.bits = join_fragment(src << 16 | ROUTE_PORT(way), p.frag_id, p.bits);
	set = way & ROUTE_EXEMPT ? 0 : cell_of(src, ROUTE_PORT(way));
	decided = decide(set, src << 16 | ROUTE_PORT(way), p.bits, size);
	if (decided & V_DROP) {
		tell_lost(ctx, src << 16 | ROUTE_PORT(way), p.bits, DECIDED_SLOT(decided), (__u32)size);
		return XDP_DROP;
	}
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*m)))
		return XDP_DROP;
	m = (void *)(long)ctx->data_meta;
	if ((void *)(m + 1) > (void *)(long)ctx->data)
		return XDP_DROP;
	m->magic = JUDGED;
	m->pad = 0;
	m->decided = decided;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
