package client

import (
	"context"

	"brine.test/brine/world/catalogue"
)

// Claim is what one node says about who leads.
type Claim struct {
	Self   bool   // the node itself claims to lead
	Leader string // whom it names: a node's name where that can be told, else what it said; "" for nobody
	Term   uint64 // in which term; 0 where there are no terms
}

// Leaderer asks the client's node who leads.
type Leaderer interface {
	Leader(ctx context.Context) (Claim, error)
}

// LeaderMover asks the client's node, which leads, to hand over to target, and returns when the service says it has.
// Whether target leads is target's to say.
type LeaderMover interface {
	MoveLeader(ctx context.Context, target Target) error
}

// Positioner tells how far the client's node is with applying what was replicated; a number that only grows, to be
// compared between nodes.
type Positioner interface {
	Position(ctx context.Context) (uint64, error)
}

// Healther asks whether the client's node serves.
type Healther interface {
	Health(ctx context.Context) error
}

// Membership changes who belongs to the service's cluster, asked of the client's node, which stays. Both keep trying
// while the service says that it cannot now, until ctx ends.
type Membership interface {
	// AddMember announces target, before its service is started.
	AddMember(ctx context.Context, target Target) error
	// RemoveMember takes target out. A target that is no member is an error.
	RemoveMember(ctx context.Context, target Target) error
}

// Preparer makes what operations need, once, in a cluster that has just become ready; asked of any node.
type Preparer interface {
	Prepare(ctx context.Context) error
}

// Can tells whether a service's client has an operation. A nil client has none.
func Can(c *catalogue.Client, op catalogue.Operation) bool {
	switch {
	case c == nil:
		return false
	case c.Builtin != "":
		return true
	}
	return c.Actions[op] != nil
}

// CanLead tells whether the service has a notion of a leader.
func CanLead(c *catalogue.Client) bool { return Can(c, catalogue.OpLeader) }
