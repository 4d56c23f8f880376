package xdpfault

import (
	"errors"
	"fmt"
)

const (
	// Services is the index of the port where the DNS server and the relay
	// are. As one end of a rule's link it means the outside world behind the
	// relay: the services' own addresses are never harmed.
	Services = 1
	// All as one end of a rule's link stands for every port but the other end,
	// those attached later included.
	All = -1
)

// Link is one direction between two ports, by index.
type Link struct{ From, To int }

func (l Link) String() string { return fmt.Sprintf("%d→%d", l.From, l.To) }

// Proto is the protocol a rule looks for.
type Proto uint8

// Protocols; ICMP stands for ICMPv6 too.
const (
	Any  Proto = 0
	ICMP Proto = 1
	TCP  Proto = 6
	UDP  Proto = 17
)

func (p Proto) String() string {
	switch p {
	case Any:
		return "any"
	case ICMP:
		return "ICMP"
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	}
	return fmt.Sprintf("protocol %d", uint8(p))
}

// Match narrows a rule to some packets of its links. The zero value is all.
type Match struct {
	Proto            Proto
	SrcPort, DstPort uint16 // 0: any
	NewConns         bool   // only TCP SYNs that open a connection
	Existing         bool   // only TCP connections opened before the rule
}

// Rule is one harm on some links.
type Rule struct {
	Links  []Link
	Except []Link // of those that All stands for: left alone, as links that were released
	Match  Match
	Action Action
}

// Action is what happens to the packets that match; one of this package's.
type Action interface {
	// encode fills in the action's part of the kernel's rule.
	encode(*verdictRule) error
}

// kinds of action, as in bpf/rules.h.
const (
	actDrop = iota + 1
	actLoss
	actCorrupt
	actDuplicate
	actDivert
	actFlap
	actReorder
)

// flags of a rule, as in bpf/rules.h.
const (
	ruleNew = 1 << iota
	ruleExisting
	ruleUndetected
)

func (r *Rule) encode() (verdictRule, error) {
	var k verdictRule
	if r.Action == nil {
		return k, errors.New("rule: no action")
	}
	if len(r.Links) == 0 {
		return k, errors.New("rule: no links")
	}
	m := r.Match
	switch {
	case m.NewConns && m.Existing:
		return k, errors.New("rule: both new and existing connections only")
	case (m.NewConns || m.Existing) && m.Proto != Any && m.Proto != TCP:
		return k, fmt.Errorf("rule: %s has no connections", m.Proto)
	case (m.SrcPort != 0 || m.DstPort != 0) && m.Proto == ICMP:
		return k, fmt.Errorf("rule: %s has no ports", m.Proto)
	}
	k.Proto, k.Sport, k.Dport = uint8(m.Proto), m.SrcPort, m.DstPort
	if m.NewConns {
		k.Flags |= ruleNew
	}
	if m.Existing {
		k.Flags |= ruleExisting
	}
	return k, r.Action.encode(&k)
}

// drops tells whether the action stops every packet it matches.
func drops(a Action) bool { _, ok := a.(Drop); return ok }
