/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From a frame to what rules look at: ports of the engine, protocol, L4 ports. */
#ifndef BRINE_PARSE_H
#define BRINE_PARSE_H

#include "maps.h"

#define FALLBACK 1 /* the destination is outside: sent to the fallback port */
#define EXEMPT 2   /* to or from the services' own address: never harmed */

enum { FRAG_NONE, FRAG_FIRST, FRAG_LATER };

enum parsed { PARSED, PARSE_SHORT, PARSE_DROP };

struct packet {
	__u32 src, dst; /* ports of the engine */
	__u32 route;    /* FALLBACK, EXEMPT */
	__u64 bits;     /* PKT_* */
	__u32 frag_id;
	__u16 frag;
	__u16 l4; /* offset of the L4 header; 0: there is none here */
};

static __always_inline int equal6(const volatile __u8 *a, const __u8 *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3] && a[4] == b[4] && a[5] == b[5];
}

/* port_of gives the port that an interface index stands for. */
static __always_inline int port_of(__u32 ifindex, __u32 *port)
{
	__u32 slot = ifindex & (IFINDEX_SLOTS - 1);
	__u64 *v = bpf_map_lookup_elem(&brine_ifindex, &slot);

	if (!v || (__u32)(*v >> 32) != ifindex || !(__u32)*v)
		return 0;
	*port = (__u32)*v - 1;
	return 1;
}

/* routed sets the destination, falling back to the outside where unicast. */
static __always_inline int routed(struct packet *p, const __u32 *dst, const __u32 *from, int unicast)
{
	__u32 zero = 0;
	struct control *c;

	if (p->src == SERVICES && from)
		p->route |= EXEMPT;
	if (dst) {
		p->dst = *dst;
		if (p->dst == SERVICES)
			p->route |= EXEMPT;
		return p->dst != p->src;
	}
	if (!unicast)
		return 0;
	c = bpf_map_lookup_elem(&brine_control, &zero);
	if (!c || !c->fallback)
		return 0;
	p->dst = c->fallback - 1;
	p->route |= FALLBACK;
	return p->dst != p->src;
}

static __always_inline int parse_l4(void *data, void *end, __u32 off, __u8 proto, struct packet *p)
{
	__u8 *at = data + off;
	struct l4hdr *h;

	p->bits |= (__u64)(proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : proto) << 32;
	if (p->frag == FRAG_LATER)
		return PARSED;
	p->l4 = off;
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return PARSED;
	if ((void *)(at + 14) > end) {
		if (proto == IPPROTO_TCP || (void *)(at + 4) > end)
			return PARSE_SHORT;
	}
	h = (void *)at;
	p->bits |= PKT_PORTS | ntohs(h->dest) | (__u64)ntohs(h->source) << 16;
	if (proto == IPPROTO_TCP && (void *)(at + 14) <= end) {
		if (at[13] & 0x02)
			p->bits |= PKT_SYN;
		if (at[13] & 0x10)
			p->bits |= PKT_ACK;
	}
	return PARSED;
}

static __always_inline int parse_ip4(void *data, void *end, struct packet *p)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u32 *dst, *from = 0;
	__be32 addr;
	__u32 ihl;
	__u16 off;

	if ((void *)(ip + 1) > end)
		return PARSE_SHORT;
	ihl = (ip->ihl_version & 0xf) * 4;
	if (ip->ihl_version >> 4 != 4 || ihl < sizeof(*ip)) {
		count_odd(ODD_MALFORMED);
		return PARSE_DROP;
	}
	addr = ip->daddr;
	dst = bpf_map_lookup_elem(&brine_addr4, &addr);
	if (p->src == SERVICES) {
		__be32 saddr = ip->saddr;

		from = bpf_map_lookup_elem(&brine_addr4, &saddr);
	}
	/* 224.0.0.0/4 and above is multicast, reserved, broadcast */
	if (!routed(p, dst, from, (addr & 0xff) < 224)) {
		count_odd(ODD_NO_ROUTE);
		return PARSE_DROP;
	}
	off = ntohs(ip->frag_off);
	if (off & 0x1fff)
		p->frag = FRAG_LATER;
	else if (off & 0x2000)
		p->frag = FRAG_FIRST;
	p->frag_id = ip->id;
	return parse_l4(data, end, sizeof(struct ethhdr) + ihl, ip->protocol, p);
}

static __always_inline int parse_ip6(void *data, void *end, struct packet *p)
{
	struct ipv6hdr *ip = data + sizeof(struct ethhdr);
	__u32 off = sizeof(struct ethhdr) + sizeof(*ip);
	__u32 *dst, *from = 0;
	struct addr6 addr;
	__u8 next;

	if ((void *)(ip + 1) > end)
		return PARSE_SHORT;
	__builtin_memcpy(&addr, ip->daddr, 16);
	dst = bpf_map_lookup_elem(&brine_addr6, &addr);
	if (p->src == SERVICES) {
		struct addr6 saddr;

		__builtin_memcpy(&saddr, ip->saddr, 16);
		from = bpf_map_lookup_elem(&brine_addr6, &saddr);
	}
	/* ff00::/8 is multicast, fe80::/10 does not leave its link */
	if (!routed(p, dst, from, ip->daddr[0] != 0xff && !(ip->daddr[0] == 0xfe && (ip->daddr[1] & 0xc0) == 0x80))) {
		count_odd(ODD_NO_ROUTE);
		return PARSE_DROP;
	}
	next = ip->nexthdr;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u8 *h = data + off;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
			break;
		if ((void *)(h + 8) > end)
			return PARSE_SHORT;
		if (next == IPPROTO_FRAGMENT) {
			__u16 fo = (__u16)h[2] << 8 | h[3];

			if (fo & 0xfff8)
				p->frag = FRAG_LATER;
			else if (fo & 1)
				p->frag = FRAG_FIRST;
			p->frag_id = (__u32)h[4] << 24 | (__u32)h[5] << 16 | (__u32)h[6] << 8 | h[7];
			off += 8;
		} else {
			off += 8 + h[1] * 8;
		}
		next = h[0];
		if (off > 512) /* keeps the verifier's bounds small */
			break;
		if (p->frag == FRAG_LATER)
			break;
	}
	return parse_l4(data, end, off & 0x3ff, next, p);
}

static __always_inline int parse(void *data, void *end, struct packet *p)
{
	struct ethhdr *eth = data;

	if ((void *)(eth + 1) > end)
		return PARSE_SHORT;
	if (equal6(probe_mac, eth->src))
		p->bits |= PKT_PROBE;
	if (eth->proto == htons(ETH_P_IP))
		return parse_ip4(data, end, p);
	if (eth->proto == htons(ETH_P_IPV6))
		return parse_ip6(data, end, p);
	count_odd(ODD_NOT_IP);
	return PARSE_DROP;
}

/*
 * A later fragment carries no ports. It gets those of its first fragment, so
 * that a rule for a port takes all of a packet or nothing; one that comes
 * before its first fragment matches rules without ports only.
 */
static __always_inline void join_fragment(struct packet *p)
{
	struct frag_key key = {
		.src = p->src, .dst = p->dst, .id = p->frag_id, .proto = PKT_PROTO(p->bits),
	};
	__u32 *ports, value;

	if (p->frag == FRAG_FIRST && p->bits & PKT_PORTS) {
		value = (__u32)p->bits;
		bpf_map_update_elem(&brine_frags, &key, &value, BPF_ANY);
	} else if (p->frag == FRAG_LATER) {
		ports = bpf_map_lookup_elem(&brine_frags, &key);
		if (ports)
			p->bits |= PKT_PORTS | *ports;
	}
}

#endif
