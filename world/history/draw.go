package history

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Span is a time that a drawing shows beside the operations, as that of a harm. Times as an operation's.
type Span struct {
	Text       string
	Begin, End int64
}

// drawnSteps is about how many operations a drawing shows.
const drawnSteps = 120

// draw chooses what a drawing shows: the proof, and what was near it.
func (r *Result) draw(c *chunk, proof []*step) {
	r.proof = map[*Operation]bool{}
	for _, s := range proof {
		r.proof[s.op] = true
	}
	near := slices.Clone(c.steps)
	if len(near) > drawnSteps {
		middle := proof[len(proof)-1].call
		slices.SortStableFunc(near, func(a, b *step) int { return cmp.Compare(abs(a.call-middle), abs(b.call-middle)) })
		near = near[:drawnSteps]
	}
	near = slices.DeleteFunc(near, func(one *step) bool { return one.avoids })
	for _, one := range c.steps {
		if r.proof[one.op] && !slices.Contains(near, one) {
			near = append(near, one)
		}
	}
	// A compare-and-set whose expected value nobody in the drawing wrote is drawn as a write.
	var s shrinker
	s.know(near)
	for i, one := range near {
		if one.changes && one.looks && one.surely && s.writers[one.sees] == nil {
			blind := *one
			blind.looks = false
			near[i] = &blind
		}
	}
	s.know(c.steps)
	r.drawn = s.closedIn(near)
}

func abs(v int64) int64 { return max(v, -v) }

// Drawing writes porcupine's page of the violation: the operations near the proof, how far an order of them gets, and
// the harms. It writes nothing when there is no violation.
func (r *Result) Drawing(path string, harms []Span) error {
	if r.Violation == nil || len(r.drawn) == 0 {
		return nil
	}
	info := r.searched()
	first, last := r.drawn[0].call, int64(0)
	for _, s := range r.drawn {
		if s.end != forever {
			last = max(last, s.end)
		}
	}
	var notes []porcupine.Annotation
	for _, h := range harms {
		begin, end := max(h.Begin, first), min(h.End, last)
		if begin > last || end < first {
			continue
		}
		notes = append(notes, porcupine.Annotation{
			Tag: "harm", Start: begin, End: end, Description: h.Text, BackgroundColor: "#ffb3b3",
			Details: fmt.Sprintf("%s, from %s to %s", h.Text, seconds(h.Begin-r.base), seconds(h.End-r.base)),
		})
	}
	for _, s := range r.drawn {
		if r.proof[s.op] {
			end := min(s.end, last)
			notes = append(notes, porcupine.Annotation{
				Tag: "the proof", Start: s.call, End: end, Description: s.describe(), BackgroundColor: "#ffe08a",
				Details: s.op.who() + ", " + time.Duration(end-s.call).String(),
			})
		}
	}
	info.AddAnnotations(notes)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	if err := porcupine.VisualizePath(registerModel, *info, path); err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	return nil
}
