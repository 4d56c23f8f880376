package world

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	sel "brine.test/brine/world/selector"
	"brine.test/brine/xdpfault"
)

// mark is a moment, and what the kernel had counted then. Counters are read
// only in scenarios that look back at them.
type mark struct {
	at      time.Time
	traffic xdpfault.Traffic
}

func (w *World) mark() mark {
	m := mark{at: time.Now()}
	if w.scenario.Needs.Traffic && w.faults != nil {
		m.traffic = w.faults.Traffic()
	}
	return m
}

// Span is the time of a harm that is over.
type Span struct {
	Harm       string // what was done: "node2 isolated"
	ID         string
	Begin, End time.Time

	from, until mark
}

// During finds the harm that the words after "while" mean, and its time: the
// last one whose sentence begins so ("node2 was isolated", "packets to node2
// were delayed"), else the last of that kind on those nodes ("the old leader
// was killed"). It must be over; one that ends by itself is waited for.
func (w *World) During(ctx context.Context, text string) (Span, error) {
	harms := w.allHarms()
	a, who, err := w.meant(ctx, harms, text)
	if err != nil {
		return Span{}, err
	}
	if err := a.expire(ctx, who); err != nil {
		return Span{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	until, over := a.until, a.done
	if !over {
		until, over = a.overFor(who)
	}
	if !over {
		return Span{}, fmt.Errorf("while %s: %s is still on\nhint: heal it first, or give it a length: `for 5s`", text, a.what)
	}
	return Span{Harm: a.what, ID: a.id, Begin: a.from.at, End: until.at, from: a.from, until: until}, nil
}

// expireWithin is how long after its time a harm may take to heal.
const expireWithin = 30 * time.Second

// expire waits for the end of a harm that goes on beside the sentences, "for the next 5s".
func (a *active) expire(ctx context.Context, who []*Node) error {
	if a.lasts.Kind != ForNext {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, a.begun.Add(a.lasts.D+expireWithin))
	defer cancel()
	for !a.over(who) {
		if !waitTick(ctx, lookEvery) {
			return fmt.Errorf("%s: did not end in its time: %w", a.named(), context.Cause(ctx))
		}
	}
	return nil
}

// over tells whether the harm is over, for some nodes at least.
func (a *active) over(who []*Node) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done {
		return true
	}
	_, freed := a.overFor(who)
	return freed
}

// overFor tells when the harm ended for all of some nodes that were released
// from it; a.mu is held.
func (a *active) overFor(who []*Node) (last mark, over bool) {
	for _, n := range who {
		end, ok := a.freed[n]
		if !ok {
			return mark{}, false
		}
		if end.at.After(last.at) {
			last = end
		}
	}
	return last, len(who) > 0
}

// verbs are the harms that are known by their verb.
var verbs = map[string]harmKind{"isolated": kindIsolate, "killed": kindKill, "stopped": kindStop, "paused": kindPause}

var wasHarmed = regexp.MustCompile(`^(.+?) was (\w+)$`)

// meant picks the harm that words in the past mean, and the nodes that they name.
func (w *World) meant(ctx context.Context, harms []*active, text string) (*active, []*Node, error) {
	words := past(text)
	var who []*Node
	kind := harmKind("")
	if m := wasHarmed.FindStringSubmatch(words); m != nil && verbs[m[2]] != "" {
		kind = verbs[m[2]]
		if s, err := sel.Parse(m[1]); err == nil {
			who, err = w.resolve(ctx, s)
			if err != nil && s.Kind == sel.Named {
				return nil, nil, err
			}
		}
	}
	for i := len(harms) - 1; i >= 0; i-- {
		a := harms[i]
		if a.said == words || strings.HasPrefix(a.said, words+" ") {
			if kind == "" || !includes(a.who, who) {
				who = a.who
			}
			return a, who, nil
		}
		if kind != "" && a.kind == kind && len(who) > 0 && includes(a.who, who) {
			return a, who, nil
		}
	}
	return nil, nil, unmeant(harms, text)
}

func unmeant(harms []*active, text string) error {
	if len(harms) == 0 {
		return fmt.Errorf("while %s: nothing was harmed in this scenario", text)
	}
	var said []string
	seen := map[string]bool{}
	for _, a := range harms {
		if s := a.said; s != "" && !seen[s] {
			seen[s] = true
			said = append(said, "`while "+s+"`")
		}
	}
	if len(said) == 0 {
		return fmt.Errorf("while %s: no harm of this scenario is meant", text)
	}
	return fmt.Errorf("while %s: no harm of this scenario is meant\nhint: write %s", text, strings.Join(said, ", or "))
}

func includes(all, some []*Node) bool {
	return len(without(some, all)) == 0
}

var (
	lengthTail = regexp.MustCompile(` for (?:the next )?\d[^"]*$`)
	presents   = regexp.MustCompile(`(^| )(is|are|were|fails?|flaps?|cannot|hangs?|takes?|runs?|loses?|jumps?|strikes?)( |$)`)
)

var pasts = map[string]string{
	"is": "was", "are": "was", "were": "was", "fail": "failed", "flap": "flapped", "cannot": "could not", "hang": "hung",
	"take": "took", "run": "ran", "lose": "lost", "jump": "jumped", "strike": "struck",
}

// past gives a sentence that harms as it stands after "while", without its
// length: "node2 and node3 are isolated for 5s" is "node2 and node3 was
// isolated", one number for both.
func past(sentence string) string {
	sentence = lengthTail.ReplaceAllString(strings.Join(strings.Fields(sentence), " "), "")
	at := presents.FindStringSubmatchIndex(sentence)
	if at == nil {
		return sentence
	}
	verb := sentence[at[4]:at[5]]
	then, ok := pasts[verb]
	if !ok {
		then = pasts[strings.TrimSuffix(verb, "s")]
	}
	return sentence[:at[4]] + then + sentence[at[5]:]
}
