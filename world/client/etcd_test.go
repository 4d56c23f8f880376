package client

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brine.test/brine/world/catalogue"
	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fakeMember is a member of etcd as far as gRPC goes: it answers with err, or holds one key.
type fakeMember struct {
	pb.UnimplementedKVServer
	pb.UnimplementedMaintenanceServer
	pb.UnimplementedClusterServer
	err    atomic.Pointer[error]
	silent atomic.Bool
	stale  atomic.Bool // the last read was serializable
}

func (f *fakeMember) answer(ctx context.Context) error {
	if f.silent.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *fakeMember) Put(ctx context.Context, _ *pb.PutRequest) (*pb.PutResponse, error) {
	return &pb.PutResponse{}, f.answer(ctx)
}

func (f *fakeMember) Range(ctx context.Context, r *pb.RangeRequest) (*pb.RangeResponse, error) {
	f.stale.Store(r.Serializable)
	if string(r.Key) == "nothing" {
		return &pb.RangeResponse{}, f.answer(ctx)
	}
	return &pb.RangeResponse{Kvs: []*mvccpb.KeyValue{{Key: r.Key, Value: []byte("v1")}}}, f.answer(ctx)
}

func (f *fakeMember) Status(ctx context.Context, _ *pb.StatusRequest) (*pb.StatusResponse, error) {
	return &pb.StatusResponse{Header: &pb.ResponseHeader{MemberId: 1}, Leader: 2, RaftTerm: 7, RaftAppliedIndex: 42}, f.answer(ctx)
}

func (f *fakeMember) MemberList(context.Context, *pb.MemberListRequest) (*pb.MemberListResponse, error) {
	return &pb.MemberListResponse{Members: []*pb.Member{{ID: 1, Name: "node1"}, {ID: 2, Name: "node2"}}}, nil
}

// serveMember runs a fake member and opens a client of it.
func serveMember(t *testing.T) (*fakeMember, Client, *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.3.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeMember{}
	server := grpc.NewServer()
	pb.RegisterKVServer(server, f)
	pb.RegisterMaintenanceServer(server, f)
	pb.RegisterClusterServer(server, f)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() { stop(t, server, served) })
	c, dials := openEtcd(t, listener.Addr())
	return f, c, dials
}

