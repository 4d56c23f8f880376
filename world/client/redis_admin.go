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

// ask is call for questions that a result would say too much about: one error, with the node's name.
func (r *redis) ask(ctx context.Context, what string, question func(context.Context, *goredis.Client) error) error {
	return caller[*goredis.Client](r.call).ask(ctx, r.target.Name, what, question, closedByServer)
}

// role is a server's answer to ROLE.
type redisRole struct {
	primary bool
	of      string // of a replica: its primary's address
	state   string // of a replica: "connected" when it follows
	offset  uint64
}

func askRole(ctx context.Context, c *goredis.Client) (redisRole, error) {
	parts, err := c.Do(ctx, "ROLE").Slice()
	if err != nil {
		return redisRole{}, err
	}
	number := func(i int) uint64 {
		if i < len(parts) {
			if n, ok := parts[i].(int64); ok && n > 0 {
				return uint64(n)
			}
		}
		return 0
	}
	text := func(i int) string {
		if i < len(parts) {
			s, _ := parts[i].(string)
			return s
		}
		return ""
	}
	switch text(0) {
	case "master":
		return redisRole{primary: true, offset: number(1)}, nil
	case "slave":
		return redisRole{of: text(1), state: text(3), offset: number(4)}, nil
	}
	return redisRole{}, fmt.Errorf("its role is %q, expected a primary or a replica", text(0))
}

// Leader: the server leads when it is a primary.
func (r *redis) Leader(ctx context.Context) (Claim, error) {
	var claim Claim
	err := r.ask(ctx, "who leads", func(ctx context.Context, c *goredis.Client) error {
		role, err := askRole(ctx, c)
		claim = Claim{Self: role.primary, Leader: r.target.Name}
		if !role.primary {
			claim.Leader = role.of
			if name := r.names[role.of]; name != "" {
				claim.Leader = name
			}
		}
		return err
	})
	return claim, err
}

// MoveLeader hands over with FAILOVER (Redis 6.2): the primary stops taking writes, waits until target has them all, and
// becomes its replica. Other replicas go on following this server.
func (r *redis) MoveLeader(ctx context.Context, target Target) error {
	port, err := target.Port("client")
	if err != nil {
		return err
	}
	what := "move the leader to " + target.Name
	err = r.ask(ctx, what, func(ctx context.Context, c *goredis.Client) error {
		return c.Do(ctx, "FAILOVER", "TO", target.IP, strconv.Itoa(port)).Err()
	})
	for err == nil {
		var role redisRole
		err = r.ask(ctx, what, func(ctx context.Context, c *goredis.Client) (err error) {
			role, err = askRole(ctx, c)
			return err
		})
		if err == nil && !role.primary {
			to := redisAt(catalogue.Data{}, target, port)
			return errors.Join(r.keepRole(ctx), to.keepRole(ctx), to.Close())
		}
		select {
		case <-time.After(adminPause):
		case <-ctx.Done():
			return fmt.Errorf("%s: %s: %w", r.target.Name, what, ctx.Err())
		}
	}
	return err
}

// keepRole has the server write its role and settings into its configuration, so that they outlive a restart.
func (r *redis) keepRole(ctx context.Context) error {
	return r.ask(ctx, "keep its role", func(ctx context.Context, c *goredis.Client) error {
		err := c.ConfigRewrite(ctx).Err()
		if err != nil && strings.Contains(err.Error(), "without a config file") {
			return nil // it was started in a way that knows of no file
		}
		return err
	})
}

// Prepare waits until all replicas follow the primary. Who has no other servers to know of has nothing to wait for.
func (r *redis) Prepare(ctx context.Context) error {
	for _, address := range r.members {
		one := &redis{target: r.target, address: address, names: r.names, slot: newSlot[*redisSession]()}
		err := untilNil(ctx, one.Health)
		if err := errors.Join(err, one.Close()); err != nil {
			return fmt.Errorf("the server at %s: %w", address, err)
		}
	}
	return nil
}

// untilNil asks until there is no error, or ctx ends. Its error is the last one that was no silence.
func untilNil(ctx context.Context, ask func(context.Context) error) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptLimit)
		err := ask(attempt)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(adminPause):
		case <-ctx.Done():
			return err
		}
	}
}

// Position is the replication offset.
func (r *redis) Position(ctx context.Context) (uint64, error) {
	var role redisRole
	err := r.ask(ctx, "position", func(ctx context.Context, c *goredis.Client) (err error) {
		role, err = askRole(ctx, c)
		return err
	})
	return role.offset, err
}

// Health: the server answers, is not loading its data, and follows its primary if it is a replica.
func (r *redis) Health(ctx context.Context) error {
	return r.ask(ctx, "health", func(ctx context.Context, c *goredis.Client) error {
		if err := c.Ping(ctx).Err(); err != nil {
			return err
		}
		role, err := askRole(ctx, c)
		if err == nil && !role.primary && role.state != "connected" {
			err = fmt.Errorf("does not follow its primary %s: %s", role.of, role.state)
		}
		return err
	})
}

// AddMember does nothing: a replica announces itself to its primary.
func (r *redis) AddMember(context.Context, Target) error { return nil }

// RemoveMember refuses to take the primary away; a replica just goes.
func (r *redis) RemoveMember(ctx context.Context, target Target) error {
	return r.ask(ctx, "remove "+target.Name, func(ctx context.Context, c *goredis.Client) error {
		role, err := askRole(ctx, c)
		if err == nil && !role.primary && strings.EqualFold(net.ParseIP(role.of).String(), target.IP) {
			return errors.New("it is the primary\nhint: write `node2 becomes the leader` before")
		}
		return err
	})
}
