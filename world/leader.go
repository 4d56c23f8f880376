package world

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/client"
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

// claims asks every running node of a service, at once and from inside its own
// network, so that an isolated node can answer too.
func (w *World) claims(ctx context.Context, e electorate) []claim {
	var asked []*Service
	for _, s := range w.voters(e) {
		if s.isUp() && !w.isPaused(s.node) {
			asked = append(asked, s)
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
			w.noteLeader(e.service, c)
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
func (w *World) findLeader(ctx context.Context, e electorate) (*Node, error) {
	claims := w.claims(ctx, e)
	n, ok := electedOf(claims, len(w.voters(e)))
	if !ok {
		return nil, fmt.Errorf("the leader of %s: there is none that can be told: %s", w.electorateName(e), listClaims(claims))
	}
	w.setLeader(e, n)
	return n, nil
}

// leaderOf is findLeader for the words of a sentence: the service or cluster
// that it names, or the only one that can be meant.
func (w *World) leaderOf(ctx context.Context, of string, near ...*Node) (*Node, electorate, error) {
	e, err := w.electorate(of, near...)
	if err != nil {
		return nil, e, err
	}
	n, err := w.findLeader(ctx, e)
	return n, e, err
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
