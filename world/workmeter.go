package world

import (
	"context"
	"sync"
	"time"

	"brine.test/brine/world/history"
	"brine.test/brine/world/record"
)

// meter tells the record, once a second, how a workload fares. The operations themselves are in the history file: there
// may be a thousand in each second.
type meter struct {
	w    *World
	work history.Work

	mu      sync.Mutex
	counts  map[string]float64
	slowest time.Duration
}

const meterEvery = time.Second

func newMeter(w *World, work history.Work) *meter {
	return &meter{w: w, work: work, counts: map[string]float64{}}
}

func (m *meter) add(o *history.Operation) {
	if o.Client == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	outcome := string(o.Outcome)
	if o.Conflict {
		outcome = string(history.OK) // it was answered
	}
	m.counts[outcome]++
	m.slowest = max(m.slowest, time.Duration(o.End-o.Start))
}

// watch writes samples until done is closed.
func (m *meter) watch(done <-chan struct{}) func(context.Context) error {
	return func(ctx context.Context) error {
		tick := time.NewTicker(meterEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-done:
				return nil
			case <-tick.C:
				m.write()
			}
		}
	}
}

func (m *meter) write() {
	m.mu.Lock()
	counts, slowest := m.counts, m.slowest
	m.counts, m.slowest = map[string]float64{}, 0
	m.mu.Unlock()
	for _, outcome := range []history.Outcome{history.OK, history.Failed, history.Unknown} {
		m.w.rec.Sample(record.Sample{
			Series: string(m.work) + ": operations", Subject: string(outcome), Unit: "per second", Value: counts[string(outcome)] / meterEvery.Seconds(),
		})
	}
	m.w.rec.Sample(record.Sample{Series: string(m.work) + ": slowest operation", Unit: "ms", Value: float64(slowest) / float64(time.Millisecond)})
}
