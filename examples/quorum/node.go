package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// How nodes keep in touch. Elections begin after one to two times electAfter without a word of the leader.
const (
	beat       = 50 * time.Millisecond
	peerTime   = 300 * time.Millisecond
	electAfter = 400 * time.Millisecond
	decideTime = 900 * time.Millisecond // for an entry or a read to be confirmed by a majority
)

// node is one member.
type node struct {
	name    string
	members map[string]string // name → address
	mistake mistake
	out     io.Writer
	log     *store

	mu      sync.Mutex
	leader  string // whom it follows; itself when it leads; "" when it knows none
	commit  int    // entries that a majority has
	heard   time.Time
	next    map[string]int   // of a leader: the first entry that a peer lacks, counted from 1
	has     map[string]int   // … how many entries it has for sure
	round   int64            // … of confirmations that reads ask for
	heardOf map[string]int64 // … the last round in which a peer followed
	changed chan struct{}    // closed when any of this changed
	poke    map[string]chan struct{}
}

func newNode(name string, members map[string]string, first string, m mistake, log *store, out io.Writer) (*node, error) {
	n := &node{
		name: name, members: members, mistake: m, log: log, out: out, heard: time.Now(), changed: make(chan struct{}),
		next: map[string]int{}, has: map[string]int{}, heardOf: map[string]int64{}, poke: map[string]chan struct{}{},
	}
	for peer := range members {
		n.poke[peer] = make(chan struct{}, 1)
	}
	if log.ballot.Term == 0 { // all begin with one leader, as if it had been elected
		if err := log.vote(ballot{Term: 1, Voted: first, Leads: first == name}); err != nil {
			return nil, err
		}
		n.leader = first
	}
	if log.ballot.Leads {
		n.lead()
	}
	return n, nil
}

func (n *node) say(format string, args ...any) {
	fmt.Fprintf(n.out, "quorum %s: %s\n", n.name, fmt.Sprintf(format, args...))
}

func (n *node) majority() int {
	if n.mistake == split {
		return 1
	}
	return len(n.members)/2 + 1
}

func (n *node) leads() bool { return n.leader == n.name }

// tell wakes who waits for a change; n.mu is held.
func (n *node) tell() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// push wakes those who copy to peers.
func (n *node) push() {
	for _, p := range n.poke {
		select {
		case p <- struct{}{}:
		default:
		}
	}
}

// follow takes over a later term; n.mu is held.
func (n *node) follow(term int, leader string) error {
	if term > n.log.ballot.Term {
		if err := n.log.vote(ballot{Term: term}); err != nil {
			return err
		}
		n.leader = ""
		n.tell()
	}
	if leader != "" && n.leader != leader {
		n.leader = leader
		n.say("%s leads in term %d", leader, term)
		n.tell()
	}
	return nil
}

// lead begins to lead; n.mu is held, or nobody else knows the node yet.
func (n *node) lead() {
	n.leader = n.name
	for peer := range n.members {
		n.next[peer], n.has[peer], n.heardOf[peer] = len(n.log.entries)+1, 0, 0
	}
	n.say("%s leads in term %d", n.name, n.log.ballot.Term)
	n.tell()
}

// count advances what is committed: what a majority has, up to an entry of this term; n.mu is held.
func (n *node) count() {
	has := []int{len(n.log.entries)}
	for peer, many := range n.has {
		if peer != n.name {
			has = append(has, many)
		}
	}
	slices.Sort(has)
	if at := has[len(has)-n.majority()]; at > n.commit && n.log.term(at) == n.log.ballot.Term {
		n.commit = at
	}
}

// confirmed tells whether a majority followed in a round; n.mu is held.
func (n *node) confirmed(round int64) bool {
	many := 1
	for peer, last := range n.heardOf {
		if peer != n.name && last >= round {
			many++
		}
	}
	return many >= n.majority()
}

var (
	errNotLeading = errors.New("it does not lead")
	errInDoubt    = errors.New("no majority confirmed it in time")
)

// until waits, in the term in which it began to lead, until holds does; n.mu is held by the caller and while holds runs.
func (n *node) until(ctx context.Context, term int, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, decideTime)
	defer cancel()
	for {
		if !n.leads() || n.log.ballot.Term != term {
			return fmt.Errorf("%w any more: %w", errNotLeading, errInDoubt)
		}
		if holds() {
			return nil
		}
		changed := n.changed
		n.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		n.mu.Lock()
		if ctx.Err() != nil {
			return errInDoubt
		}
	}
}

// settled waits until all that the log holds now is committed and a majority still follows; n.mu is held.
func (n *node) settled(ctx context.Context) error {
	n.round++
	round, all, term := n.round, len(n.log.entries), n.log.ballot.Term
	n.push()
	return n.until(ctx, term, func() bool {
		n.count()
		return n.commit >= all && n.confirmed(round)
	})
}
