package containers

import (
	"context"
	"sync"
	"time"
)

// Line is one line of a service's output.
type Line struct {
	Time   time.Time // when it was seen in the log, some 1 ms after it was written
	Stderr bool
	Text   string // without its end
}

// logKeep is how many lines of a service are kept in memory; the files keep
// all.
const logKeep = 50_000

// Lines are the last lines of the service's output so far, both streams in the
// order in which they were seen.
func (s *Service) Lines() []Line {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	return append([]Line(nil), s.logs.lines...)
}

// Follow returns the lines that come from now on, until ctx ends; then the
// channel is closed. A slow reader loses nothing.
func (s *Service) Follow(ctx context.Context) <-chan Line {
	q := newQueue[Line]()
	s.logs.mu.Lock()
	s.logs.queues[q] = true
	s.logs.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.logs.mu.Lock()
		delete(s.logs.queues, q)
		s.logs.mu.Unlock()
		q.close()
	})
	out := make(chan Line)
	go q.pump(ctx, out)
	return out
}

// journal is what a service's output said.
type journal struct {
	mu     sync.Mutex
	lines  []Line
	queues map[*queue[Line]]bool
}

func (j *journal) add(l Line) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.lines) >= 2*logKeep {
		j.lines = append([]Line(nil), j.lines[logKeep:]...)
	}
	j.lines = append(j.lines, l)
	for q := range j.queues {
		q.put(l)
	}
}
