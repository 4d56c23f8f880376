package world

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/workload"
)

// WorkRoute is whom the clients of a workload ask.
type WorkRoute int

const (
	// ToOwn is one node each: client i asks node ((i−1) mod N)+1.
	ToOwn WorkRoute = iota
	// ToLeader is the leader, asked for anew when it did not serve.
	ToLeader
	// ToAny is a random node for each operation.
	ToAny
)

// workRoute finds the node that a client asks, and keeps one connection for each client and node.
type workRoute struct {
	w        *World
	services []*Service
	to       WorkRoute

	mu     sync.Mutex
	conns  map[connKey]client.Client
	leader *Service
	asked  time.Time // when the nodes were last asked who leads
	closed bool
}

type connKey struct {
	number int
	on     *Service
}

var _ workload.Router = (*workRoute)(nil)

// leaderEvery is the least time between two questions who leads.
const leaderEvery = 100 * time.Millisecond

func newWorkRoute(w *World, services []*Service, to WorkRoute) *workRoute {
	return &workRoute{w: w, services: services, to: to, conns: map[connKey]client.Client{}}
}

// workServices are the services that clients work on: the one named, or the only one with a client, on every node that
// runs it.
func (w *World) workServices(name string) ([]*Service, error) {
	found := map[string][]*Service{}
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			if s.def.Client != nil && (name == "" || s.Name == name) {
				found[s.Name] = append(found[s.Name], s)
			}
		}
	}
	var firsts []*Service
	for _, all := range found {
		firsts = append(firsts, all[0])
	}
	var names []string
	for _, s := range meant(firsts) {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	switch len(names) {
	case 1:
		return found[names[0]], nil
	case 0:
		if len(w.allNodes()) == 0 {
			return nil, errors.New("there is no cluster yet for clients to work on\nhint: begin with \"Given a 3-node cluster running etcd\"")
		}
		return nil, errors.New("no service here can be read or written\nhint: give a service file a client")
	default:
		return nil, fmt.Errorf("clients can work on %s: which one?\nhint: say `… on %s`", listWords(names), names[0])
	}
}

// Next gives whom a client asks.
func (r *workRoute) Next(ctx context.Context, who workload.Who, rng *rand.Rand, last client.Result) (workload.Peer, error) {
	switch r.to {
	case ToAny:
		return r.peer(who.Number, r.services[rng.IntN(len(r.services))])
	case ToLeader:
		served := last.Outcome == client.OK || errors.Is(last.Err, client.ErrConflict)
		s, err := r.findLeader(ctx, !served)
		if err != nil {
			return workload.Peer{}, err
		}
		return r.peer(who.Number, s)
	}
	return r.peer(who.Number, r.services[(who.Place-1)%len(r.services)])
}

// Leave drops a client's connections.
func (r *workRoute) Leave(who workload.Who) {
	r.mu.Lock()
	var left []client.Client
	for key, c := range r.conns {
		if key.number == who.Number {
			left = append(left, c)
			delete(r.conns, key)
		}
	}
	r.mu.Unlock()
	for _, c := range left {
		_ = c.Close() // nobody waits for anything on it
	}
}

// Final gives the leader where there is one, waiting for it until ctx ends; else the first node that runs.
func (r *workRoute) Final(ctx context.Context) (workload.Peer, error) {
	if !client.CanLead(r.services[0].def.Client) {
		for _, s := range r.services {
			if s.isUp() && !r.w.isPaused(s.node) {
				return r.peer(0, s)
			}
		}
		return workload.Peer{}, errors.New("no node runs")
	}
	for {
		s, err := r.findLeader(ctx, true)
		if err == nil {
			return r.peer(0, s)
		}
		if !waitTick(ctx, leaderEvery) {
			return workload.Peer{}, err
		}
	}
}

// peer is a client's way to a service.
func (r *workRoute) peer(number int, s *Service) (workload.Peer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return workload.Peer{}, errors.New("the workload is over")
	}
	key := connKey{number, s}
	c := r.conns[key]
	if c == nil {
		opened, err := client.Open(s.inst, s.target(s.node.cluster.w.net.Clients().DialContext))
		if err != nil {
			return workload.Peer{}, err
		}
		c = opened
		r.conns[key] = c
	}
	return workload.Peer{Node: s.node.Name, Client: c}, nil
}

// findLeader asks the nodes who leads, unless it is known. It leaves alone what sentences know as the last leader.
func (r *workRoute) findLeader(ctx context.Context, anew bool) (*Service, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leader != nil && (!anew || time.Since(r.asked) < leaderEvery) {
		return r.leader, nil
	}
	name := r.services[0].Name
	if !client.CanLead(r.services[0].def.Client) {
		return nil, fmt.Errorf("the leader of %s: this service has no notion of a leader", name)
	}
	if time.Since(r.asked) < leaderEvery {
		return nil, fmt.Errorf("the leader of %s: there was none just now", name)
	}
	claims := r.w.claims(ctx, electorate{r.services[0].node.cluster, name})
	r.asked, r.leader = time.Now(), nil
	n, ok := electedOf(claims, len(r.services))
	if !ok {
		return nil, fmt.Errorf("the leader of %s: there is none that can be told: %s", name, listClaims(claims))
	}
	for _, s := range r.services {
		if s.node == n {
			r.leader = s
		}
	}
	if r.leader == nil {
		return nil, fmt.Errorf("the leader of %s: %s came after the clients began", name, n.Name)
	}
	return r.leader, nil
}

// close drops all connections.
func (r *workRoute) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	var errs []error
	for _, c := range r.conns {
		errs = append(errs, c.Close())
	}
	r.conns = map[connKey]client.Client{}
	return errors.Join(errs...)
}
