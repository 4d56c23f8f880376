package containers

import (
	"context"
	"sync"
)

// queue hands things to one subscriber, however slow, without holding up who
// puts them in.
type queue[T any] struct {
	mu     sync.Mutex
	items  []T
	wake   chan struct{}
	closed bool
}

func newQueue[T any]() *queue[T] { return &queue[T]{wake: make(chan struct{}, 1)} }

func (q *queue[T]) put(e T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.items = append(q.items, e)
	q.signal()
}

func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue[T]) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue[T]) take() (items []T, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	items, q.items = q.items, nil
	return items, q.closed
}

// pump moves things to out until the queue closes or ctx ends.
func (q *queue[T]) pump(ctx context.Context, out chan<- T) {
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
