package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"brine.test/brine/world/catalogue"
)

// maxAnswer bounds how much of an answer is read, in bytes.
const maxAnswer = 16 << 20

// described does each operation as the service file says: an HTTP request, or a program in the node's container.
type described struct {
	actions map[catalogue.Operation]*catalogue.Action
	data    catalogue.Data
	target  Target
	http    *http.Client
}

func newDescribed(c *catalogue.Client, data catalogue.Data, t Target) *described {
	return &described{actions: c.Actions, data: data, target: t, http: newHTTP(t)}
}

// operationOf is the service file's key of each kind.
var operationOf = map[Kind]catalogue.Operation{
	Read: catalogue.OpRead, StaleRead: catalogue.OpStaleRead, Write: catalogue.OpWrite, CAS: catalogue.OpCAS,
}

// reply is what an action brought: its result, and the answer that values are taken from.
type reply struct {
	Result
	answer answer
	code   int // HTTP status, or exit code
}

// Invoke makes one attempt.
func (d *described) Invoke(ctx context.Context, op Op) Result {
	name := operationOf[op.Kind]
	action := d.actions[name]
	if action == nil {
		return unsupported(fmt.Sprintf("client: %s is not described", name))
	}
	r := d.do(ctx, action, op.Kind.changes(), catalogue.OpData{Data: d.data, Key: op.Key, Value: op.Value, Expect: op.Expect})
	if op.Kind == CAS {
		r = r.conflict()
	}
	if r.Outcome != OK || action.Value == nil || r.answer.nothing {
		return r.Result
	}
	value, found, err := r.answer.value(action.Value)
	if err != nil {
		return Result{Outcome: Failed, Answered: true, Err: err}
	}
	r.Found, r.Value = found, value
	return r.Result
}

// conflict gives the reply as one of a compare-and-set, to which 409 and 412 tell that another value is there.
func (r reply) conflict() reply {
	if r.Outcome == Failed && (r.code == http.StatusConflict || r.code == http.StatusPreconditionFailed) {
		r.Err = fmt.Errorf("%w: %w", ErrConflict, r.Err)
	}
	return r
}

// do does an action. changes tells whether it may change something, so that a doubt about it matters.
func (d *described) do(ctx context.Context, a *catalogue.Action, changes bool, data catalogue.OpData) reply {
	if a.HTTP != nil {
		return d.request(ctx, a, changes, data)
	}
	return d.program(ctx, a, changes, data)
}

// admin does an action that is no read or write, and returns its answer.
func (d *described) admin(ctx context.Context, name catalogue.Operation, target Target) (*catalogue.Action, answer, error) {
	a := d.actions[name]
	if a == nil {
		return nil, answer{}, fmt.Errorf("%s: client: %s is not described: %w", d.target.Name, name, ErrUnsupported)
	}
	r := d.do(ctx, a, false, catalogue.OpData{Data: d.data, Target: target.node()})
	if r.Outcome != OK {
		return nil, answer{}, fmt.Errorf("%s: %s: %w", d.target.Name, name, r.Err)
	}
	return a, r.answer, nil
}

// node is the target as templates see it.
func (t Target) node() catalogue.Node {
	return catalogue.Node{Name: t.Name, Index: t.Index, IP: t.IP, IP6: t.IP6, Zone: t.Zone}
}

// Leader takes a node's name or address out of the answer, or a boolean for "I am".
func (d *described) Leader(ctx context.Context) (Claim, error) {
	a, answer, err := d.admin(ctx, catalogue.OpLeader, d.target)
	if err != nil {
		return Claim{}, err
	}
	said, _, err := answer.value(a.Value)
	if err != nil {
		return Claim{}, fmt.Errorf("%s: leader: %w", d.target.Name, err)
	}
	claim := d.claim(strings.TrimSpace(said))
	if a.Term == nil {
		return claim, nil
	}
	term, found, err := answer.value(a.Term)
	if err != nil {
		return Claim{}, fmt.Errorf("%s: leader: term: %w", d.target.Name, err)
	}
	if found {
		if claim.Term, err = number(term); err != nil {
			return Claim{}, fmt.Errorf("%s: leader: term: %w", d.target.Name, err)
		}
	}
	return claim, nil
}

