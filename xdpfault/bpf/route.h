/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From interfaces and addresses to ports. Functions of scalars that are not
 * inlined are verified once, whatever state they are called in: that keeps
 * loading fast.
 */
#ifndef BRINE_ROUTE_H
#define BRINE_ROUTE_H

#include "parse.h"

#define ROUTE_NONE 0xffffffffu /* nowhere to go */
#define ROUTE_EXEMPT (1u << 16) /* to or from the services' own address: never harmed */
#define ROUTE_PORT(r) ((r) & 0xffff)

/* port_of gives the port + 1 that an interface index stands for. */
static __always_inline __u32 port_of(__u32 ifindex)
{
	__u32 slot = ifindex & (IFINDEX_SLOTS - 1);
	__u64 *v = bpf_map_lookup_elem(&brine_ifindex, &slot);

	return v && (__u32)(*v >> 32) == ifindex ? (__u32)*v : 0;
}

/* settle ends a look-up: a known port, or the fallback for unicast. */
static __always_inline __u32 settle(__u32 src, const __u32 *dst, const void *from, int unicast)
{
	__u32 zero = 0, exempt = src == SERVICES && from ? ROUTE_EXEMPT : 0;
	struct control *c;

	if (dst)
		return *dst == src ? ROUTE_NONE : *dst | exempt | (*dst == SERVICES ? ROUTE_EXEMPT : 0);
	c = bpf_map_lookup_elem(&brine_control, &zero);
	if (!unicast || !c || !c->fallback || c->fallback - 1 == src)
		return ROUTE_NONE;
	return (c->fallback - 1) | exempt;
}

__noinline __u32 route4(__u32 src, __u32 daddr, __u32 saddr)
{
	__u32 *dst = bpf_map_lookup_elem(&brine_addr4, &daddr), *from = 0;

	if (src == SERVICES)
		from = bpf_map_lookup_elem(&brine_addr4, &saddr);
	/* 224.0.0.0/4 and above is multicast, reserved, broadcast */
	return settle(src, dst, from, (daddr & 0xff) < 224);
}

__noinline __u32 route6(__u32 src, __u64 d0, __u64 d1, __u64 s0, __u64 s1)
{
	struct addr6 addr = { .word = { d0, d1 } };
	__u32 *dst = bpf_map_lookup_elem(&brine_addr6, &addr), *from = 0;

	if (src == SERVICES) {
		addr.word[0] = s0;
		addr.word[1] = s1;
		from = bpf_map_lookup_elem(&brine_addr6, &addr);
	}
	/* ff00::/8 is multicast, fe80::/10 does not leave its link */
	return settle(src, dst, from, (d0 & 0xff) != 0xff && (d0 & 0xc0ff) != 0x80fe);
}

static __always_inline __u32 route(__u32 src, struct packet *p)
{
	__u32 r;

	if (p->family == 4)
		r = route4(src, p->daddr[0], p->saddr[0]);
	else
		r = route6(src, p->daddr[0], p->daddr[1], p->saddr[0], p->saddr[1]);
	if (r == ROUTE_NONE)
		count_odd(ODD_NO_ROUTE);
	return r;
}

/*
 * A later fragment carries no ports. It gets those of its first fragment, so
 * that a rule for a port takes all of a packet or nothing; one that comes
 * before its first fragment matches rules without ports only.
 */
__noinline __u64 join_fragment(__u32 link, __u32 id, __u64 bits)
{
	struct frag_key key = {
		.src = link >> 16, .dst = (__u16)link, .id = id, .proto = PKT_PROTO(bits),
	};
	__u32 *ports, value;

	if (bits & PKT_PORTS) {
		value = (__u32)bits;
		bpf_map_update_elem(&brine_frags, &key, &value, BPF_ANY);
		return bits;
	}
	ports = bpf_map_lookup_elem(&brine_frags, &key);
	return ports ? bits | PKT_PORTS | *ports : bits;
}

#endif
