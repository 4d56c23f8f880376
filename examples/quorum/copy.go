package main

import (
	"context"
	"os"
	"time"
)

// appendCall is what a leader sends: entries after the Before-th, which is of BeforeTerm.
type appendCall struct {
	Term       int     `json:"term"`
	Leader     string  `json:"leader"`
	Before     int     `json:"before"`
	BeforeTerm int     `json:"before_term"`
	Entries    []entry `json:"entries"`
	Commit     int     `json:"commit"`
}

// appendAnswer says how many entries the peer shares with the leader, or may.
type appendAnswer struct {
	Term int  `json:"term"`
	OK   bool `json:"ok"`
	Has  int  `json:"has"`
}

// mostEntries bounds one call.
const mostEntries = 500

// feed copies the log to one peer as long as the node leads, and asks it to confirm that it follows, until ctx ends.
func (n *node) feed(ctx context.Context, peer string) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.poke[peer]:
		}
		for n.feedOnce(ctx, peer) && ctx.Err() == nil {
		}
	}
}

// feedOnce makes one call and tells whether there is more to send.
func (n *node) feedOnce(ctx context.Context, peer string) (more bool) {
	n.mu.Lock()
	if !n.leads() {
		n.mu.Unlock()
		return false
	}
	before := n.next[peer] - 1
	end := min(len(n.log.entries), before+mostEntries)
	call := appendCall{
		Term: n.log.ballot.Term, Leader: n.name, Before: before, BeforeTerm: n.log.term(before),
		Entries: append([]entry{}, n.log.entries[before:end]...), Commit: n.commit,
	}
	round := n.round
	n.mu.Unlock()

	var answer appendAnswer
	err := n.ask(ctx, peer, "/append", call, &answer)

	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil || !n.leads() || n.log.ballot.Term != call.Term {
		return false
	}
	if answer.Term > call.Term {
		n.keep(n.follow(answer.Term, ""))
		return false
	}
	if !answer.OK {
		was := n.next[peer]
		n.next[peer] = max(1, min(answer.Has+1, was-1))
		return n.next[peer] < was
	}
	n.has[peer] = max(n.has[peer], answer.Has)
	n.next[peer] = n.has[peer] + 1
	n.heardOf[peer] = max(n.heardOf[peer], round)
	n.count()
	n.tell()
	return n.next[peer] <= len(n.log.entries) || n.round > round
}

// keep ends the process when the disk fails: a node that cannot keep its word must not go on.
func (n *node) keep(err error) {
	if err != nil {
		n.say("the disk fails: %v", err)
		os.Exit(1)
	}
}

// appended takes what a leader sent.
func (n *node) appended(c appendCall) appendAnswer {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.Term < n.log.ballot.Term {
		return appendAnswer{Term: n.log.ballot.Term}
	}
	if c.Term == n.log.ballot.Term && n.leads() && c.Leader > n.name {
		return appendAnswer{Term: n.log.ballot.Term} // two leaders in one term, only by mistake: the first name stays
	}
	n.keep(n.follow(c.Term, c.Leader))
	n.heard = time.Now()
	if c.Before > len(n.log.entries) || n.log.term(c.Before) != c.BeforeTerm {
		return appendAnswer{Term: c.Term, Has: min(len(n.log.entries), c.Before-1)}
	}
	at := c.Before
	for len(c.Entries) > 0 && at < len(n.log.entries) && n.log.term(at+1) == c.Entries[0].Term {
		c.Entries = c.Entries[1:]
		at++
	}
	if len(c.Entries) > 0 {
		if at < len(n.log.entries) {
			n.keep(n.log.cut(at))
		}
		n.keep(n.log.add(c.Entries...))
		at = len(n.log.entries)
	}
	n.commit = max(n.commit, min(c.Commit, at))
	n.tell()
	return appendAnswer{Term: c.Term, OK: true, Has: at}
}
