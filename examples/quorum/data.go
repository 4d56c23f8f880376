package main

import (
	"context"
	"net/http"
	"time"
)

// change is one key's share of an operation: what must be there, unless Blind, and what is to be.
type change struct {
	Key    string `json:"key"`
	Expect string `json:"expect"`
	Value  string `json:"value"`
	Blind  bool   `json:"-"`
}

// refusal is an answer with an error's status.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

var errConflict = &refusal{http.StatusConflict, "another value is there"}

// write makes changes, all or none, when the node leads; it gives the log's length after it.
func (n *node) write(ctx context.Context, changes []change) (int, error) {
	if n.mistake == torn && len(changes) > 1 {
		return n.tear(ctx, changes)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.leads() {
		return 0, errNotLeading
	}
	e := entry{Term: n.log.ballot.Term}
	for _, c := range changes {
		if now, ok := n.log.values[c.Key]; !c.Blind && (!ok || now != c.Expect) {
			// What is there now may not be committed, and come to nothing: the answer waits until it is.
			if err := n.settled(ctx); err != nil {
				return 0, err
			}
			return 0, errConflict
		}
		e.Writes = append(e.Writes, write{c.Key, c.Value})
	}
	if err := n.log.add(e); err != nil {
		return 0, err
	}
	at := len(n.log.entries)
	n.push()
	if n.mistake == early {
		return at, nil
	}
	return at, n.until(ctx, e.Term, func() bool {
		n.count()
		return n.commit >= at
	})
}

// tear makes changes one after the other.
func (n *node) tear(ctx context.Context, changes []change) (at int, err error) {
	n.mu.Lock()
	for _, c := range changes {
		if n.log.values[c.Key] != c.Expect {
			n.mu.Unlock()
			return 0, errConflict
		}
	}
	n.mu.Unlock()
	for _, c := range changes {
		c.Blind = true
		if at, err = n.write(ctx, []change{c}); err != nil {
			return at, err
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return at, nil
}

// read gives the values of keys at one instant: the leader's, confirmed, or with own those that the node holds itself.
func (n *node) read(ctx context.Context, keys []string, own bool) (map[string]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !own && n.mistake != stale {
		if !n.leads() {
			return nil, errNotLeading
		}
		values := n.pick(keys) // now: settled lets go of the lock
		return values, n.settled(ctx)
	}
	return n.pick(keys), nil
}

func (n *node) pick(keys []string) map[string]string {
	values := map[string]string{}
	for _, k := range keys {
		if v, ok := n.log.values[k]; ok {
			values[k] = v
		}
	}
	return values
}
