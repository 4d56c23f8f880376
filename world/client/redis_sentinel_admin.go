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

// Prepare waits until every sentinel sees the primary, all replicas and all other sentinels.
func (s *sentinel) Prepare(ctx context.Context) error {
	for _, address := range s.members {
		err := untilNil(ctx, func(ctx context.Context) error {
			return s.question(ctx, address, func(ctx context.Context, c *goredis.SentinelClient) error { return s.seesAll(ctx, c) })
		})
		if err != nil {
			return fmt.Errorf("the sentinel at %s: %w", address, err)
		}
	}
	return nil
}

// seesAll is an error that says whom a sentinel has not met, or takes for dead.
func (s *sentinel) seesAll(ctx context.Context, c *goredis.SentinelClient) error {
	primary, err := c.Master(ctx, sentinelName).Result()
	if err != nil {
		return err
	}
	replicas, err := c.Replicas(ctx, sentinelName).Result()
	if err != nil {
		return err
	}
	others, err := c.Sentinels(ctx, sentinelName).Result()
	if err != nil {
		return err
	}
	if len(others) < len(s.members)-1 {
		return fmt.Errorf("it knows %d other sentinels, expected %d", len(others), len(s.members)-1)
	}
	for flags, all := range map[string][]map[string]string{"master": {primary}, "slave": replicas, "sentinel": others} {
		for _, one := range all {
			if one["flags"] != flags || one["runid"] == "" {
				return fmt.Errorf("it sees %s at %s:%s as %q", flags, one["ip"], one["port"], one["flags"])
			}
		}
	}
	return nil
}

// Position is the replication offset of the node's own server.
func (s *sentinel) Position(ctx context.Context) (uint64, error) { return s.own.Position(ctx) }

// Health: the node's sentinel could agree on a failover with others, and its server is in order.
func (s *sentinel) Health(ctx context.Context) error {
	start := time.Now()
	err := s.question(ctx, s.asked, func(ctx context.Context, c *goredis.SentinelClient) error { return c.CkQuorum(ctx, sentinelName).Err() })
	if err != nil {
		return fmt.Errorf("%s: health: %w", s.target.Name, s.said(ctx, start, err))
	}
	return s.own.Health(ctx)
}

// MoveLeader has the node's sentinel fail over to target, without a write being lost: the primary refuses writes from the
// beginning, and target is given the best rank. It returns when the old primary follows target.
func (s *sentinel) MoveLeader(ctx context.Context, target Target) (err error) {
	start := time.Now()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: move the leader to %s: %w", s.target.Name, target.Name, s.said(ctx, start, err))
		}
	}()
	port, err := target.Port("redis")
	if err != nil {
		return err
	}
	to := redisAt(catalogue.Data{}, target, port)
	defer to.Close() //nolint:errcheck // it has nothing to report
	back, err := to.setting(ctx, "replica-priority", firstPriority)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, back()) }()
	open, err := s.own.setting(ctx, "min-replicas-to-write", "1000")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, open()) }()
	err = s.question(ctx, s.asked, func(ctx context.Context, c *goredis.SentinelClient) error { return s.failover(ctx, c, target) })
	if err != nil {
		return err
	}
	// The sentinels would see to that too, after ten seconds in which the old primary takes writes that are lost.
	return s.own.ask(ctx, "follow "+target.Name, func(ctx context.Context, c *goredis.Client) error {
		return c.ReplicaOf(ctx, target.IP, strconv.Itoa(port)).Err()
	})
}

// firstPriority is the rank of the replica that is promoted before all others.
const firstPriority = "1"

// setting changes a setting of the server and gives what sets it back, and keeps it so over a restart.
func (r *redis) setting(ctx context.Context, name, value string) (back func() error, err error) {
	var before string
	err = r.ask(ctx, "set "+name, func(ctx context.Context, c *goredis.Client) error {
		all, err := c.ConfigGet(ctx, name).Result()
		if err != nil {
			return err
		}
		before = all[name]
		return c.ConfigSet(ctx, name, value).Err()
	})
	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptLimit)
		defer cancel()
		err := r.ask(ctx, "set "+name+" back", func(ctx context.Context, c *goredis.Client) error {
			return c.ConfigSet(ctx, name, before).Err()
		})
		return errors.Join(err, r.keepRole(ctx))
	}, err
}

func (s *sentinel) failover(ctx context.Context, c *goredis.SentinelClient, target Target) error {
	// What it asks the servers every ten seconds is asked at once where it can be told to (Redis 7).
	if err := c.Process(ctx, goredis.NewCmd(ctx, "SENTINEL", "DEBUG", "info-period", "100")); err == nil {
		defer func() {
			after, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptLimit)
			defer cancel()
			_ = c.Process(after, goredis.NewCmd(after, "SENTINEL", "DEBUG", "info-period", "10000")) // it asks more often, no more
		}()
	}
	for ranked := false; ; {
		if !ranked {
			replicas, err := c.Replicas(ctx, sentinelName).Result()
			if err != nil {
				return err
			}
			for _, one := range replicas {
				ranked = ranked || s.names[one["ip"]] == target.Name && one["slave-priority"] == firstPriority
			}
			if ranked {
				if err := c.Failover(ctx, sentinelName).Err(); err != nil && !strings.HasPrefix(err.Error(), "INPROG") {
					return err
				}
			}
		}
		view, err := askSentinel(ctx, c)
		if err != nil {
			return err
		}
		if s.names[view.ip] == target.Name {
			return nil
		}
		select {
		case <-time.After(adminPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// AddMember does nothing: sentinels and replicas announce themselves.
func (s *sentinel) AddMember(context.Context, Target) error { return nil }

// RemoveMember refuses to take the primary away. The sentinels go on counting one that has gone.
func (s *sentinel) RemoveMember(ctx context.Context, target Target) error {
	address, err := s.primary(ctx)
	if err != nil {
		return fmt.Errorf("%s: remove %s: %w", s.target.Name, target.Name, err)
	}
	port, err := target.Port("redis")
	if err == nil && address == net.JoinHostPort(target.IP, strconv.Itoa(port)) {
		err = fmt.Errorf("%s: remove %s: it is the primary\nhint: write `node2 becomes the leader` before", s.target.Name, target.Name)
	}
	return err
}
