/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the engine (Go) and the programs agree on: rules, rule sets, ports,
 * ledgers. Every structure is a multiple of 8 bytes, so that an array of them
 * in a map is an array of them in memory.
 */
#ifndef BRINE_RULES_H
#define BRINE_RULES_H

#include "kernel.h"

#define PLANES 4     /* generations of the matrix kept at once */
#define SET_RULES 14 /* rules that can meet on one link */
#define SERVICES 1   /* the port of the DNS server and the relay */

/* What a packet is, in one register: dport, sport, protocol, flags. */
#define PKT_PORTS (1ULL << 40)   /* sport and dport are known */
#define PKT_SYN (1ULL << 41)     /* TCP SYN is set */
#define PKT_ACK (1ULL << 42)     /* TCP ACK is set */
#define PKT_PROBE (1ULL << 43)   /* the engine's own probe */
#define PKT_DPORT(p) ((__u16)(p))
#define PKT_SPORT(p) ((__u16)((p) >> 16))
#define PKT_PROTO(p) ((__u8)((p) >> 32))

/* What a rule does; the order is the engine's kind numbers. */
enum action {
	ACT_NONE = 0,
	ACT_DROP = 1,
	ACT_LOSS = 2,
	ACT_CORRUPT = 3, /* checksum mended, here; checksum failing, in the delay line */
	ACT_DUPLICATE = 4,
	ACT_DIVERT = 5, /* all packets to the delay line: delay, rate */
	ACT_FLAP = 6,
	ACT_REORDER = 7, /* a share of packets to the delay line */
};

/* Verdict bits, of one rule and of all rules of a link joined by or. */
enum verdict {
	V_PASS = 0,
	V_DROP = 1,
	V_CORRUPT = 2,
	V_DUPLICATE = 4,
	V_DIVERT = 8,
	V_RANDOM_SHIFT = 16, /* above: where to corrupt */
};

enum rule_flags {
	RULE_NEW = 1,        /* only TCP connections being opened: SYN without ACK */
	RULE_EXISTING = 2,   /* only TCP connections opened before the rule began */
	RULE_UNDETECTED = 4, /* corruption with the checksum mended */
};

struct rule {
	__u32 id; /* never used twice in an engine's life */
	__u8 action;
	__u8 proto; /* 0 any; ICMP stands for ICMPv6 too */
	__u16 flags;
	__u16 sport, dport; /* host order, 0 any */
	__u32 pad;
	__u64 seed;
	__u64 share;    /* of 2^32; of Gilbert-Elliott: good to bad */
	__u64 leave;    /* of 2^32: bad to good; 0: independent loss */
	__u64 begin;    /* kernel monotonic ns */
	__u64 half;     /* flapping: ns down, then as many up */
};

struct ruleset {
	__u8 n;
	__u8 cut;  /* a rule acts on single packets of the wire */
	__u16 tag; /* changes each time the set's number is used again */
	__u16 rule[SET_RULES]; /* slots in the rules map */
};

/*
 * What the delay line needs to know of a packet. It travels in place of the
 * two hardware addresses, which mean nothing inside the switch, and of the
 * frame's type, which its first byte tells.
 */
struct handover {
	__u16 src, dst; /* ports */
	__u16 set, tag;
	__u16 mask;     /* which rules of the set sent the packet */
	__u16 random;   /* where to corrupt */
	__u16 stamp;    /* when, in units of 1,024 ns: the line may be late to read it */
};

/* Stands for the far end of the cutter among the ports. */
#define CUTTER 0xffff

struct port {
	__u32 ifindex; /* host side; 0: no such port */
	__u8 mac[6];   /* of eth0 inside */
	__u16 watched; /* tell of its packets that are dropped */
	__u32 pad2;
};

/* The state and the counters of one rule on one link. */
struct ledger_key {
	__u32 rule;
	__u16 src, dst;
};

struct ledger {
	struct bpf_spin_lock lock;
	__u32 bad;      /* Gilbert-Elliott: in a burst */
	__u64 position; /* next random number of this rule on this link */
	__u64 packets, bytes;       /* matched */
	__u64 hit_packets, hit_bytes; /* dropped, corrupted, duplicated, diverted */
	__u64 first, last;          /* kernel monotonic ns */
	__u64 probes, probes_hit;
};

/* What ports put on the wire, by destination port, before any harm. */
struct traffic_key {
	__u16 src, dst;
	__u16 dport;
	__u8 proto;
	__u8 pad;
};

struct traffic {
	__u64 packets, bytes;             /* sent */
	__u64 stopped_packets, stopped_bytes; /* dropped, or taken by the delay line */
	__u64 extra_packets, extra_bytes;     /* given back by it, or duplicates */
};

/* What is told of a packet that a rule dropped; its first bytes follow. */
struct lost {
	__u64 at;   /* kernel monotonic ns */
	__u32 rule; /* id; 0: unknown */
	__u32 length;
	__u16 src, dst;
	__u32 pad;
};

/* So many of its bytes at most: a frame of an Ethernet. */
#define LOST_BYTES 1514

struct control {
	__u32 generation; /* one store here flips all links at once */
	__u32 fallback;   /* port for unknown addresses + 1; 0: drop */
	__u32 tap;        /* ifindex of the delay line; 0: none */
	__u32 cutter;     /* ifindex of the device that cuts segments; 0: none */
};

#endif
