package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// adminPause is between two attempts at a change of members or of the leader.
const adminPause = 100 * time.Millisecond

// ask is call for questions that a result would say too much about: one error, with the node's name.
func (e *etcd) ask(ctx context.Context, what string, question func(context.Context, *clientv3.Client) error) error {
	return caller[*clientv3.Client](e.call).ask(ctx, e.target.Name, what, question, func(err error) error {
		_, message := grpcParts(err)
		return &answerError{message: message, cause: err}
	})
}

// answerError words a member's error without gRPC's dressing, and keeps it.
type answerError struct {
	message string
	cause   error
}

func (e *answerError) Error() string { return e.message }
func (e *answerError) Unwrap() error { return e.cause }

// Leader asks the member itself: it leads when it says that the leader is the one that it is.
func (e *etcd) Leader(ctx context.Context) (Claim, error) {
	var claim Claim
	err := e.ask(ctx, "who leads", func(ctx context.Context, c *clientv3.Client) error {
		s, err := memberStatus(ctx, c)
		if err != nil {
			return err
		}
		claim = Claim{Self: s.Leader != 0 && s.Leader == s.Header.MemberId, Term: s.RaftTerm}
		if claim.Self {
			claim = e.settle(ctx, claim)
		}
		switch {
		case claim.Self:
			claim.Leader = e.target.Name
		case s.Leader != 0:
			claim.Leader = e.nameOf(ctx, c, s.Leader)
		}
		return nil
	})
	return claim, err
}

// nameOf gives a member's name by its ID, asking the member for its own list when the ID is new. The ID stands for the
// name of one that it does not know.
func (e *etcd) nameOf(ctx context.Context, c *clientv3.Client, id uint64) string {
	ids := <-e.ids
	defer func() { e.ids <- ids }()
	if name, ok := ids[id]; ok {
		return name
	}
	if list, err := c.MemberList(ctx, clientv3.WithSerializable()); err == nil {
		for _, m := range list.Members {
			if m.Name != "" {
				ids[m.ID] = m.Name
			}
		}
	}
	if name, ok := ids[id]; ok {
		return name
	}
	return fmt.Sprintf("member %x", id)
}

// MoveLeader asks this member, the leader, to hand over. etcd answers when the other leads, in this member's eyes.
func (e *etcd) MoveLeader(ctx context.Context, target Target) error {
	return e.ask(ctx, "move the leader to "+target.Name, func(ctx context.Context, c *clientv3.Client) error {
		m, err := findMember(ctx, c, target)
		if err != nil {
			return err
		}
		_, err = c.MoveLeader(ctx, m.id)
		return err
	})
}

// Position is the index of the last entry of the log that the member applied.
func (e *etcd) Position(ctx context.Context) (uint64, error) {
	var position uint64
	err := e.ask(ctx, "position", func(ctx context.Context, c *clientv3.Client) error {
		s, err := memberStatus(ctx, c)
		position = s.GetRaftAppliedIndex()
		return err
	})
	return position, err
}

// Health reads something through the quorum, as etcdctl endpoint health does, and asks for alarms.
func (e *etcd) Health(ctx context.Context) error {
	return e.ask(ctx, "health", func(ctx context.Context, c *clientv3.Client) error {
		if _, err := c.Get(ctx, "health"); err != nil && !errors.Is(err, rpctypes.ErrPermissionDenied) {
			return err
		}
		alarms, err := c.AlarmList(ctx)
		if err != nil {
			return err
		}
		for _, a := range alarms.Alarms {
			return fmt.Errorf("alarm %s of member %x", a.Alarm, a.MemberID)
		}
		return nil
	})
}

// member is what is known of one.
type member struct {
	id   uint64
	name string
}

// errNoMember is the error for a node that the cluster does not know.
var errNoMember = errors.New("is not a member")

// findMember looks a node up in this member's list: by name, or by its address where it has not started yet.
func findMember(ctx context.Context, c *clientv3.Client, t Target) (member, error) {
	list, err := c.MemberList(ctx, clientv3.WithSerializable())
	if err != nil {
		return member{}, err
	}
	url, err := peerURL(t)
	if err != nil {
		return member{}, err
	}
	for _, m := range list.Members {
		if m.Name == t.Name || slices.Contains(m.PeerURLs, url) {
			return member{m.ID, m.Name}, nil
		}
	}
	return member{}, fmt.Errorf("%s %w", t.Name, errNoMember)
}

func peerURL(t Target) (string, error) {
	port, err := t.Port("peer")
	if err != nil {
		return "", err
	}
	return "http://" + net.JoinHostPort(t.IP, strconv.Itoa(port)), nil
}

// AddMember announces a node as a voting member. etcd refuses that while the members have not all been connected for
// five seconds; it is tried until it is taken.
func (e *etcd) AddMember(ctx context.Context, target Target) error {
	url, err := peerURL(target)
	if err != nil {
		return fmt.Errorf("%s: add %s: %w", e.target.Name, target.Name, err)
	}
	return e.change(ctx, "add "+target.Name, rpctypes.ErrPeerURLExist, func(ctx context.Context, c *clientv3.Client) error {
		_, err := c.MemberAdd(ctx, []string{url})
		return err
	})
}

// RemoveMember takes a node out of the cluster.
func (e *etcd) RemoveMember(ctx context.Context, target Target) error {
	return e.change(ctx, "remove "+target.Name, errNoMember, func(ctx context.Context, c *clientv3.Client) error {
		m, err := findMember(ctx, c, target)
		if err != nil {
			return err
		}
		_, err = c.MemberRemove(ctx, m.id)
		return err
	})
}

// change makes one change of members, trying again what may pass. After an attempt of which it is not known whether it
// was done, already is the sign that it was.
func (e *etcd) change(ctx context.Context, what string, already error, do func(context.Context, *clientv3.Client) error) error {
	maybeDone := false
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := e.ask(attempt, what, do)
		cancel()
		switch {
		case err == nil:
			return nil
		case maybeDone && errors.Is(err, already):
			return nil
		case !passes(err):
			return err
		}
		maybeDone = maybeDone || !isRefusedChange(err)
		select {
		case <-time.After(adminPause):
		case <-ctx.Done():
			return err
		}
	}
}

// refusedChanges are the answers to a change of members that mean "not now".
var refusedChanges = []error{
	rpctypes.ErrUnhealthy, rpctypes.ErrMemberNotEnoughStarted, rpctypes.ErrTooManyLearners, rpctypes.ErrNoLeader,
	rpctypes.ErrMemberLearnerNotReady,
}

func isRefusedChange(err error) bool {
	return slices.ContainsFunc(refusedChanges, func(refused error) bool { return errors.Is(err, refused) })
}

// passes tells whether an error of a change may be another one in a moment.
func passes(err error) bool {
	if isRefusedChange(err) || errors.Is(err, ErrNoAnswer) || isRefusal(err) {
		return true
	}
	var known rpctypes.EtcdError
	if errors.As(err, &known) {
		return etcdUndecided[known.Error()]
	}
	return !errors.Is(err, errNoMember)
}
