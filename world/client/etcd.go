package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// etcd is the built-in client of etcd: version 3's, one connection to one member, nothing tried again behind the
// scenario's back.
//
// The connection is made here and handed to gRPC, not made by gRPC: so every attempt sees the state of the network now,
// where gRPC would repeat the last failure until its back-off ends.
type etcd struct {
	target  Target
	address string

	slot[*etcdSession]
	ids chan map[uint64]string
}

// etcdSession is one connection and the etcd client on it.
type etcdSession struct {
	conn   *conn
	client *clientv3.Client
}

func newEtcd(t Target) (*etcd, error) {
	port, err := t.Port("client")
	if err != nil {
		return nil, fmt.Errorf("%s: the etcd client: %w", t.Name, err)
	}
	e := &etcd{target: t, address: net.JoinHostPort(t.IP, strconv.Itoa(port)), slot: newSlot[*etcdSession](), ids: make(chan map[uint64]string, 1)}
	e.ids <- map[uint64]string{}
	return e, nil
}

// open connects. Its error is the dialler's, or ctx's.
func (e *etcd) open(ctx context.Context) (*etcdSession, error) {
	raw, err := race(ctx, e.target.dial(), "tcp", e.address)
	if err != nil {
		return nil, err
	}
	s, err := newEtcdSession(&conn{Conn: raw}, e.address)
	if err != nil {
		_ = raw.Close() // the error that counts is the other one
		return nil, err
	}
	return s, nil
}

var errLost = errors.New("the connection is lost")

func newEtcdSession(c *conn, address string) (*etcdSession, error) {
	dial := handOver(c)
	client, err := clientv3.New(clientv3.Config{
		Endpoints:       []string{"http://" + address},
		MaxUnaryRetries: 1,
		Logger:          zap.NewNop(),
		DialOptions:     []grpc.DialOption{grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return dial() })},
	})
	if err != nil {
		return nil, fmt.Errorf("etcd client: %w", err)
	}
	return &etcdSession{conn: c, client: client}, nil
}

func (s *etcdSession) lost() bool { return s.conn.broken.Load() }

func (s *etcdSession) close() {
	_ = s.client.Close() // it reports only that it was closed
	_ = s.conn.Close()   // gRPC has not got it where nothing was asked yet
}

// call asks the member something. What it returns beside the error of ask is about the connection: connected is false
// when there was none and nothing was sent.
//
// The member is not told of ctx's deadline: it would answer "request timed out" in the instant in which this side gives
// up, and which of the two came first would be chance.
func (e *etcd) call(ctx context.Context, ask func(context.Context, *clientv3.Client) error) (connected bool, err error) {
	s, err := e.peek(ctx, e.open)
	if err != nil {
		return false, err
	}
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	start := time.Now()
	err = ask(inner, s.client)
	if err != nil && ctx.Err() != nil && s.conn.quietSince(start) {
		s.conn.abort()
	}
	return true, err
}

// Invoke makes one attempt.
func (e *etcd) Invoke(ctx context.Context, op Op) Result {
	var found Result
	r := e.attempt(ctx, op.Kind, func(ctx context.Context, c *clientv3.Client) error {
		switch op.Kind {
		case Read, StaleRead:
			return get(ctx, c, op, &found)
		case Write:
			_, err := c.Put(ctx, op.Key, op.Value)
			return err
		case CAS:
			return compareAndSet(ctx, c, op)
		}
		return fmt.Errorf("%s: %w", op.Kind, ErrUnsupported)
	})
	if r.Outcome == OK {
		r.Found, r.Value = found.Found, found.Value
	}
	return r
}

// attempt asks the member once; kind tells what a doubt about the answer means.
func (e *etcd) attempt(ctx context.Context, kind Kind, ask func(context.Context, *clientv3.Client) error) Result {
	return caller[*clientv3.Client](e.call).attempt(ctx, kind, ask, etcdFailure)
}

func get(ctx context.Context, c *clientv3.Client, op Op, result *Result) error {
	var options []clientv3.OpOption
	if op.Kind == StaleRead {
		options = append(options, clientv3.WithSerializable())
	}
	answer, err := c.Get(ctx, op.Key, options...)
	if err != nil {
		return err
	}
	if len(answer.Kvs) > 0 {
		result.Found, result.Value = true, string(answer.Kvs[0].Value)
	}
	return nil
}

func compareAndSet(ctx context.Context, c *clientv3.Client, op Op) error {
	answer, err := c.Txn(ctx).
		If(clientv3.Compare(clientv3.Value(op.Key), "=", op.Expect)).
		Then(clientv3.OpPut(op.Key, op.Value)).
		Else(clientv3.OpGet(op.Key)).
		Commit()
	if err != nil || answer.Succeeded {
		return err
	}
	if there := answer.Responses[0].GetResponseRange(); there != nil && len(there.Kvs) > 0 {
		return fmt.Errorf("%w: %q, expected %q", ErrConflict, there.Kvs[0].Value, op.Expect)
	}
	return fmt.Errorf("%w: nothing, expected %q", ErrConflict, op.Expect)
}

// memberStatus asks the member about itself. It goes by the connection that is there, which the client's own Status would not.
func memberStatus(ctx context.Context, c *clientv3.Client) (*pb.StatusResponse, error) {
	return pb.NewMaintenanceClient(c.ActiveConnection()).Status(ctx, &pb.StatusRequest{})
}
