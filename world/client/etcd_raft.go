package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// maxRaftStatus bounds what is read of a member's variables, in bytes; they are some 10 KB.
const maxRaftStatus = 1 << 20

// raftStatus is what Raft itself says on a member: its role and its term at one instant.
//
// The status of etcd's own API does not: it has the leader from Raft at once, but the term from the last entry that was
// applied (etcdserver.setTerm). A member that has just won an election claims to lead in the term before until its first
// entry is committed, and would stand beside the old leader as a second one of that term.
type raftStatus struct {
	Term  uint64 `json:"term"`
	State string `json:"raftState"`
}

// raftOf asks a member for its Raft status: the variable raft.status, which etcd serves where its API is (3.4 and later).
func (e *etcd) raftOf(ctx context.Context) (raftStatus, error) {
	var vars struct {
		Status raftStatus `json:"raft.status"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.address+"/debug/vars", nil)
	if err != nil {
		return vars.Status, err
	}
	transport := &http.Transport{DialContext: e.target.dial(), DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return vars.Status, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end, or given up
	if resp.StatusCode != http.StatusOK {
		return vars.Status, fmt.Errorf("raft status: answered %s", resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRaftStatus)).Decode(&vars); err != nil {
		return vars.Status, fmt.Errorf("raft status: %w", err)
	}
	if vars.Status.Term == 0 {
		return vars.Status, fmt.Errorf("raft status: there is none")
	}
	return vars.Status, nil
}

// settle corrects a claim to lead by Raft's own word. A member that does not give it is taken at the word it gave.
func (e *etcd) settle(ctx context.Context, c Claim) Claim {
	raft, err := e.raftOf(ctx)
	if err != nil {
		return c
	}
	c.Term, c.Self = raft.Term, raft.State == "StateLeader"
	return c
}
