package world

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/history"
	"brine.test/brine/world/record"
	"brine.test/brine/world/workload"
)

// WorkSpec says what clients do, as a sentence has it.
type WorkSpec struct {
	Work    history.Work
	Clients int
	Keys    int     // registers, accounts
	CAS     bool    // registers are compared and set too
	Stale   bool    // reads are stale reads
	Rate    float64 // operations per second of all clients; 0: one after the other
	To      WorkRoute
	Service string // which service, where nodes run several with a client
}

// accountsTotal is what all accounts hold together.
const accountsTotal = 1000

// lateStop is how long after its time a workload's clients may take to stop, final reads included.
const lateStop = time.Minute

// works are the workloads of a scenario, and their one history.
type works struct {
	mu   sync.Mutex
	file *history.Writer
	rel  string // the file, as the record names it
	all  []*working
	read history.History // as of the last judgement
}

// working is a workload that was begun.
type working struct {
	what  string // the sentence
	run   *workload.Run
	route *workRoute
	timed bool          // it ends by itself
	done  chan struct{} // closed when its final reads are made
	once  sync.Once
}

// StartWork lets clients work: for a time during which the sentence waits, for the next time, or until they are told to
// stop. Every call's begin, end and outcome goes to the scenario's history, an artifact.
func (w *World) StartWork(ctx context.Context, spec WorkSpec, l Length) error {
	if err := w.openHistory(); err != nil {
		return err
	}
	services, err := w.workServices(spec.Service)
	if err != nil {
		return err
	}
	w.work.mu.Lock()
	number := len(w.work.all) + 1
	w.work.mu.Unlock()
	route := newWorkRoute(w, services, spec.To)
	meter := newMeter(w, spec.Work)
	run, err := workload.New(workload.Config{
		Work: spec.Work, Run: number, Prefix: fmt.Sprintf("w%d-", number), Clients: spec.Clients, Keys: spec.Keys,
		CAS: spec.CAS, Stale: spec.Stale, Total: accountsTotal, Seed: w.seed, Timeout: services[0].inst.Timeout, Rate: spec.Rate,
		Router: route, Now: func() int64 { return w.suite.rec.Now().Mono },
		Record: func(o history.Operation) {
			w.work.file.Add(o)
			meter.add(&o)
		},
	})
	if err != nil {
		return err
	}
	if err := run.Setup(ctx); err != nil {
		return errors.Join(err, route.close())
	}
	one := &working{what: sentenceOf(ctx), run: run, route: route, timed: l.Kind != UntilHealed, done: make(chan struct{})}
	w.work.mu.Lock()
	w.work.all = append(w.work.all, one)
	w.work.mu.Unlock()
	run.Go(w.bgCtx)
	w.background(meter.watch(one.done))
	switch l.Kind {
	case ForWait:
		waitErr := w.Wait(ctx, l.D)
		return errors.Join(waitErr, w.stopOne(context.WithoutCancel(ctx), one))
	case ForNext:
		w.background(func(bg context.Context) error {
			waitTick(bg, l.D)
			return w.stopOne(context.WithoutCancel(bg), one)
		})
	}
	return nil
}

// stopOne halts one workload's clients and makes its final reads. That those find nobody to ask is told as a warning:
// what depends on them is undecided then, and nothing else.
func (w *World) stopOne(ctx context.Context, one *working) error {
	var err error
	one.once.Do(func() {
		defer close(one.done)
		ctx, cancel := context.WithTimeout(ctx, lateStop)
		defer cancel()
		if w.bgCtx.Err() != nil {
			one.run.Halt() // the scenario ends: there is nothing to read for
		} else if stopErr := one.run.Stop(ctx); stopErr != nil {
			w.rec.Note(record.LevelWarning, "workload: "+stopErr.Error())
		}
		err = one.route.close()
	})
	return err
}

// StopWork halts all clients and makes the final reads; what is sent continuously stops too.
func (w *World) StopWork(ctx context.Context) error {
	w.work.mu.Lock()
	all := append([]*working{}, w.work.all...)
	w.work.mu.Unlock()
	var running []*working
	for _, one := range all {
		select {
		case <-one.done:
		default:
			running = append(running, one)
		}
	}
	loads, err := w.StopLoad(ctx)
	if loads && len(running) == 0 {
		return err
	}
	if len(running) == 0 {
		return errors.New("the clients stop: none is at work\nhint: begin with `5 clients read and write 3 registers continuously`")
	}
	errs := []error{err}
	for _, one := range running {
		errs = append(errs, w.stopOne(ctx, one))
	}
	return errors.Join(errs...)
}

// openHistory creates the scenario's history file, once.
func (w *World) openHistory() error {
	w.work.mu.Lock()
	defer w.work.mu.Unlock()
	if w.work.file != nil {
		return nil
	}
	path, rel := w.rec.Artifact("history.jsonl")
	file, err := history.Create(path)
	if err != nil {
		return err
	}
	w.work.file, w.work.rel = file, rel
	w.undo.Push("clients of workloads", lateStop, func(ctx context.Context) error {
		w.work.mu.Lock()
		all := append([]*working{}, w.work.all...)
		w.work.mu.Unlock()
		var errs []error
		for _, one := range all {
			errs = append(errs, w.stopOne(ctx, one))
		}
		errs = append(errs, file.Close())
		w.rec.Attach(record.Attachment{
			Name: fmt.Sprintf("history of %d operations", file.Count()), MediaType: "application/jsonl", File: rel, Size: sizeOf(path),
		})
		return errors.Join(errs...)
	})
	return nil
}

// finishedWork gives the history when no client works any more. It waits for workloads that end by themselves.
func (w *World) finishedWork(ctx context.Context) (history.History, error) {
	w.work.mu.Lock()
	all := append([]*working{}, w.work.all...)
	w.work.mu.Unlock()
	for _, one := range all {
		if !one.timed {
			select {
			case <-one.done:
			default:
				return nil, fmt.Errorf("the clients of `%s` still work: the history is not over\nhint: say `the clients stop` first", strings.TrimSpace(one.what))
			}
		}
		select {
		case <-one.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the end of `%s`: %w", one.what, ctx.Err())
		}
	}
	return w.loadHistory()
}

// loadHistory reads what was recorded so far out of its file: what is judged is what the artifact holds.
func (w *World) loadHistory() (history.History, error) {
	w.work.mu.Lock()
	defer w.work.mu.Unlock()
	if w.work.file == nil {
		return nil, errors.New("there is no history: no clients worked in this scenario\nhint: begin with `5 clients read and write 3 registers for 20s`")
	}
	if err := w.work.file.Flush(); err != nil {
		return nil, err
	}
	if n := w.work.file.Count(); len(w.work.read) == n && n > 0 {
		return w.work.read, nil
	}
	h, err := history.Load(w.work.file.Path())
	w.work.read = h
	return h, err
}
