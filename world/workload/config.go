package workload

import (
	"context"
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

// Router says whom a client asks. It is used by all clients at once.
type Router interface {
	// Next gives whom a client, counted from 1, asks now; last is how its last operation ended.
	Next(ctx context.Context, number int, rng *rand.Rand, last client.Result) (Peer, error)
	// Final gives whom the final reads ask.
	Final(ctx context.Context) (Peer, error)
}

// Config says what a workload does.
type Config struct {
	Work    history.Work
	Run     int    // its place among the scenario's workloads, from 1
	Prefix  string // of its keys
	Clients int    // at least 1
	Keys    int    // registers or accounts; others have one key, or their own
	CAS     bool   // registers are compared and set too
	Total   int    // of the accounts
	Seed    uint64
	Timeout time.Duration // of one operation

	// Rate is an open loop's: operations per second of all clients together, sent when they are due however late the
	// answers are, as far as clients are free. 0 is a closed loop: a client's next operation begins Pause after the last
	// one began, or when that is over.
	Rate  float64
	Pause time.Duration // 0 is DefaultPause

	Router Router
	Now    func() int64 // CLOCK_MONOTONIC, ns
	Record func(history.Operation)
}

// DefaultPause is between the begins of two operations of one client in a closed loop. It leaves the machine to the
// system under test: five clients make up to 500 operations per second.
const DefaultPause = 10 * time.Millisecond

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
	case c.Work == history.Accounts && c.Keys < 2:
		return fmt.Errorf("%d accounts: at least two are needed", c.Keys)
	case c.Work == history.Accounts && c.Total < c.Keys:
		return fmt.Errorf("a total of %d in %d accounts: at least 1 in each is needed", c.Total, c.Keys)
	case c.Rate < 0:
		return fmt.Errorf("%g operations per second: more than none are needed", c.Rate)
	}
	return nil
}
