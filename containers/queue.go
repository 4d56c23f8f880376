package containers

import (
	"context"
	"sync"
)

// queue hands events to one subscriber, however slow, without holding up who
// puts them in.
type queue struct {
	mu     sync.Mutex
	items  []Event
	wake   chan struct{}
	closed bool
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

func (q *queue) put(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.items = append(q.items, e)
	q.signal()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) take() (items []Event, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	items, q.items = q.items, nil
	return items, q.closed
}

// pump moves events to out until the queue closes or ctx ends.
func (q *queue) pump(ctx context.Context, out chan<- Event) {
	defer close(out)
	for {
		items, closed := q.take()
		for _, e := range items {
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
		if closed {
			return
		}
		<-q.wake
	}
}
