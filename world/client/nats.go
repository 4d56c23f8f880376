package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	gonats "github.com/nats-io/nats.go"

	"brine.test/brine/world/catalogue"
)

// nats is the built-in client of NATS JetStream: one connection to one server, nothing tried again behind the scenario's
// back. Keys are those of a key-value bucket, which is made when it is first written to; `nats kv get brine KEY` shows
// them. It speaks JetStream's JSON interface itself, to know what was asked of whom.
type nats struct {
	target   Target
	address  string
	monitor  string
	replicas int // of the bucket

	slot[*natsSession]
}

const (
	natsBucket   = "brine"
	natsStream   = "KV_" + natsBucket
	natsReplicas = 3 // of the bucket, at most
)

// natsSession is one connection and the client on it.
type natsSession struct {
	conn *conn
	nc   *gonats.Conn
}

func newNats(d catalogue.Data, t Target) (*nats, error) {
	port, err := t.Port("client")
	if err != nil {
		return nil, fmt.Errorf("%s: the nats client: %w", t.Name, err)
	}
	monitor, err := t.Port("monitor")
	if err != nil {
		return nil, fmt.Errorf("%s: the nats client: %w", t.Name, err)
	}
	members := len(d.Members)
	if members == 0 {
		members = len(d.Nodes)
	}
	n := &nats{target: t, address: net.JoinHostPort(t.IP, strconv.Itoa(port)), monitor: net.JoinHostPort(t.IP, strconv.Itoa(monitor)),
		replicas: max(1, min(members, natsReplicas)), slot: newSlot[*natsSession]()}
	return n, nil
}

// natsDialer hands over the one connection that was made.
type natsDialer func() (net.Conn, error)

func (d natsDialer) Dial(string, string) (net.Conn, error) { return d() }

// open connects; as gives further options, such as a user.
func (n *nats) open(ctx context.Context, as ...gonats.Option) (*natsSession, error) {
	raw, err := race(ctx, n.target.dial(), "tcp", n.address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw}
	limit := attemptLimit
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	options := append([]gonats.Option{gonats.NoReconnect(), gonats.SetCustomDialer(natsDialer(handOver(c))), gonats.Timeout(limit)}, as...)
	nc, err := gonats.Connect("nats://"+n.address, options...)
	if err != nil {
		_ = c.Close() // the error that counts is the other one
		if errors.Is(err, gonats.ErrTimeout) {
			err = fmt.Errorf("%w: %w", err, context.DeadlineExceeded)
		}
		return nil, err
	}
	return &natsSession{conn: c, nc: nc}, nil
}

func (s *natsSession) lost() bool { return s.conn.broken.Load() || !s.nc.IsConnected() }

func (s *natsSession) close() {
	s.nc.Close()
	_ = s.conn.Close() // the client has closed it already
}

// call asks the server something. connected is false when nothing was sent.
func (n *nats) call(ctx context.Context, ask func(context.Context, *gonats.Conn) error) (connected bool, err error) {
	s, err := n.peek(ctx, func(ctx context.Context) (*natsSession, error) { return n.open(ctx) })
	if err != nil {
		return false, err
	}
	start := time.Now()
	err = ask(ctx, s.nc)
	if err != nil && ctx.Err() != nil && s.conn.quietSince(start) {
		s.conn.abort()
	}
	return true, err
}

// Invoke makes one attempt. A read is answered by the leader of the bucket's stream, a stale one by any of its servers.
func (n *nats) Invoke(ctx context.Context, op Op) Result {
	var found Result
	r := caller[*gonats.Conn](n.call).attempt(ctx, op.Kind, func(ctx context.Context, nc *gonats.Conn) (err error) {
		switch op.Kind {
		case Read:
			found.Value, _, found.Found, err = natsGet(ctx, nc, op.Key)
			return err
		case StaleRead:
			found.Value, found.Found, err = natsDirectGet(ctx, nc, op.Key)
			return err
		case Write:
			return n.put(ctx, nc, op.Key, op.Value, nil)
		case CAS:
			return n.compareAndSet(ctx, nc, op)
		}
		return fmt.Errorf("%s: %w", op.Kind, ErrUnsupported)
	}, natsFailure)
	if r.Outcome == OK {
		r.Found, r.Value = found.Found, found.Value
	}
	return r
}

func (n *nats) compareAndSet(ctx context.Context, nc *gonats.Conn, op Op) error {
	there, revision, found, err := natsGet(ctx, nc, op.Key)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errNotSent, err)
	case !found:
		return fmt.Errorf("%w: nothing, expected %q", ErrConflict, op.Expect)
	case there != op.Expect:
		return fmt.Errorf("%w: %q, expected %q", ErrConflict, there, op.Expect)
	}
	return n.put(ctx, nc, op.Key, op.Value, gonats.Header{"Nats-Expected-Last-Subject-Sequence": {strconv.FormatUint(revision, 10)}})
}

// errNotSent is in the error of an operation that ended before anything that changes something was sent.
var errNotSent = errors.New("not written")

// put publishes to the key's subject; the answer comes when a quorum of the bucket's servers has it.
func (n *nats) put(ctx context.Context, nc *gonats.Conn, key, value string, header gonats.Header) error {
	message := &gonats.Msg{Subject: natsSubject(key), Data: []byte(value), Header: header}
	answer, err := nc.RequestMsgWithContext(ctx, message)
	if errors.Is(err, gonats.ErrNoResponders) {
		// Nobody has the bucket, or nobody leads it: the first can be mended.
		if err := n.makeBucket(ctx, nc); err != nil {
			return fmt.Errorf("%w: no server has the bucket, or none leads it: %w", errNotSent, err)
		}
		answer, err = nc.RequestMsgWithContext(ctx, message)
	}
	if err != nil {
		return err
	}
	var ack struct {
		Error *natsError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return fmt.Errorf("acknowledgement: %w%s", err, excerpt(answer.Data))
	}
	if ack.Error == nil {
		return nil
	}
	switch ack.Error.Code {
	case natsWrongSequence:
		return fmt.Errorf("%w: %s", ErrConflict, ack.Error.Text)
	case natsBusySubject:
		return fmt.Errorf("%w: %w: %w", errNotSent, ErrBusy, ack.Error)
	}
	return ack.Error
}

// makeBucket makes the bucket; it is no error when it is there.
func (n *nats) makeBucket(ctx context.Context, nc *gonats.Conn) error {
	return natsAsk(ctx, nc, "$JS.API.STREAM.CREATE."+natsStream, map[string]any{
		"name": natsStream, "subjects": []string{"$KV." + natsBucket + ".>"}, "storage": "file", "num_replicas": n.replicas,
		"max_msgs_per_subject": 1, "discard": "new", "allow_rollup_hdrs": true, "deny_delete": true, "allow_direct": true,
	}, nil)
}

// natsSubject is the subject of a key. What may not stand in one is written as =XX.
func natsSubject(key string) string {
	var b strings.Builder
	b.WriteString("$KV." + natsBucket + ".")
	for _, c := range []byte(key) {
		if c == '-' || c == '_' || c == '/' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	if key == "" {
		b.WriteByte('=')
	}
	return b.String()
}
