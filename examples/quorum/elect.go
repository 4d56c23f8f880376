package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// voteCall asks for a vote; Asked tells that someone wants this change of leader.
type voteCall struct {
	Term   int    `json:"term"`
	Who    string `json:"who"`
	Length int    `json:"length"`
	Last   int    `json:"last"`
	Asked  bool   `json:"asked"`
	Pre    bool   `json:"pre"` // would you? Nothing is promised
}

type voteAnswer struct {
	Term    int  `json:"term"`
	Granted bool `json:"granted"`
}

// watch begins an election whenever the leader was silent for too long, until ctx ends.
func (n *node) watch(ctx context.Context) {
	for {
		patience := electAfter + time.Duration(rand.Int64N(int64(electAfter)))
		t := time.NewTimer(patience)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		n.mu.Lock()
		silent := !n.leads() && time.Since(n.heard) > patience
		if silent && n.leader != "" {
			n.leader = ""
			n.tell()
		}
		n.mu.Unlock()
		if silent {
			n.campaign(ctx, false)
		}
	}
}

// campaign asks for everyone's vote and leads when a majority grants it. First it asks whether they would: a node that
// cannot win must not drive the terms up, for that would depose who can.
func (n *node) campaign(ctx context.Context, asked bool) bool {
	n.mu.Lock()
	would := voteCall{Term: n.log.ballot.Term + 1, Who: n.name, Length: len(n.log.entries), Last: n.log.last(), Asked: asked, Pre: true}
	n.mu.Unlock()
	votes, highest := n.poll(ctx, would)
	n.mu.Lock()
	if highest > n.log.ballot.Term {
		n.keep(n.follow(highest, ""))
	}
	if votes < n.majority() {
		n.mu.Unlock()
		return false
	}
	term := n.log.ballot.Term + 1
	n.keep(n.log.vote(ballot{Term: term, Voted: n.name}))
	n.leader, n.heard = "", time.Now()
	n.tell()
	call := voteCall{Term: term, Who: n.name, Length: len(n.log.entries), Last: n.log.last(), Asked: asked}
	n.mu.Unlock()
	votes, highest = n.poll(ctx, call)

	n.mu.Lock()
	defer n.mu.Unlock()
	if highest > n.log.ballot.Term {
		n.keep(n.follow(highest, ""))
	}
	if votes < n.majority() || n.log.ballot.Term != term || n.leader != "" {
		return false
	}
	n.keep(n.log.vote(ballot{Term: term, Voted: n.name, Leads: true}))
	n.keep(n.log.add(entry{Term: term}))
	n.lead()
	n.push()
	return true
}

// poll asks everyone and counts the votes, its own with them, until they are enough or all have answered.
func (n *node) poll(ctx context.Context, call voteCall) (votes, highest int) {
	answers := make(chan voteAnswer, len(n.members))
	for peer := range n.members {
		if peer == n.name {
			continue
		}
		go func() {
			var a voteAnswer
			if n.ask(ctx, peer, "/vote", call, &a) != nil {
				a = voteAnswer{}
			}
			answers <- a
		}()
	}
	votes = 1
	for range len(n.members) - 1 {
		if votes >= n.majority() && n.mistake != split {
			break
		}
		a := <-answers
		highest = max(highest, a.Term)
		if a.Granted {
			votes++
		}
	}
	return votes, highest
}

// voted answers who asks for a vote. Unless someone wants the change, a node that hears its leader grants none.
func (n *node) voted(c voteCall) voteAnswer {
	n.mu.Lock()
	defer n.mu.Unlock()
	content := n.leads() || n.leader != "" && time.Since(n.heard) < electAfter
	if c.Term < n.log.ballot.Term || content && !c.Asked {
		return voteAnswer{Term: n.log.ballot.Term}
	}
	upToDate := c.Last > n.log.last() || c.Last == n.log.last() && c.Length >= len(n.log.entries)
	if c.Pre {
		return voteAnswer{Term: n.log.ballot.Term, Granted: upToDate && c.Term > n.log.ballot.Term}
	}
	n.keep(n.follow(c.Term, ""))
	b := n.log.ballot
	if !upToDate || b.Voted != "" && b.Voted != c.Who {
		return voteAnswer{Term: b.Term}
	}
	n.keep(n.log.vote(ballot{Term: c.Term, Voted: c.Who}))
	n.heard = time.Now()
	return voteAnswer{Term: c.Term, Granted: true}
}
