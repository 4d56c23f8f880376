package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ask is call for questions that a result would say too much about: one error, with the node's name.
func (p *postgres) ask(ctx context.Context, what string, question func(context.Context, *pgx.Conn) error) error {
	start := time.Now()
	connected, err := p.call(ctx, question)
	var said *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &said):
		err = errors.New(said.Message + " (" + said.Code + ")")
	case !connected:
		err = notConnected(ctx, start, err).Err
	case ctx.Err() != nil:
		err = noAnswer(ctx, start).Err
	default:
		err = closedByServer(err)
	}
	return fmt.Errorf("%s: %s: %w", p.target.Name, what, err)
}

// scan asks for one row.
func (p *postgres) scan(ctx context.Context, what, sql string, into ...any) error {
	return p.ask(ctx, what, func(ctx context.Context, c *pgx.Conn) error { return c.QueryRow(ctx, sql).Scan(into...) })
}

// Leader: the server leads when it is not in recovery; its timeline is the term. A standby names the server that it
// receives from.
func (p *postgres) Leader(ctx context.Context) (Claim, error) {
	var recovers bool
	var timeline, from string
	err := p.scan(ctx, "who leads", `select pg_is_in_recovery(),
		case when pg_is_in_recovery() then '0' else substring(pg_walfile_name(pg_current_wal_lsn()) for 8) end,
		coalesce((select sender_host from pg_stat_wal_receiver where status = 'streaming'), '')`, &recovers, &timeline, &from)
	if err != nil {
		return Claim{}, err
	}
	if !recovers {
		term, err := strconv.ParseUint(timeline, 16, 32)
		if err != nil {
			return Claim{}, fmt.Errorf("%s: who leads: its timeline: %w", p.target.Name, err)
		}
		return Claim{Self: true, Leader: p.target.Name, Term: term}, nil
	}
	if name := p.names[from]; name != "" {
		from = name
	}
	return Claim{Leader: from}, nil
}

// Position is how far the write-ahead log is flushed, or on a standby replayed.
func (p *postgres) Position(ctx context.Context) (uint64, error) {
	var at int64
	err := p.scan(ctx, "position", `select ((case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end) - '0/0')::bigint`, &at)
	return uint64(max(at, 0)), err
}

// Health: the server answers, and receives from its primary if it is a standby.
func (p *postgres) Health(ctx context.Context) error {
	claim, err := p.Leader(ctx)
	if err == nil && !claim.Self && claim.Leader == "" {
		err = fmt.Errorf("%s: health: it is a standby that receives from nobody", p.target.Name)
	}
	return err
}

// Prepare makes the table and waits until all standbys receive what the primary writes.
func (p *postgres) Prepare(ctx context.Context) error {
	return untilNil(ctx, func(ctx context.Context) error {
		var standbys int
		err := p.ask(ctx, "make the table brine", func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, "create table if not exists brine (key text primary key, value text not null)")
			return err
		})
		if err == nil {
			err = p.scan(ctx, "standbys", "select count(*) from pg_stat_replication where state = 'streaming'", &standbys)
		}
		if err == nil && standbys < p.members-1 {
			err = fmt.Errorf("%s: %d standbys stream from it, expected %d", p.target.Name, standbys, p.members-1)
		}
		return err
	})
}

// AddMember does nothing: a standby copies the primary when it starts.
func (p *postgres) AddMember(context.Context, Target) error { return nil }

// RemoveMember refuses to take the primary away; a standby just goes.
func (p *postgres) RemoveMember(ctx context.Context, target Target) error {
	claim, err := p.Leader(ctx)
	if err == nil && !claim.Self && claim.Leader == target.Name {
		err = fmt.Errorf("%s: remove %s: it is the primary\nhint: write `node2 becomes the leader` before", p.target.Name, target.Name)
	}
	return err
}