// stop ends a fake member, and what it was doing.
func stop(t *testing.T, server *grpc.Server, served <-chan error) {
	server.Stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// openEtcd opens a client of what listens at an address, and counts its connections.
func openEtcd(t *testing.T, address net.Addr) (Client, *atomic.Int32) {
	t.Helper()
	dials := &atomic.Int32{}
	c, err := Open(&catalogue.Instance{Service: &catalogue.Service{}, Client: &catalogue.Client{Builtin: "etcd"}}, Target{
		Name: "node1", IP: "127.0.3.1",
		Port: func(string) (int, error) { return address.(*net.TCPAddr).Port, nil },
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, dials
}

// TestEtcdErrors holds what each answer of a member means for a write and for a read.
func TestEtcdErrors(t *testing.T) {
	f, c, dials := serveMember(t)
	for _, e := range []struct {
		err         error
		write, read Outcome
	}{
		{rpctypes.ErrGRPCTimeout, Unknown, Unknown},
		{rpctypes.ErrGRPCTimeoutDueToLeaderFail, Unknown, Unknown},
		{rpctypes.ErrGRPCTimeoutDueToConnectionLost, Unknown, Unknown},
		{rpctypes.ErrGRPCLeaderChanged, Unknown, Unknown},
		{rpctypes.ErrGRPCStopped, Unknown, Unknown},
		{status.Error(codes.Unavailable, "etcdserver: something new"), Unknown, Unknown},
		{status.Error(codes.DeadlineExceeded, "context deadline exceeded"), Unknown, Unknown},
		{status.Error(codes.Internal, "oops"), Unknown, Failed},
		{rpctypes.ErrGRPCNoLeader, Failed, Failed},
		{rpctypes.ErrGRPCNoSpace, Failed, Failed},
		{rpctypes.ErrGRPCNotSupportedForLearner, Failed, Failed},
		{rpctypes.ErrGRPCRequestTooManyRequests, Failed, Failed},
		{rpctypes.ErrGRPCEmptyKey, Failed, Failed},
		{rpctypes.ErrGRPCPermissionDenied, Failed, Failed},
	} {
		f.err.Store(&e.err)
		for kind, want := range map[Kind]Outcome{Write: e.write, Read: e.read} {
			r := c.Invoke(t.Context(), Op{Kind: kind, Key: "k", Value: "v"})
			if r.Outcome != want || !r.Answered || r.Silent() || r.Err == nil || strings.Contains(r.Err.Error(), "rpc error") {
				t.Errorf("%s after %v: %v, answered %v; want %v", kind, e.err, r, r.Answered, want)
			}
		}
	}
	if dials.Load() != 1 {
		t.Errorf("%d connections, want one", dials.Load())
	}
}

func TestEtcdReads(t *testing.T) {
	f, c, _ := serveMember(t)
	if r := c.Invoke(t.Context(), Op{Kind: Read, Key: "k"}); r.Outcome != OK || !r.Found || r.Value != "v1" || f.stale.Load() {
		t.Errorf("read: %+v", r)
	}
	if r := c.Invoke(t.Context(), Op{Kind: StaleRead, Key: "nothing"}); r.Outcome != OK || r.Found || !f.stale.Load() {
		t.Errorf("stale read: %+v", r)
	}
	claim, err := c.(Leaderer).Leader(t.Context())
	if err != nil || claim != (Claim{Leader: "node2", Term: 7}) {
		t.Errorf("leader: %+v, %v", claim, err)
	}
	if position, err := c.(Positioner).Position(t.Context()); err != nil || position != 42 {
		t.Errorf("position: %d, %v", position, err)
	}
}

// TestEtcdSilent holds that a member that says nothing is a time-out, of which nobody was told, and that the silent
// connection is not kept.
func TestEtcdSilent(t *testing.T) {
	f, c, dials := serveMember(t)
	f.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if r := c.Invoke(ctx, Op{Kind: Write, Key: "k"}); r.Outcome != Unknown || r.Answered || !r.Silent() {
		t.Errorf("got %+v", r)
	}
	f.silent.Store(false)
	if r := c.Invoke(t.Context(), Op{Kind: Write, Key: "k"}); r.Outcome != OK {
		t.Errorf("afterwards: %+v", r)
	}
	if dials.Load() > 2 {
		t.Errorf("%d connections", dials.Load())
	}
	given, giveUp := context.WithCancel(t.Context())
	giveUp()
	if r := c.Invoke(given, Op{Kind: Write, Key: "k"}); r.Outcome == OK || r.Silent() || !errors.Is(r.Err, context.Canceled) {
		t.Errorf("given up: %+v", r)
	}
}

// TestEtcdNobodyAccepts holds the same of a machine that takes the connection and never speaks.
func TestEtcdNobodyAccepts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.3.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	c, dials := openEtcd(t, listener.Addr())
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if r := c.Invoke(ctx, Op{Kind: Read, Key: "k"}); r.Outcome != Unknown || !r.Silent() {
			t.Errorf("got %+v", r)
		}
		cancel()
	}
	if dials.Load() != 2 {
		t.Errorf("%d connections, want a fresh one after the silence", dials.Load())
	}
}

// TestEtcdRefused holds that a machine on which nobody listens has answered, and that every attempt asks it anew.
func TestEtcdRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.3.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	c, dials := openEtcd(t, listener.Addr())
	r := Try(t.Context(), c, Op{Kind: Write, Key: "k"}, 100*time.Millisecond)
	if r.Acknowledged || !r.Answered || r.TimedOut || r.Result().Outcome != Failed || int(dials.Load()) != len(r.Attempts) {
		t.Errorf("%s; %d connections", r, dials.Load())
	}
	if _, err := c.(Leaderer).Leader(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "node1: who leads: connect: ") {
		t.Errorf("leader: %v", err)
	}
}

// TestEtcdComesBack holds that a member that was away is used again at once.
func TestEtcdComesBack(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.3.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := openEtcd(t, listener.Addr())
	run := func() (leave func()) {
		server := grpc.NewServer()
		pb.RegisterKVServer(server, &fakeMember{})
		served := make(chan error, 1)
		l := listener
		go func() { served <- server.Serve(l) }()
		return func() { stop(t, server, served) }
	}
	leave := run()
	if r := c.Invoke(t.Context(), Op{Kind: Write, Key: "k"}); r.Outcome != OK {
		t.Fatalf("at first: %+v", r)
	}
	leave()
	if r := Try(t.Context(), c, Op{Kind: Write, Key: "k"}, 50*time.Millisecond); r.Acknowledged {
		t.Fatalf("while it was away: %s", r)
	}
	listener, err = net.Listen("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer run()()
	if r := c.Invoke(t.Context(), Op{Kind: Write, Key: "k"}); r.Outcome != OK {
		t.Errorf("afterwards: %+v", r)
	}
}
