package world

import (
	"context"
	"fmt"
	"slices"
	"time"

	sel "brine.test/brine/world/selector"
)

// frame is one sentence: its words, when it began, and what it has named so
// far; "the other nodes" depends on it.
type frame struct {
	text  string
	at    time.Time
	named map[*Node]bool
}

type frameKey struct{}

// Sentence gives ctx a frame of its own, so that "the other nodes" means those
// that this sentence, or else the last one that named some, left out.
// Its words are text. The returned function ends the sentence.
func (w *World) Sentence(ctx context.Context, text string) (context.Context, func()) {
	f := &frame{text: text, at: time.Now(), named: map[*Node]bool{}}
	return context.WithValue(ctx, frameKey{}, f), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(f.named) > 0 && blowOf(ctx) == nil { // what strikes beside the steps does not change what they mean
			w.lastNamed = f.named
		}
	}
}

// sentenceOf gives the words of the sentence that ctx is in.
func sentenceOf(ctx context.Context) string {
	if f, _ := ctx.Value(frameKey{}).(*frame); f != nil {
		return f.text
	}
	return ""
}

// sentenceBegan is when the sentence that ctx is in began, or what is given
// where it is in none.
func sentenceBegan(ctx context.Context, or time.Time) time.Time {
	if f, _ := ctx.Value(frameKey{}).(*frame); f != nil {
		return f.at
	}
	return or
}

// name notes that the sentence has named nodes.
func name(ctx context.Context, nodes ...*Node) {
	if f, _ := ctx.Value(frameKey{}).(*frame); f != nil {
		for _, n := range nodes {
			f.named[n] = true
		}
	}
}

func (w *World) others(ctx context.Context, all []*Node) ([]*Node, error) {
	f, _ := ctx.Value(frameKey{}).(*frame)
	w.mu.Lock()
	not := w.lastNamed
	w.mu.Unlock()
	if f != nil && len(f.named) > 0 {
		not = f.named
	}
	if len(not) == 0 {
		return nil, fmt.Errorf("the other nodes: no sentence has named a node yet")
	}
	// The others are those of the same cluster.
	clusters := map[*Cluster]bool{}
	for n := range not {
		clusters[n.cluster] = true
	}
	var out []*Node
	for _, n := range all {
		if !not[n] && clusters[n.cluster] {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the other nodes: there are none")
	}
	return out, nil
}

// othersLast gives the indices of selectors in the order to resolve them.
func othersLast(all []sel.Selector) (order []int) {
	var last []int
	for i, s := range all {
		if slices.ContainsFunc(s.Each(), func(part sel.Selector) bool { return part.Kind == sel.Others }) {
			last = append(last, i)
		} else {
			order = append(order, i)
		}
	}
	return append(order, last...)
}
