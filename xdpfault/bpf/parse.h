/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From a frame to what rules look at: protocol, L4 ports, addresses. */
#ifndef BRINE_PARSE_H
#define BRINE_PARSE_H

#include "maps.h"

enum parsed { PARSED, PARSE_SHORT, PARSE_DROP };

struct packet {
	__u64 bits; /* PKT_* */
	__u64 daddr[2], saddr[2]; /* IPv4 in the first word */
	__u32 frag_id;
	__u16 more;   /* a first fragment */
	__u16 offset; /* not 0: a later fragment */
	__u16 l4;     /* offset of the L4 header; 0: none here */
	__u8 family;  /* 4 or 6 */
	__u8 proto;
};

static __always_inline int equal6(const volatile __u8 *a, const __u8 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) | (a[5] ^ b[5]));
}

static __always_inline int parse_ip4(void *data, void *end, struct packet *p, __u32 *off)
{
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__u16 frag;

	if ((void *)(ip + 1) > end)
		return PARSE_SHORT;
	*off += (ip->ihl_version & 0xf) * 4;
	p->family = 4;
	p->proto = ip->protocol;
	p->daddr[0] = ip->daddr;
	p->saddr[0] = ip->saddr;
	frag = ntohs(ip->frag_off);
	p->more = frag & 0x2000;
	p->offset = frag & 0x1fff;
	p->frag_id = ip->id;
	return PARSED;
}

static __always_inline int parse_ip6(void *data, void *end, struct packet *p, __u32 *off)
{
	struct ipv6hdr *ip = data + sizeof(struct ethhdr);
	__u8 next;

	if ((void *)(ip + 1) > end)
		return PARSE_SHORT;
	p->family = 6;
	__builtin_memcpy(p->daddr, ip->daddr, 16);
	__builtin_memcpy(p->saddr, ip->saddr, 16);
	next = ip->nexthdr;
	*off += sizeof(*ip);
#pragma unroll
	for (int i = 0; i < 3; i++) {
		__u8 *h = data + (*off & 0x7ff);
		__u16 fo;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT)
			break;
		if ((void *)(h + 8) > end)
			return PARSE_SHORT;
		if (next == IPPROTO_FRAGMENT) {
			fo = (__u16)h[2] << 8 | h[3];
			p->more = fo & 1;
			p->offset = fo & 0xfff8;
			p->frag_id = (__u32)h[4] << 24 | (__u32)h[5] << 16 | (__u32)h[6] << 8 | h[7];
			*off += 8;
			next = h[0];
			break;
		}
		*off += 8 + h[1] * 8;
		next = h[0];
	}
	p->proto = next;
	return PARSED;
}

static __always_inline int parse_l4(void *data, void *end, struct packet *p, __u32 off)
{
	__u8 *at = data + (off & 0x7ff);
	struct l4hdr *h = (void *)at;

	if (p->offset)
		return PARSED;
	p->l4 = off;
	if (p->proto == IPPROTO_TCP) {
		if ((void *)(at + 14) > end)
			return PARSE_SHORT;
		/* SYN and ACK are bits 1 and 4 of the flags */
		p->bits |= (__u64)(at[13] >> 1 & 1) << 41 | (__u64)(at[13] >> 4 & 1) << 42;
	} else if (p->proto != IPPROTO_UDP) {
		return PARSED;
	}
	if ((void *)(h + 1) > end)
		return PARSE_SHORT;
	p->bits |= PKT_PORTS | ntohs(h->dest) | (__u64)ntohs(h->source) << 16;
	return PARSED;
}

/* parse reads a frame's headers as far as they are linear. */
static __always_inline int parse(void *data, void *end, struct packet *p)
{
	__u32 off = sizeof(struct ethhdr);
	struct ethhdr *eth = data;
	int got;

	if ((void *)(eth + 1) > end)
		return PARSE_SHORT;
	if (equal6(probe_mac, eth->src))
		p->bits |= PKT_PROBE;
	if (eth->proto == htons(ETH_P_IP)) {
		got = parse_ip4(data, end, p, &off);
	} else if (eth->proto == htons(ETH_P_IPV6)) {
		got = parse_ip6(data, end, p, &off);
	} else {
		count_odd(ODD_NOT_IP);
		return PARSE_DROP;
	}
	if (got == PARSED)
		got = parse_l4(data, end, p, off);
	p->bits |= (__u64)(p->proto == IPPROTO_ICMPV6 ? IPPROTO_ICMP : p->proto) << 32;
	return got;
}

#endif
