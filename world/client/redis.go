package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"brine.test/brine/world/catalogue"
)

// redis is the built-in client of Redis: one connection to one server, nothing tried again behind the scenario's back.
// Strings are read and written with GET and SET.
type redis struct {
	target  Target
	address string
	names   map[string]string // of nodes, by address
	members []string          // addresses of all servers
	// find gives the address of the server to ask, and watch has its session closed when that is no longer right; nil
	// where it is always address.
	find  func(ctx context.Context) (string, error)
	watch func(ctx context.Context, s *redisSession)

	slot[*redisSession]
}

// redisSession is one connection and the client on it.
type redisSession struct {
	conn   *conn
	client *goredis.Client
	end    context.CancelFunc // of what watches it
}

func newRedis(d catalogue.Data, t Target) (*redis, error) {
	port, err := t.Port("client")
	if err != nil {
		return nil, fmt.Errorf("%s: the redis client: %w", t.Name, err)
	}
	return redisAt(d, t, port), nil
}

// redisAt is the client of the server on the node's port.
func redisAt(d catalogue.Data, t Target, port int) *redis {
	r := &redis{target: t, address: net.JoinHostPort(t.IP, strconv.Itoa(port)), names: map[string]string{}, slot: newSlot[*redisSession]()}
	for _, n := range d.Nodes {
		r.names[n.IP], r.names[n.IP6], r.names[n.Name] = n.Name, n.Name, n.Name
	}
	for _, n := range d.Members {
		r.members = append(r.members, net.JoinHostPort(n.IP, strconv.Itoa(port)))
	}
	return r
}

// open connects. Its error is the dialler's, or ctx's.
func (r *redis) open(ctx context.Context) (*redisSession, error) {
	address := r.address
	if r.find != nil {
		found, err := r.find(ctx)
		if err != nil {
			return nil, err
		}
		address = found
	}
	raw, err := race(ctx, r.target.dial(), "tcp", address)
	if err != nil {
		return nil, err
	}
	s := newRedisSession(&conn{Conn: raw, turns: true}, address)
	if r.watch != nil {
		watching, end := context.WithCancel(context.Background())
		s.end = end
		go r.watch(watching, s)
	}
	return s, nil
}

func newRedisSession(c *conn, address string) *redisSession {
	return &redisSession{conn: c, client: goredis.NewClient(redisOptions(c, address)), end: func() {}}
}

// redisOptions are those of a client that lives on one connection.
func redisOptions(c net.Conn, address string) *goredis.Options {
	dial := handOver(c)
	return &goredis.Options{
		Addr: address, Protocol: 2, PoolSize: 1, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true,
		ContextTimeoutEnabled: true, PoolTimeout: time.Minute, ReadTimeout: -1, WriteTimeout: -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer:                   func(context.Context, string, string) (net.Conn, error) { return dial() },
	}
}

func (s *redisSession) lost() bool { return s.conn.broken.Load() || s.conn.ended() }

func (s *redisSession) close() {
	s.end()
	_ = s.client.Close() // it reports only that it was closed
	_ = s.conn.Close()   // the client has not got it where nothing was asked yet
}

// call asks the server something. connected is false when nothing was sent.
func (r *redis) call(ctx context.Context, ask func(context.Context, *goredis.Client) error) (connected bool, err error) {
	s, err := r.peek(ctx, r.open)
	if err != nil {
		return false, err
	}
	start := time.Now()
	err = ask(ctx, s.client)
	if err != nil && ctx.Err() != nil && s.conn.quietSince(start) {
		s.conn.abort()
	}
	if r.find != nil && err != nil && strings.HasPrefix(err.Error(), "READONLY") {
		_ = s.conn.Close() // the server is the primary no longer: the next question looks for the new one
	}
	return !errors.Is(err, errLost), err
}

// sameAs sets a key where it holds what is expected, and answers with what it holds.
var sameAs = goredis.NewScript(`local v = redis.call('GET', KEYS[1])
if v ~= ARGV[1] then return v end
redis.call('SET', KEYS[1], ARGV[2])
return {ok='SET'}`)

// Invoke makes one attempt. A stale read is as any other: a replica answers with what it has.
func (r *redis) Invoke(ctx context.Context, op Op) Result {
	var value string
	var found bool
	result := r.attempt(ctx, op.Kind, func(ctx context.Context, c *goredis.Client) error {
		switch op.Kind {
		case Read, StaleRead:
			var err error
			if value, err = c.Get(ctx, op.Key).Result(); errors.Is(err, goredis.Nil) {
				return nil
			}
			found = err == nil
			return err
		case Write:
			return c.Set(ctx, op.Key, op.Value, 0).Err()
		case CAS:
			return redisCompareAndSet(ctx, c, op)
		}
		return fmt.Errorf("%s: %w", op.Kind, ErrUnsupported)
	})
	if result.Outcome == OK {
		result.Found, result.Value = found, value
	}
	return result
}

// attempt makes one attempt at something of the kind and judges its error.
func (r *redis) attempt(ctx context.Context, kind Kind, do func(context.Context, *goredis.Client) error) Result {
	return caller[*goredis.Client](r.call).attempt(ctx, kind, do, redisFailure)
}

func redisCompareAndSet(ctx context.Context, c *goredis.Client, op Op) error {
	there, err := sameAs.Eval(ctx, c, []string{op.Key}, op.Expect, op.Value).Text()
	switch {
	case errors.Is(err, goredis.Nil):
		return fmt.Errorf("%w: nothing, expected %q", ErrConflict, op.Expect)
	case err == nil && there != "SET":
		return fmt.Errorf("%w: %q, expected %q", ErrConflict, there, op.Expect)
	}
	return err
}

// redisFailure decides what an error means for an operation that was sent. The server's own errors come before it does
// anything, but NOREPLICAS_… of a later version; all else is unknown for an operation that changes something.
func redisFailure(ctx context.Context, start time.Time, kind Kind, err error) Result {
	var answer goredis.Error
	switch {
	case errors.Is(err, ErrConflict):
		return Result{Outcome: Failed, Answered: true, Err: err}
	case errors.Is(err, ErrUnsupported):
		return Result{Outcome: Failed, Err: err}
	case errors.As(err, &answer):
		return Result{Outcome: Failed, Answered: true, Err: errors.New(answer.Error())}
	case ctx.Err() != nil || isTimeout(err):
		return noAnswer(ctx, start)
	}
	r := cut(err)
	if !kind.changes() {
		r.Outcome = Failed
	}
	return r
}

// ended tells whether the other side has closed the connection, without waiting: so that what is asked next goes to a
// server that has been started again. There is nothing to read between an answer and the next question.
func (c *conn) ended() bool {
	over := false
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) { // Read would wait for another goroutine's
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		over = n == 0 && err == nil || err != nil && !errors.Is(err, syscall.EAGAIN)
	})
	return over || err != nil
}

// closedByServer words an end of file for a person.
func closedByServer(err error) error {
	if errors.Is(err, io.EOF) || strings.Contains(err.Error(), "EOF") {
		return errors.New("the server closed the connection")
	}
	return err
}
