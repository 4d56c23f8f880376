package workload

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// Peer is a node as one client of a workload reaches it.
type Peer struct {
	Node   string
	Client client.Client
}

// Who is one client among those of a workload.
type Who struct {
	Place  int // from 1 to Clients; a stand-in has that of the client that it stands in for
	Number int // its own, as the history has it: the place, or beyond Clients that of a stand-in
}

// Router says whom a client asks. It is used by all clients at once.
type Router interface {
	// Next gives whom a client asks now; last is how its last operation ended.
	Next(ctx context.Context, who Who, rng *rand.Rand, last client.Result) (Peer, error)
	// Leave tells that a client will ask nobody any more.
	Leave(who Who)
	// Final gives whom the final reads ask.
	Final(ctx context.Context) (Peer, error)
}

// Config says what a workload does.
type Config struct {
	Work    history.Work
	Run     int    // its place among the scenario's workloads, from 1
	Prefix  string // of its keys
	Clients int    // at least 1
	Keys    int    // registers, lists or accounts; others have one key, or their own
	CAS     bool   // registers are compared and set too
	Stale   bool   // reads may be answered with what the node itself holds, however old
	Total   int    // of the accounts
	Seed    uint64
	Timeout time.Duration // of one operation

	// Rate is an open loop's: operations per second of all clients together, sent when they are due however late the
	// answers are, as far as clients are free. 0 is a closed loop: a client's next operation begins Pause after the last
	// one began, or when that is over.
	Rate  float64
	Pause time.Duration // 0 is DefaultPause

	// Patience is how long an operation may keep a client from the next one. Then a stand-in takes the client's place,
	// and the client waits on for what becomes of its operation. Otherwise one lost answer would silence a client for all
	// of Timeout, and a system that lost one answer to each client would seem to be down long after it serves again.
	Patience time.Duration // 0 is DefaultPatience

	Router Router
	Now    func() int64 // CLOCK_MONOTONIC, ns
	Record func(history.Operation)
}

// DefaultPause is between the begins of two operations of one client in a closed loop. It leaves the machine to the
// system under test: five clients make up to 500 operations per second.
const DefaultPause = 10 * time.Millisecond

// DefaultPatience is as long as one attempt of a sentence that reads or writes.
const DefaultPatience = time.Second

// How long the ends of a workload may take.
const (
	setupTime = 30 * time.Second // the first values of all keys
	grace     = time.Second      // operations under way when the clients stop
	finalTime = 30 * time.Second // the final reads
)

func (c *Config) check() error {
	switch {
	case c.Clients < 1:
		return fmt.Errorf("%d clients: at least one is needed", c.Clients)
	case c.Work == history.Registers && c.Keys < 1:
		return fmt.Errorf("%d registers: at least one is needed", c.Keys)
	case c.Work == history.Lists && c.Keys < 2:
		return fmt.Errorf("%d lists: at least two are needed for transactions", c.Keys)
	case c.Work == history.Accounts && c.Keys < 2:
		return fmt.Errorf("%d accounts: at least two are needed", c.Keys)
	case c.Work == history.Accounts && c.Total < c.Keys:
		return fmt.Errorf("a total of %d in %d accounts: at least 1 in each is needed", c.Total, c.Keys)
	case c.Stale && (c.Work == history.Lock || c.Work == history.Accounts || c.Work == history.Lists):
		return errors.New("stale reads: these clients act on what they read, so that it must not be old")
	case c.Rate < 0:
		return fmt.Errorf("%g operations per second: more than none are needed", c.Rate)
	}
	return nil
}
