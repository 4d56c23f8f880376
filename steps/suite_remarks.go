package steps

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"brine.test/brine/world/record"
)

// remarks are what the console says beside sentences, by godog's id of the step.
type remarks struct {
	mu      sync.Mutex
	text    map[string]string
	choices map[string][]string // by the record's id of the step
}

// worthTelling is how long a sentence must have taken for the console to say so.
const worthTelling = 100 * time.Millisecond

// listen takes whom selectors stood for from the record.
func (r *remarks) listen(e record.Event) {
	if e.Type != record.ChoiceMade || e.Step == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.choices == nil {
		r.choices = map[string][]string{}
	}
	stood := strings.Join(e.Choice.Stood, ", ")
	if len(stood) > 60 {
		stood = fmt.Sprintf("%d nodes", len(e.Choice.Stood))
	}
	// A sentence that looks again and again asks again and again.
	if text := e.Choice.Selector + ": " + stood; !slices.Contains(r.choices[e.Step], text) {
		r.choices[e.Step] = append(r.choices[e.Step], text)
	}
}

// ended makes the remark about a step.
func (r *remarks) ended(id, step string, took time.Duration) {
	r.mu.Lock()
	parts := r.choices[step]
	delete(r.choices, step)
	r.mu.Unlock()
	if took >= worthTelling {
		parts = append([]string{fmt.Sprintf("%.1f s", took.Seconds())}, parts...)
	}
	r.set(id, strings.Join(parts, "; "))
}

func (r *remarks) set(id, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text == nil {
		r.text = map[string]string{}
	}
	r.text[id] = text
}

func (r *remarks) of(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text[id]
}
