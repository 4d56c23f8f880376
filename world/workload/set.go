package workload

import (
	"context"
	"sync"

	"brine.test/brine/world/client"
	"brine.test/brine/world/history"
)

// set adds elements, each a fresh key, and looks for some that were added.
type set struct {
	Config
	mu    sync.Mutex
	added []string // whose add has begun
}

func (s *set) key(element string) string { return s.Prefix + "e" + element }

func (s *set) first() map[string]string { return nil }

func (s *set) needs(client.Client) error { return nil }

func (s *set) do(ctx context.Context, a *actor) {
	if a.rng.IntN(3) == 0 {
		if e, ok := s.some(a); ok {
			a.read(ctx, s.key(e), e)
			return
		}
	}
	e := a.stamp()
	s.mu.Lock()
	s.added = append(s.added, e)
	s.mu.Unlock()
	a.write(ctx, history.Operation{Act: history.Add, Key: s.key(e), Value: "in", Element: e})
}

// some chooses an element, half of the time one of the latest.
func (s *set) some(a *actor) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.added)
	if n == 0 {
		return "", false
	}
	from := 0
	if a.rng.IntN(2) == 0 {
		from = max(0, n-20)
	}
	return s.added[from+a.rng.IntN(n-from)], true
}

func (s *set) last() []finalRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []finalRead
	for _, e := range s.added {
		all = append(all, finalRead{s.key(e), e})
	}
	return all
}
