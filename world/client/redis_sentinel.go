package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"brine.test/brine/world/catalogue"
)

// sentinel is the built-in client of Redis under Sentinel:
//
//	             ┌─ who is the primary? ─► the sentinel of its node
//	sentinel ────┤◄──── +switch-master ───┘
//	             ├─ reads, writes ───────► the server that it named, until it names another
//	             └─ stale reads ─────────► the server of its node
//
// Each keeps to the sentinel of its own node: what a client believes whose sentinel is cut off is part of what is tested.
type sentinel struct {
	*redis        // of the primary
	own    *redis // the server on the sentinel's node
	asked  string // the sentinel's address
}

// sentinelName is what the service file calls the primary that the sentinels watch.
const sentinelName = "brine"

func newSentinel(d catalogue.Data, t Target) (*sentinel, error) {
	port, err := t.Port("client")
	if err != nil {
		return nil, fmt.Errorf("%s: the redis-sentinel client: %w", t.Name, err)
	}
	redisPort, err := t.Port("redis")
	if err != nil {
		return nil, fmt.Errorf("%s: the redis-sentinel client: %w", t.Name, err)
	}
	s := &sentinel{redis: redisAt(d, t, redisPort), own: redisAt(d, t, redisPort), asked: net.JoinHostPort(t.IP, strconv.Itoa(port))}
	s.find, s.watch = s.primary, s.watchPrimary
	s.members = nil
	for _, n := range d.Members {
		s.members = append(s.members, net.JoinHostPort(n.IP, strconv.Itoa(port)))
	}
	return s, nil
}

// Invoke makes one attempt.
func (s *sentinel) Invoke(ctx context.Context, op Op) Result {
	if op.Kind == StaleRead {
		return s.own.Invoke(ctx, op)
	}
	return s.redis.Invoke(ctx, op)
}

// Close drops the connections.
func (s *sentinel) Close() error { return errors.Join(s.redis.Close(), s.own.Close()) }

// question asks one sentinel something, on a connection of its own.
func (s *sentinel) question(ctx context.Context, address string, ask func(context.Context, *goredis.SentinelClient) error) error {
	raw, err := race(ctx, s.target.dial(), "tcp", address)
	if err != nil {
		return err
	}
	defer raw.Close() //nolint:errcheck // it has nothing to report
	c := goredis.NewSentinelClient(redisOptions(raw, address))
	defer c.Close() //nolint:errcheck // it has nothing to report
	return ask(ctx, c)
}

// primary asks the node's sentinel where the primary is.
func (s *sentinel) primary(ctx context.Context) (string, error) {
	var address string
	err := s.question(ctx, s.asked, func(ctx context.Context, c *goredis.SentinelClient) error {
		parts, err := c.GetMasterAddrByName(ctx, sentinelName).Result()
		switch {
		case errors.Is(err, goredis.Nil):
			return fmt.Errorf("the sentinel watches no primary of the name %s", sentinelName)
		case err == nil && len(parts) == 2:
			address = net.JoinHostPort(parts[0], parts[1])
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("the sentinel at %s: %w", s.asked, err)
	}
	return address, nil
}

// watchPrimary closes the session when the sentinel announces another primary. A sentinel that is gone announces nothing,
// and the session goes on.
func (s *sentinel) watchPrimary(ctx context.Context, session *redisSession) {
	raw, err := race(ctx, s.target.dial(), "tcp", s.asked)
	if err != nil {
		return
	}
	defer raw.Close() //nolint:errcheck // it has nothing to report
	over := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer over()
	c := goredis.NewSentinelClient(redisOptions(raw, s.asked))
	defer c.Close() //nolint:errcheck // it has nothing to report
	heard := c.Subscribe(ctx, "+switch-master")
	defer heard.Close() //nolint:errcheck // it has nothing to report
	if _, err := heard.Receive(ctx); err != nil {
		return
	}
	// It may have changed between the question and the subscription.
	if now, err := s.primary(ctx); err == nil && now != session.address() {
		_ = session.conn.Close()
		return
	}
	for {
		m, err := heard.ReceiveMessage(ctx)
		if err != nil {
			return
		}
		if words := strings.Fields(m.Payload); len(words) == 5 && words[0] == sentinelName && net.JoinHostPort(words[3], words[4]) != session.address() {
			_ = session.conn.Close()
			return
		}
	}
}

func (s *redisSession) address() string { return s.client.Options().Addr }

// sentinelView is what a sentinel knows of the primary.
type sentinelView struct {
	ip    string
	epoch uint64 // of the configuration: it grows with each failover
}

func askSentinel(ctx context.Context, c *goredis.SentinelClient) (sentinelView, error) {
	said, err := c.Master(ctx, sentinelName).Result()
	if err != nil {
		return sentinelView{}, err
	}
	epoch, err := strconv.ParseUint(said["config-epoch"], 10, 64)
	if err != nil {
		return sentinelView{}, fmt.Errorf("its configuration's epoch is %q: %w", said["config-epoch"], err)
	}
	return sentinelView{ip: said["ip"], epoch: epoch}, nil
}

// Leader tells whom the node's sentinel takes for the primary, by the epoch of its configuration. A node leads when its
// own sentinel names it and its server is one.
func (s *sentinel) Leader(ctx context.Context) (Claim, error) {
	start := time.Now()
	var view sentinelView
	err := s.question(ctx, s.asked, func(ctx context.Context, c *goredis.SentinelClient) (err error) {
		view, err = askSentinel(ctx, c)
		return err
	})
	if err != nil {
		return Claim{}, fmt.Errorf("%s: who leads: %w", s.target.Name, s.said(ctx, start, err))
	}
	claim := Claim{Leader: view.ip, Term: view.epoch}
	if name := s.names[view.ip]; name != "" {
		claim.Leader = name
	}
	if claim.Leader == s.target.Name {
		own, err := s.own.Leader(ctx)
		claim.Self = err == nil && own.Self
	}
	return claim, nil
}

// said words an error of a question for a person.
func (s *sentinel) said(ctx context.Context, start time.Time, err error) error {
	if ctx.Err() != nil {
		return noAnswer(ctx, start).Err
	}
	return closedByServer(err)
}
