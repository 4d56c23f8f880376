package world

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"brine.test/brine/world/client"
)

func TestCheckWithinLooksUntilItHolds(t *testing.T) {
	w := &World{}
	looks := 0
	err := w.Check(context.Background(), Bound{Kind: Within, D: 5 * time.Second}, func(context.Context) error {
		if looks++; looks < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if err != nil || looks != 3 {
		t.Errorf("expected success at look 3, got %v after %d looks", err, looks)
	}
}

func TestCheckWithinShowsTheLastRealAnswer(t *testing.T) {
	w := &World{}
	silent := client.TryResult{TimedOut: true}
	for _, cut := range []error{context.DeadlineExceeded, outcomeError(silent, "got %s", silent)} {
		looks := 0
		err := w.Check(context.Background(), Bound{Kind: Within, D: 200 * time.Millisecond}, func(ctx context.Context) error {
			if looks++; looks == 2 {
				<-ctx.Done() // the last look is cut off by the bound
				return cut
			}
			return errors.New("got v1")
		})
		if err == nil || !strings.Contains(err.Error(), "got v1") || !strings.Contains(err.Error(), "not within 200ms") {
			t.Errorf("expected the last answer and the bound, got %v", err)
		}
	}
}

func TestCheckForFailsAtTheFirstLookThatDoes(t *testing.T) {
	w := &World{}
	looks := 0
	err := w.Check(context.Background(), Bound{Kind: For, D: 10 * time.Second}, func(context.Context) error {
		if looks++; looks == 2 {
			return errors.New("gone")
		}
		return nil
	})
	if err == nil || looks != 2 || !strings.Contains(err.Error(), "gone") {
		t.Errorf("expected failure at look 2, got %v after %d looks", err, looks)
	}
}

func TestCheckForLooksDuringTheWholeTime(t *testing.T) {
	w := &World{}
	looks, began := 0, time.Now()
	err := w.Check(context.Background(), Bound{Kind: For, D: 300 * time.Millisecond}, func(context.Context) error { looks++; return nil })
	if took := time.Since(began); err != nil || took < 300*time.Millisecond || looks < 3 {
		t.Errorf("expected several looks over 300ms, got %d looks in %s: %v", looks, took, err)
	}
}

func TestCheckEndsWithItsContext(t *testing.T) {
	w := &World{}
	for _, kind := range []BoundKind{Within, For} {
		ctx, cancel := context.WithCancel(context.Background())
		began := time.Now()
		err := w.Check(ctx, Bound{Kind: kind, D: time.Hour}, func(context.Context) error {
			cancel()
			if kind == Within {
				return errors.New("no")
			}
			return nil
		})
		if err == nil || time.Since(began) > 5*time.Second {
			t.Errorf("bound %d: expected an error at once, got %v after %s", kind, err, time.Since(began))
		}
	}
}

func TestBoundedErrorIsJudged(t *testing.T) {
	w := &World{}
	err := w.Explain(w.Check(context.Background(), Bound{Kind: Within, D: 60 * time.Millisecond}, func(context.Context) error {
		return errors.New("expected \"v2\", got \"v1\"\nhint: wait longer")
	}))
	var f *failure
	if !errors.As(err, &f) {
		t.Fatalf("expected a failure with a verdict, got %T", err)
	}
	v := f.Verdict()
	if v.Expected != `"v2"` || v.Got != `"v1"` || v.Hint != "wait longer" || v.Looks == 0 || v.Tried == 0 {
		t.Errorf("expected the parts of the verdict, got %+v", v)
	}
}
