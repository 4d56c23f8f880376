package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	gonats "github.com/nats-io/nats.go"
)

// monitored asks the server's monitoring port, which tells about this server alone.
func (n *nats) monitored(ctx context.Context, path string, into any) (status int, err error) {
	transport := &http.Transport{DialContext: n.target.dial(), DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.monitor+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", n.target.Name, err)
	}
	defer res.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return res.StatusCode, fmt.Errorf("%s: %s: %w", n.target.Name, path, err)
	}
	if res.StatusCode == http.StatusNotFound {
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return res.StatusCode, fmt.Errorf("%s: %s: %w%s", n.target.Name, path, err, excerpt(body))
	}
	return res.StatusCode, nil
}

// natsMeta is the group in which all servers of a cluster with JetStream are.
const natsMeta = "_meta_"

// Leader tells who leads JetStream, the meta group: who decides about buckets, and where they are. A bucket's stream may
// have another leader. A server by itself leads itself.
func (n *nats) Leader(ctx context.Context) (Claim, error) {
	var groups map[string]map[string]struct {
		ID     string                           `json:"id"`
		State  string                           `json:"state"`
		Leader string                           `json:"leader"`
		Term   uint64                           `json:"term"`
		Peers  map[string]struct{ Name string } `json:"peers"`
	}
	status, err := n.monitored(ctx, "/raftz?group="+natsMeta, &groups)
	if err != nil {
		return Claim{}, err
	}
	if status == http.StatusNotFound {
		return Claim{Self: true, Leader: n.target.Name}, nil
	}
	for _, account := range groups {
		g, ok := account[natsMeta]
		if !ok {
			continue
		}
		claim := Claim{Self: g.State == "LEADER", Term: g.Term, Leader: g.Peers[g.Leader].Name}
		if claim.Self {
			claim.Leader = n.target.Name
		}
		return claim, nil
	}
	return Claim{}, fmt.Errorf("%s: has no JetStream group", n.target.Name)
}

// Prepare makes the bucket and waits until it is led: the first election of a new bucket may take JetStream several
// seconds, when its servers hear of it at different moments.
func (n *nats) Prepare(ctx context.Context) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptLimit)
		connected, err := n.call(attempt, n.makeBucket)
		cancel()
		if err == nil {
			return nil
		}
		if !connected {
			err = fmt.Errorf("connect: %w", err)
		}
		select {
		case <-time.After(adminPause):
		case <-ctx.Done():
			return fmt.Errorf("%s: make the bucket %s: %w", n.target.Name, natsBucket, err)
		}
	}
}

// Position is the last sequence number of the bucket that this server has.
func (n *nats) Position(ctx context.Context) (uint64, error) {
	var all struct {
		Accounts []struct {
			Streams []struct {
				Name  string `json:"name"`
				State struct {
					Last uint64 `json:"last_seq"`
				} `json:"state"`
			} `json:"stream_detail"`
		} `json:"account_details"`
	}
	if _, err := n.monitored(ctx, "/jsz?accounts=true&streams=true", &all); err != nil {
		return 0, err
	}
	for _, account := range all.Accounts {
		for _, s := range account.Streams {
			if s.Name == natsStream {
				return s.State.Last, nil
			}
		}
	}
	return 0, nil
}

// Health asks the server's own check.
func (n *nats) Health(ctx context.Context) error {
	var answer struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}
	status, err := n.monitored(ctx, "/healthz", &answer)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: health: %s: %s", n.target.Name, answer.Status, answer.Error)
	}
	return err
}

// administer asks something that only the system account may.
func (n *nats) administer(ctx context.Context, what, subject string, question any) error {
	s, err := n.open(ctx, gonats.UserInfo("sys", "sys"))
	if err == nil {
		defer s.close()
		err = natsAsk(ctx, s.nc, subject, question, nil)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", n.target.Name, what, err)
	}
	return nil
}

// MoveLeader asks the leader of JetStream to step down in favour of target.
func (n *nats) MoveLeader(ctx context.Context, target Target) error {
	return n.administer(ctx, "move the leader to "+target.Name, "$JS.API.META.LEADER.STEPDOWN",
		map[string]any{"placement": map[string]string{"preferred": target.Name}})
}

// AddMember does nothing: a server joins by the routes in its configuration.
func (n *nats) AddMember(context.Context, Target) error { return nil }

// RemoveMember takes a server out of JetStream's group and its buckets. JetStream wants it stopped before; it is asked
// until it does.
func (n *nats) RemoveMember(ctx context.Context, target Target) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := n.administer(attempt, "remove "+target.Name, "$JS.API.SERVER.REMOVE", map[string]string{"peer": target.Name})
		cancel()
		var refused *natsError
		if err == nil || errors.As(err, &refused) {
			return err
		}
		select {
		case <-time.After(adminPause):
		case <-ctx.Done():
			return err
		}
	}
}
