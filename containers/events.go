package containers

import (
	"context"
	"fmt"
	"sync"
	"time"

	apievents "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/typeurl/v2"
)

// EventKind is what happened to a service.
type EventKind string

// The kinds of events.
const (
	EventStart   EventKind = "start"
	EventExit    EventKind = "exit"
	EventOOM     EventKind = "oom" // the kernel killed a process of it for lack of memory
	EventPaused  EventKind = "paused"
	EventResumed EventKind = "resumed"
)

// Event is something that happened to a service.
type Event struct {
	Time    time.Time
	Group   string
	Node    string
	Service string
	Kind    EventKind
	Code    int  // exit code, 128+signal when a signal ended it
	Signal  int  // that signal, or 0
	OOM     bool // an exit for lack of memory
}

// Subscribe returns the events of all groups from now on, in order, until ctx
// ends or the runtime closes; then the channel is closed. A slow reader loses
// nothing.
func (rt *Runtime) Subscribe(ctx context.Context) <-chan Event {
	return rt.events.subscribe(ctx)
}

// dispatcher hears containerd's events for this run and tells services and
// subscribers.
type dispatcher struct {
	rt     *Runtime
	cancel context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex
	services map[string]*Service // by container
	queues   map[*queue[Event]]bool
}

// startDispatcher returns when containerd has taken the subscription: nothing
// that happens later is missed.
func startDispatcher(rt *Runtime) (*dispatcher, error) {
	ctx, cancel := context.WithCancel(context.Background())
	d := &dispatcher{rt: rt, cancel: cancel, ended: make(chan struct{}), services: map[string]*Service{}, queues: map[*queue[Event]]bool{}}
	stream, errs := rt.client.EventService().Subscribe(ctx, fmt.Sprintf(`namespace==%q,topic~="^/(tasks|brine)/"`, namespaceOf(rt.cfg.RunID)))
	if err := d.hear(rt.runCtx(ctx), stream, errs); err != nil {
		cancel()
		return nil, fmt.Errorf("subscribe to containerd's events: %w", err)
	}
	go d.run(stream, errs)
	return d, nil
}

// hear sends an event of our own until it comes back.
func (d *dispatcher) hear(ctx context.Context, stream <-chan *events.Envelope, errs <-chan error) error {
	for deadline := time.Now().Add(undoTime); time.Now().Before(deadline); {
		if err := d.rt.client.EventService().Publish(ctx, "/brine/hello", &apievents.TaskStart{ContainerID: "hello"}); err != nil {
			return err
		}
		select {
		case <-stream:
			return nil
		case err := <-errs:
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
	return context.DeadlineExceeded
}

func (d *dispatcher) run(stream <-chan *events.Envelope, errs <-chan error) {
	defer close(d.ended)
	for {
		select {
		case e := <-stream:
			d.take(e)
		case <-errs:
			d.lost()
			return
		}
	}
}

// take handles one event of containerd.
func (d *dispatcher) take(e *events.Envelope) {
	decoded, err := typeurl.UnmarshalAny(e.Event)
	if err != nil {
		return // of a kind that we do not use
	}
	switch ev := decoded.(type) {
	case *apievents.TaskStart:
		if s := d.service(ev.ContainerID); s != nil {
			s.emit(Event{Time: e.Timestamp, Kind: EventStart})
		}
	case *apievents.TaskExit:
		if s := d.service(ev.ContainerID); s != nil && ev.ID == ev.ContainerID {
			s.exited(int(ev.ExitStatus), ev.ExitedAt.AsTime())
		}
	case *apievents.TaskOOM:
		if s := d.service(ev.ContainerID); s != nil {
			go s.starved(e.Timestamp)
		}
	}
}

// lost is called when containerd is gone: what it ran is taken for dead.
func (d *dispatcher) lost() {
	d.mu.Lock()
	var all []*Service
	for _, s := range d.services {
		all = append(all, s)
	}
	d.mu.Unlock()
	for _, s := range all {
		if pids, err := s.cgroup.Pids(); err != nil || len(pids) == 0 {
			s.exited(255, time.Now())
		}
	}
}

func (d *dispatcher) register(s *Service) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.services[s.id] = s
}

func (d *dispatcher) forget(s *Service) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.services, s.id)
}

func (d *dispatcher) service(id string) *Service {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.services[id]
}

func (d *dispatcher) stop() {
	d.cancel()
	<-d.ended
	d.mu.Lock()
	defer d.mu.Unlock()
	for q := range d.queues {
		q.close()
	}
}

func (d *dispatcher) publish(e Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for q := range d.queues {
		q.put(e)
	}
}

func (d *dispatcher) subscribe(ctx context.Context) <-chan Event {
	q := newQueue[Event]()
	d.mu.Lock()
	d.queues[q] = true
	d.mu.Unlock()
	out := make(chan Event)
	context.AfterFunc(ctx, func() {
		d.mu.Lock()
		delete(d.queues, q)
		d.mu.Unlock()
		q.close()
	})
	go q.pump(ctx, out)
	return out
}

// emit tells the subscribers of something that happened to the service.
func (s *Service) emit(e Event) {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	e.Group, e.Node, e.Service = s.node.group.Name, s.node.Name, s.Name
	s.node.group.rt.events.publish(e)
}

// starved takes in containerd's word that some process under the limit is
// about to be killed. On cgroup v1 a limit of the node tells all its services,
// so only the count of kills, which follows in a moment, says whose it was.
func (s *Service) starved(at time.Time) {
	for deadline := time.Now().Add(200 * time.Millisecond); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		n, err := s.cgroup.OOMKills()
		if err != nil {
			return
		}
		if s.countOOM(n) {
			s.emit(Event{Time: at, Kind: EventOOM})
			return
		}
	}
}

// countOOM notes how often the kernel killed in the present life and tells
// whether that is news.
func (s *Service) countOOM(kills int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cur == nil || kills <= s.cur.kills {
		return false
	}
	s.cur.kills = kills
	return true
}
