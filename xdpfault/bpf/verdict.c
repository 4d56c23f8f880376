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
#include "parse.h"
#include "judge.h"

#define JUDGED 0x4272696e /* "Brin" */

/* What XDP hands to tc, before the packet's first byte. */
struct judged {
	__u32 magic;
	__u32 verdict;
	__u32 set;
	__u32 mask;
};

#define ETH_HLEN 14

/* deliver rewrites the destination and lets the packet appear on its eth0. */
static __always_inline int deliver(struct __sk_buff *skb, struct packet *p)
{
	__u32 dst = p->dst;
	struct port *to = bpf_map_lookup_elem(&brine_ports, &dst);

	if (!to || !to->ifindex) {
		count_odd(ODD_NO_ROUTE);
		return TC_ACT_SHOT;
	}
	if (p->bits & PKT_PROBE) {
		/*
		 * Sent out of the host-side end instead: on its way it becomes a
		 * packet for another host, which a packet socket at eth0 sees and
		 * no IP stack answers (redirect_peer calls all packets its own).
		 */
		return bpf_redirect(to->ifindex, 0);
	}
	if (bpf_skb_store_bytes(skb, 0, to->mac, sizeof(to->mac), 0))
		return TC_ACT_SHOT;
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
	return bpf_redirect_peer(to->ifindex, 0);
}

static __always_inline __u64 size_of(struct __sk_buff *skb)
{
	__u32 packets = skb->gso_segs ? skb->gso_segs : 1;

	return (__u64)packets << 32 | (skb->len & 0xfffff);
}

/* parse_skb parses, after making the headers linear where they are not. */
static __always_inline int parse_skb(struct __sk_buff *skb, struct packet *p)
{
	int got = parse((void *)(long)skb->data, (void *)(long)skb->data_end, p);
	__u32 src = p->src, want;

	if (got != PARSE_SHORT)
		return got;
	want = skb->len < 192 ? skb->len : 192;
	if (bpf_skb_pull_data(skb, want))
		return PARSE_DROP;
	__builtin_memset(p, 0, sizeof(*p));
	p->src = src;
	got = parse((void *)(long)skb->data, (void *)(long)skb->data_end, p);
	if (got == PARSE_SHORT)
		count_odd(ODD_MALFORMED);
	return got;
}

SEC("tc")
int brine_tc(struct __sk_buff *skb)
{
	struct packet p = {};
	struct judged j = {};
	__u64 size;
	void *meta, *data;
	struct judged *m;

	if (!port_of(skb->ifindex, &p.src)) {
		count_odd(ODD_NO_PORT);
		return TC_ACT_SHOT;
	}
	meta = (void *)(long)skb->data_meta;
	data = (void *)(long)skb->data;
	m = meta;
	if ((void *)(m + 1) <= data && m->magic == JUDGED)
		j = *m;
	if (parse_skb(skb, &p) != PARSED)
		return TC_ACT_SHOT;
	if (!j.magic) {
		size = size_of(skb);
		if (p.frag)
			join_fragment(&p);
		if (!(p.route & EXEMPT))
			j.verdict = verdict(p.src, p.dst, p.bits, size, &j.set, &j.mask);
		account(&p, size, j.verdict & (V_DROP | V_DIVERT), j.verdict & V_DUPLICATE);
		if (j.verdict & V_DROP)
			return TC_ACT_SHOT;
	}
	return deliver(skb, &p);
}

SEC("xdp")
int brine_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet p = {};
	struct judged j = { .magic = JUDGED };
	struct judged *m;
	__u64 size;

	if (!port_of(ctx->ingress_ifindex, &p.src)) {
		count_odd(ODD_NO_PORT);
		return XDP_DROP;
	}
	if (parse(data, end, &p) != PARSED)
		return XDP_DROP;
	if (p.frag)
		join_fragment(&p);
	size = 1ULL << 32 | ((end - data) & 0xfffff);
	if (!(p.route & EXEMPT))
		j.verdict = verdict(p.src, p.dst, p.bits, size, &j.set, &j.mask);
	account(&p, size, j.verdict & (V_DROP | V_DIVERT), j.verdict & V_DUPLICATE);
	if (j.verdict & V_DROP)
		return XDP_DROP;
	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(j)))
		return XDP_DROP;
	data = (void *)(long)ctx->data;
	m = (void *)(long)ctx->data_meta;
	if ((void *)(m + 1) > data)
		return XDP_DROP;
	*m = j;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
