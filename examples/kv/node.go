package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	followEvery = 20 * time.Millisecond
	peerTimeout = 500 * time.Millisecond
)

// node is one member.
type node struct {
	name    string
	log     *writes
	out     io.Writer
	members map[string]string // name → IP
	held    held

	mu     sync.Mutex
	leader string
	term   int // grows when who leads changes
	eaten  [][]byte
}

// status is what /status answers.
type status struct {
	Name     string `json:"name"`
	Leader   string `json:"leader"`
	Leads    bool   `json:"leads"`
	Term     int    `json:"term"`
	Position int    `json:"position"`
}

func (n *node) status() status {
	n.mu.Lock()
	defer n.mu.Unlock()
	return status{n.name, n.leader, n.leader == n.name, n.term, n.log.position()}
}

// lead takes over who leads, unless a later term is known.
func (n *node) lead(who string, term int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if term > n.term {
		n.leader, n.term = who, term
		n.say("%s leads in term %d", who, term)
	}
}

func (n *node) say(format string, args ...any) {
	fmt.Fprintf(n.out, "kv %s: %s\n", n.name, fmt.Sprintf(format, args...))
}

func (n *node) url(who, path string) string {
	return "http://" + n.members[who] + ":8080" + path
}

// follow copies the leader's log, and asks everyone for a later term, until ctx ends.
func (n *node) follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := n.status(); !now.Leads {
			n.copyFrom(ctx, now)
		}
	}
}

func (n *node) copyFrom(ctx context.Context, now status) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	answer, err := send(ctx, http.MethodGet, n.url(now.Leader, fmt.Sprintf("/log?from=%d", now.Position)), "")
	if err != nil {
		return // tried again at the next tick
	}
	var more struct {
		Leader  string
		Term    int
		Entries []entry
	}
	if json.Unmarshal([]byte(answer), &more) != nil {
		return
	}
	n.lead(more.Leader, more.Term)
	if more.Leader != now.Leader || len(more.Entries) == 0 {
		return
	}
	if err := n.log.append(now.Position, more.Entries...); err != nil {
		n.say("cannot copy: %v", err)
	}
}

// move makes another node lead and tells everyone who can be reached.
func (n *node) move(ctx context.Context, who string) error {
	if _, ok := n.members[who]; !ok {
		return &refusal{http.StatusNotFound, "no such member: " + who}
	}
	term := n.status().Term + 1
	n.lead(who, term)
	var tell sync.WaitGroup
	for peer := range n.members {
		if peer == n.name {
			continue
		}
		tell.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, peerTimeout)
			defer cancel()
			_, err := send(ctx, http.MethodPost, n.url(peer, fmt.Sprintf("/leads/%s?term=%d", who, term)), "")
			if err != nil {
				n.say("cannot tell %s: %v", peer, err)
			}
		})
	}
	tell.Wait()
	return nil
}