// claim understands what a node said about who leads.
func (d *described) claim(said string) Claim {
	switch strings.ToLower(said) {
	case "true":
		return Claim{Self: true, Leader: d.target.Name}
	case "", "false":
		return Claim{}
	}
	for _, n := range append([]catalogue.Node{d.target.node()}, d.data.Nodes...) {
		if n.Name != "" && names(said, n) {
			return Claim{Self: n.Name == d.target.Name, Leader: n.Name}
		}
	}
	return Claim{Leader: said}
}

// names tells whether a text stands for a node: its name or address, alone, with a port, or in a URL.
func names(said string, n catalogue.Node) bool {
	if _, rest, isURL := strings.Cut(said, "://"); isURL {
		said, _, _ = strings.Cut(rest, "/")
	}
	for _, own := range []string{n.Name, n.IP, n.IP6} {
		if own == "" {
			continue
		}
		rest, ok := strings.CutPrefix(strings.ToLower(said), strings.ToLower(own))
		if !ok {
			rest, ok = strings.CutPrefix(strings.ToLower(said), "["+strings.ToLower(own)+"]")
		}
		if !ok {
			continue
		}
		port, isPort := strings.CutPrefix(rest, ":")
		if _, err := strconv.ParseUint(port, 10, 16); rest == "" || isPort && err == nil {
			return true
		}
	}
	return false
}

// MoveLeader does move_leader.
func (d *described) MoveLeader(ctx context.Context, target Target) error {
	_, _, err := d.admin(ctx, catalogue.OpMoveLeader, target)
	return err
}

// Position takes a number out of the answer: decimal, or PostgreSQL's 16/B374D848.
func (d *described) Position(ctx context.Context) (uint64, error) {
	a, answer, err := d.admin(ctx, catalogue.OpPosition, d.target)
	if err != nil {
		return 0, err
	}
	said, found, err := answer.value(a.Value)
	if err == nil && !found {
		err = fmt.Errorf("the answer has none")
	}
	var position uint64
	if err == nil {
		position, err = number(said)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: position: %w", d.target.Name, err)
	}
	return position, nil
}

// number reads a whole number, or a log sequence number of PostgreSQL: two of them in hexadecimal.
func number(text string) (uint64, error) {
	text = strings.TrimSpace(text)
	if high, low, isLSN := strings.Cut(text, "/"); isLSN {
		h, err := strconv.ParseUint(high, 16, 32)
		l, lowErr := strconv.ParseUint(low, 16, 32)
		if err != nil || lowErr != nil {
			return 0, fmt.Errorf("%q is no number", text)
		}
		return h<<32 | l, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no number", text)
	}
	return n, nil
}

// Health does health.
func (d *described) Health(ctx context.Context) error {
	_, _, err := d.admin(ctx, catalogue.OpHealth, d.target)
	return err
}

// AddMember does add_member until it succeeds or ctx ends.
func (d *described) AddMember(ctx context.Context, target Target) error {
	return d.until(ctx, catalogue.OpAddMember, target)
}

// RemoveMember does remove_member until it succeeds or ctx ends.
func (d *described) RemoveMember(ctx context.Context, target Target) error {
	return d.until(ctx, catalogue.OpRemoveMember, target)
}

func (d *described) until(ctx context.Context, name catalogue.Operation, target Target) error {
	for {
		_, _, err := d.admin(ctx, name, target)
		if err == nil || d.actions[name] == nil {
			return err
		}
		select {
		case <-time.After(longestPause):
		case <-ctx.Done():
			return err
		}
	}
}

// Close drops the connection.
func (d *described) Close() error {
	d.http.CloseIdleConnections()
	return nil
}
