package world

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/client"
	sel "brine.test/brine/world/selector"
)

// askTimeout bounds one question to one node: who leads?
const askTimeout = time.Second

// moveLeaderWithin is how long a leader may take to hand over.
const moveLeaderWithin = 30 * time.Second

// claim is what one node answered when asked who leads.
type claim struct {
	node *Node
	client.Claim
	err error
}

// String says it for a person.
func (c claim) String() string {
	switch {
	case c.err != nil:
		return fmt.Sprintf("%s: no answer (%v)", c.node.Name, firstLine(c.err))
	case c.Self && c.Term > 0:
		return fmt.Sprintf("%s claims to lead in term %d", c.node.Name, c.Term)
	case c.Self:
		return fmt.Sprintf("%s claims to lead", c.node.Name)
	case c.Leader != "":
		return fmt.Sprintf("%s names %s", c.node.Name, c.Leader)
	}
	return c.node.Name + " knows no leader"
}

// leaderService finds which service of the cluster has leaders: the one named,
// or the only one whose client can tell.
func (w *World) leaderService(name string) (string, error) {
	can, all := map[string]bool{}, map[string]bool{}
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			all[s.Name] = true
			if client.CanLead(s.def.Client) {
				can[s.Name] = true
			}
		}
	}
	if name != "" {
		switch {
		case !all[name]:
			return "", fmt.Errorf("the leader of %s: no such service\nhint: there is %s", name, listWords(keys(all)))
		case !can[name]:
			return "", fmt.Errorf("the leader of %s: this service has no notion of a leader\nhint: give its service file a client with \"leader\"", name)
		}
		return name, nil
	}
	switch len(can) {
	case 0:
		return "", fmt.Errorf("the leader: no service here has a notion of a leader (there is %s)", listWords(keys(all)))
	case 1:
		return keys(can)[0], nil
	}
	return "", fmt.Errorf("the leader: %s could each have one\nhint: say \"the leader of %s\"", listWords(keys(can)), keys(can)[0])
}

// claims asks every running node of a service, at once and from inside its own
// network, so that an isolated node can answer too.
func (w *World) claims(ctx context.Context, service string) []claim {
	var asked []*Service
	for _, n := range w.allNodes() {
		for _, s := range n.services {
			if s.Name == service && s.isUp() && !w.isPaused(n) {
				asked = append(asked, s)
			}
		}
	}
	out := make([]claim, len(asked))
	var wg sync.WaitGroup
	for i, s := range asked {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ctx, cancel := context.WithTimeout(ctx, askTimeout)
			defer cancel()
			c, err := s.askLeader(ctx)
			out[i] = claim{node: s.node, Claim: c, err: err}
		}()
	}
	wg.Wait()
	for _, c := range out {
		if c.err == nil && c.Self {
			w.noteLeader(service, c)
		}
	}
	return out
}

// electedOf chooses the leader out of the claims: the claimant, of several the
// one with the highest term, else the one that a majority names.
func electedOf(claims []claim, size int) (*Node, bool) {
	var best []claim
	for _, c := range claims {
		if c.err != nil || !c.Self {
			continue
		}
		switch {
		case len(best) == 0 || c.Term > best[0].Term:
			best = []claim{c}
		case c.Term == best[0].Term:
			best = append(best, c)
		}
	}
	if len(best) == 1 {
		return best[0].node, true
	}
	if len(best) == 0 {
		return nil, false
	}
	votes := map[string]int{}
	for _, c := range claims {
		if c.err == nil {
			votes[c.Leader]++
		}
	}
	for _, c := range best {
		if votes[c.node.Name] > size/2 {
			return c.node, true
		}
	}
	return nil, false
}

// findLeader asks who leads now, and remembers the answer as the last known.
func (w *World) findLeader(ctx context.Context, service string) (*Node, error) {
	service, err := w.leaderService(service)
	if err != nil {
		return nil, err
	}
	claims := w.claims(ctx, service)
	n, ok := electedOf(claims, w.sizeOf(service))
	if !ok {
		return nil, fmt.Errorf("the leader of %s: there is none that can be told: %s", service, listClaims(claims))
	}
	w.setLeader(service, n)
	return n, nil
}

func listClaims(claims []claim) string {
	if len(claims) == 0 {
		return "no node of it runs"
	}
	words := make([]string, len(claims))
	for i, c := range claims {
		words[i] = c.String()
	}
	return strings.Join(words, "; ")
}

// setLeader notes the last known leader, and the one before it.
func (w *World) setLeader(service string, n *Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.leaders[service]
	if l == nil {
		w.leaders[service] = &leadership{now: n}
		return
	}
	if l.now != n {
		l.old, l.now = l.now, n
	}
}

// leadership is the last known leader of a service and the one before. moved
// says that a sentence moved it and that no harm was done since: "the leader
// has changed" then means that move.
type leadership struct {
	now, old *Node
	moved    bool
}

