package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Promoter makes the client's node the leader where nobody leads. Not every client is one.
type Promoter interface {
	Promote(ctx context.Context) error
}

// Promote ends the standby's recovery, on what it has.
func (p *postgres) Promote(ctx context.Context) error {
	var done bool
	err := p.scan(ctx, "promote", "select pg_promote(true, 20)", &done)
	if err == nil && !done {
		err = fmt.Errorf("%s: promote: it is still in recovery", p.target.Name)
	}
	return err
}

// caughtUpWithin is how long a standby may take to replay what was just written, before it is to lead.
const caughtUpWithin = 3 * time.Second

// MoveLeader has the primary and a standby change places, without a write being lost: the primary is restarted as a
// standby, and when it ends it has sent all that it wrote; then target is promoted.
func (p *postgres) MoveLeader(ctx context.Context, target Target) error {
	what := "move the leader to " + target.Name
	if p.target.Restart == nil {
		return fmt.Errorf("%s: %s: %w", p.target.Name, what, ErrUnsupported)
	}
	if err := p.heard(ctx, what, target); err != nil {
		return err
	}
	err := p.ask(ctx, what, func(ctx context.Context, c *pgx.Conn) error {
		var folder string
		if err := c.QueryRow(ctx, "show data_directory").Scan(&folder); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "copy (select where false) to '"+folder+"/standby.signal'")
		return err
	})
	if err != nil {
		return err
	}
	if err := p.target.Restart(ctx); err != nil {
		return fmt.Errorf("%s: %s: restart as a standby: %w", p.target.Name, what, err)
	}
	to := &postgres{target: target, slot: newSlot[*postgresSession]()}
	if to.address, err = target.address("client"); err != nil {
		return err
	}
	return errors.Join(to.Promote(ctx), to.Close())
}

// heard waits until target has replayed what the primary just wrote: one that is cut off is not handed the lead.
func (p *postgres) heard(ctx context.Context, what string, target Target) error {
	var mark string
	if err := p.scan(ctx, what, "select pg_create_restore_point('brine')::text", &mark); err != nil {
		return err
	}
	soon, cancel := context.WithTimeout(ctx, caughtUpWithin)
	defer cancel()
	return untilNil(soon, func(ctx context.Context) error {
		var heard bool
		err := p.ask(ctx, what, func(ctx context.Context, c *pgx.Conn) error {
			return c.QueryRow(ctx, "select exists (select from pg_stat_replication where host(client_addr) = $1 and replay_lsn >= $2::pg_lsn)", target.IP, mark).Scan(&heard)
		})
		if err == nil && !heard {
			err = fmt.Errorf("%s: %s: it has not received all that was written", p.target.Name, what)
		}
		return err
	})
}
