package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Client uses a service through one node. It may be used by several goroutines at once.
type Client interface {
	// Invoke makes one attempt at an operation, which ends with ctx at the latest.
	Invoke(ctx context.Context, op Op) Result
	// Close drops the connection. Operations under way end as unknown.
	Close() error
}

// Op is one operation of a client.
type Op struct {
	Kind   Kind
	Key    string
	Value  string // of Write and CAS
	Expect string // of CAS: what must be there
}

// String says the operation for a person.
func (o Op) String() string {
	switch o.Kind {
	case Write:
		return fmt.Sprintf("write of %q to %q", o.Value, o.Key)
	case CAS:
		return fmt.Sprintf("compare and set of %q from %q to %q", o.Key, o.Expect, o.Value)
	}
	return fmt.Sprintf("%s of %q", o.Kind, o.Key)
}

// Kind is what an operation does.
type Kind int

// The kinds of operations. A StaleRead may answer with what the node itself has, however old.
const (
	Read Kind = iota
	StaleRead
	Write
	CAS
)

func (k Kind) String() string {
	return [...]string{"read", "stale read", "write", "compare and set"}[k]
}

// changes tells whether the operation may change something.
func (k Kind) changes() bool { return k == Write || k == CAS }

// Outcome is what became of an operation.
type Outcome int

// The outcomes. Unknown is done or not done, now or later.
const (
	OK Outcome = iota
	Failed
	Unknown
)

func (o Outcome) String() string { return [...]string{"ok", "failed", "unknown"}[o] }

// Result is the outcome of one attempt.
type Result struct {
	Outcome  Outcome
	Answered bool   // the node said something: the server, be it "request timed out", or its machine, by refusing or resetting the connection
	Found    bool   // of a read that is OK: there was something under the key
	Value    string // of a read that found something
	Err      error  // why it is not OK; nil when it is
}

// Silent tells whether the time ended without any answer: the attempt timed out.
func (r Result) Silent() bool { return !r.Answered && errors.Is(r.Err, ErrNoAnswer) }

// Beaten tells that a compare-and-set was certainly not done because another change came first: whoever wants it done
// reads again.
func (r Result) Beaten() bool {
	return r.Outcome == Failed && (errors.Is(r.Err, ErrConflict) || errors.Is(r.Err, ErrBusy))
}

// String says the result for a person.
func (r Result) String() string {
	switch {
	case r.Outcome != OK:
		return fmt.Sprintf("%s: %v", r.Outcome, r.Err)
	case r.Found:
		return fmt.Sprintf("ok: %q", r.Value)
	}
	return "ok"
}

var (
	// ErrNoAnswer is in the error of a result when the attempt's time ended in silence.
	ErrNoAnswer = errors.New("no answer")
	// ErrUnsupported is in the error of what a service's client has not got; no attempt was made.
	ErrUnsupported = errors.New("the service's client cannot do that")
	// ErrConflict is in the error of a compare-and-set that found something else.
	ErrConflict = errors.New("another value is there")
	// ErrBusy is in the error of a compare-and-set that was certainly not done because another change of the key was under
	// way. What is there it does not tell: that change may fail.
	ErrBusy = errors.New("another change is under way")
)

// address is where one of the service's ports is.
func (t Target) address(port string) (string, error) {
	number, err := t.Port(port)
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.Name, err)
	}
	return net.JoinHostPort(t.IP, strconv.Itoa(number)), nil
}

// Target is a node as a client reaches it.
type Target struct {
	Name    string
	Index   int // from 1, in its cluster
	IP, IP6 string
	Zone    string
	Port    func(name string) (int, error) // a port of the service, by name
	// Dial connects from the client's place in the network; nil connects from the runner's own.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Restart stops the node's service as its service file says and starts it again; nil where that is not possible.
	Restart func(ctx context.Context) error
	// Exec runs a program in the node's container; nil where that is not possible.
	Exec func(ctx context.Context, argv []string) (stdout, stderr []byte, code int, err error)
}