// oldLeader is the last known leader before the present one.
func (w *World) oldLeader(service string) (*Node, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, l := range w.leaders {
		if (service == "" || name == service) && l.old != nil {
			return l.old, nil
		}
	}
	return nil, errors.New("the old leader: no change of leader was seen in this scenario\nhint: say \"Then the leader has changed within 10s\" before it")
}

// ExactlyOneLeader holds when just one node claims to lead, in the highest term.
func (w *World) ExactlyOneLeader(ctx context.Context, b Bound) error {
	return w.Check(ctx, b, func(ctx context.Context) error {
		claimants, all, err := w.claimants(ctx)
		if err != nil {
			return err
		}
		if len(claimants) != 1 {
			return fmt.Errorf("expected exactly one leader, got %d: %s", len(claimants), listClaims(all))
		}
		return nil
	})
}

// NeverMoreThanOneLeader holds while no term has two claimants.
func (w *World) NeverMoreThanOneLeader(ctx context.Context, b Bound) error {
	return w.Check(ctx, b, func(ctx context.Context) error {
		claimants, all, err := w.claimants(ctx)
		if err != nil {
			return err
		}
		if len(claimants) > 1 {
			return fmt.Errorf("expected at most one leader, got %d: %s", len(claimants), listClaims(all))
		}
		return nil
	})
}

// claimants are those who claim to lead in the highest term.
func (w *World) claimants(ctx context.Context) (top, all []claim, err error) {
	service, err := w.leaderService("")
	if err != nil {
		return nil, nil, err
	}
	all = w.claims(ctx, service)
	for _, c := range all {
		switch {
		case c.err != nil || !c.Self:
		case len(top) == 0 || c.Term > top[0].Term:
			top = []claim{c}
		case c.Term == top[0].Term:
			top = append(top, c)
		}
	}
	return top, all, nil
}

// IsLeader holds when the leader is one of the nodes.
func (w *World) IsLeader(ctx context.Context, who sel.Selector, b Bound) error {
	nodes, err := w.Resolve(ctx, who)
	if err != nil {
		return err
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		leader, err := w.findLeader(ctx, who.Service)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if n == leader {
				return nil
			}
		}
		return fmt.Errorf("expected %s to lead, got %s", listOr(nodeNames(nodes)), leader.Name)
	})
}

// LeaderChanged holds when the leader differs from the last known one.
func (w *World) LeaderChanged(ctx context.Context, b Bound) error {
	service, err := w.leaderService("")
	if err != nil {
		return err
	}
	w.mu.Lock()
	var before *Node
	if l := w.leaders[service]; l != nil {
		before = l.now
	}
	w.mu.Unlock()
	if before == nil {
		return fmt.Errorf("the leader of %s: none was known before", service)
	}
	return w.Check(ctx, b, func(ctx context.Context) error {
		claims := w.claims(ctx, service)
		n, ok := electedOf(claims, w.sizeOf(service))
		if !ok {
			return fmt.Errorf("expected another leader than %s, got none: %s", before.Name, listClaims(claims))
		}
		if n == before && !w.wasMoved(service) {
			return fmt.Errorf("expected another leader than %s, got the same: %s", before.Name, listClaims(claims))
		}
		w.setLeader(service, n)
		return nil
	})
}

// BecomeLeader asks the service to move its leader and waits until it has.
func (w *World) BecomeLeader(ctx context.Context, who sel.Selector) error {
	target, err := w.One(ctx, who)
	if err != nil {
		return err
	}
	service, err := w.leaderService(who.Service)
	if err != nil {
		return err
	}
	if ts, err := target.service(service); err != nil {
		return err
	} else if !client.Can(ts.def.Client, catalogue.OpMoveLeader) {
		return fmt.Errorf("%s: its client cannot move the leader\nhint: give its service file a client with \"move_leader\"", service)
	}
	return w.Check(ctx, Bound{Kind: Within, D: moveLeaderWithin}, func(ctx context.Context) error {
		leader, err := w.findLeader(ctx, service)
		if err != nil {
			return err
		}
		if leader == target {
			return nil
		}
		from, err := leader.service(service)
		if err != nil {
			return err
		}
		to, err := target.service(service)
		if err != nil {
			return err
		}
		if err := from.moveLeader(ctx, to); err != nil {
			return fmt.Errorf("move the leader from %s to %s: %w", leader.Name, target.Name, err)
		}
		w.leaderMoved(service)
		return fmt.Errorf("%s still leads", leader.Name)
	})
}

func (w *World) leaderMoved(service string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.leaders[service]; l != nil {
		l.moved = true
	}
}

func (w *World) wasMoved(service string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.leaders[service].moved
}

func (w *World) sizeOf(service string) int {
	n := 0
	for _, node := range w.allNodes() {
		for _, s := range node.services {
			if s.Name == service {
				n++
			}
		}
	}
	return n
}

func keys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func listOr(words []string) string {
	return strings.ReplaceAll(listWords(words), " and ", " or ")
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
