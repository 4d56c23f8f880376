package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"brine.test/brine/world/catalogue"
)

// postgres is the built-in client of PostgreSQL: one connection to one server, nothing tried again behind the scenario's
// back. What is written and read are the rows of a table brine (key, value), which is made when the cluster is ready. A
// standby answers reads with what it has, and refuses writes.
type postgres struct {
	target  Target
	address string
	names   map[string]string // of nodes, by address
	members int

	slot[*postgresSession]
}

// postgresSession is one connection and the client on it.
type postgresSession struct {
	conn *conn
	pg   *pgx.Conn
}

func newPostgres(d catalogue.Data, t Target) (*postgres, error) {
	port, err := t.Port("client")
	if err != nil {
		return nil, fmt.Errorf("%s: the postgresql client: %w", t.Name, err)
	}
	p := &postgres{
		target: t, address: net.JoinHostPort(t.IP, strconv.Itoa(port)), names: map[string]string{}, members: len(d.Members),
		slot: newSlot[*postgresSession](),
	}
	for _, n := range d.Nodes {
		p.names[n.IP], p.names[n.IP6] = n.Name, n.Name
	}
	return p, nil
}

// open connects and logs in.
func (p *postgres) open(ctx context.Context) (*postgresSession, error) {
	raw, err := race(ctx, p.target.dial(), "tcp", p.address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, turns: true}
	host, port, err := net.SplitHostPort(p.address)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	config, err := pgx.ParseConfig(fmt.Sprintf("host=%s port=%s user=postgres dbname=postgres sslmode=disable target_session_attrs=any", host, port))
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // one question, one answer
	dial := handOver(c)
	config.DialFunc = func(context.Context, string, string) (net.Conn, error) { return dial() }
	pg, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		_ = c.Close() // the error that counts is the other one
		return nil, err
	}
	return &postgresSession{conn: c, pg: pg}, nil
}

func (s *postgresSession) lost() bool {
	return s.conn.broken.Load() || s.pg.IsClosed() || s.conn.stirred()
}

func (s *postgresSession) close() {
	soon, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if !s.conn.broken.Load() {
		_ = s.pg.Close(soon) // it says goodbye to the server, if that is there
	}
	_ = s.conn.Close()
}

// call asks the server something, alone. connected is false when nothing was sent.
func (p *postgres) call(ctx context.Context, ask func(context.Context, *pgx.Conn) error) (connected bool, err error) {
	s, err := p.take(ctx, p.open)
	if err != nil {
		return false, err
	}
	defer p.put(s)
	err = ask(ctx, s.pg)
	if err != nil && ctx.Err() != nil {
		s.conn.abort()
	}
	return true, err
}

// stirred tells whether anything lies unread in the connection, its end included, without waiting. After an answer
// PostgreSQL says nothing by itself but goodbye.
func (c *conn) stirred() bool {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	stirred := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		stirred = !errors.Is(err, syscall.EAGAIN)
	})
	return stirred || err != nil
}

// Invoke makes one attempt.
func (p *postgres) Invoke(ctx context.Context, op Op) Result {
	var value string
	var found bool
	result := p.attempt(ctx, op.Kind, func(ctx context.Context, c *pgx.Conn) error {
		switch op.Kind {
		case Read, StaleRead:
			err := c.QueryRow(ctx, "select value from brine where key = $1", op.Key).Scan(&value)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			found = err == nil
			return err
		case Write:
			_, err := c.Exec(ctx, "insert into brine values ($1, $2) on conflict (key) do update set value = excluded.value", op.Key, op.Value)
			return err
		case CAS:
			return postgresCompareAndSet(ctx, c, Change{op.Key, op.Expect, op.Value})
		}
		return fmt.Errorf("%s: %w", op.Kind, ErrUnsupported)
	})
	if result.Outcome == OK {
		result.Value, result.Found = value, found
	}
	return result
}

type postgresDoer interface {
	Exec(ctx context.Context, sql string, arguments ...any) (pgconn.CommandTag, error)
}

func postgresCompareAndSet(ctx context.Context, on postgresDoer, c Change) error {
	tag, err := on.Exec(ctx, "update brine set value = $3 where key = $1 and value = $2", c.Key, c.Expect, c.Value)
	if err == nil && tag.RowsAffected() == 0 {
		return fmt.Errorf("%w under %q, expected %q", ErrConflict, c.Key, c.Expect)
	}
	return err
}

// attempt makes one attempt at something of the kind and judges its error. A server that refuses the login has answered.
func (p *postgres) attempt(ctx context.Context, kind Kind, do func(context.Context, *pgx.Conn) error) Result {
	refused := false
	call := func(ctx context.Context, do func(context.Context, *pgx.Conn) error) (bool, error) {
		connected, err := p.call(ctx, do)
		var said *pgconn.PgError
		refused = !connected && errors.As(err, &said)
		return connected, err
	}
	r := caller[*pgx.Conn](call).attempt(ctx, kind, do, postgresFailure)
	r.Answered = r.Answered || refused
	return r
}
