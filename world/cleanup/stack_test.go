package cleanup_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brine.test/brine/world/cleanup"
)

type ctxKey struct{}

func nothing(context.Context) error { return nil }

func TestCloseRunsLastInFirstOut(t *testing.T) {
	var s cleanup.Stack
	var got []string
	for _, name := range []string{"namespace", "link", "container"} {
		s.Push(name, time.Second, func(context.Context) error {
			got = append(got, name)
			return nil
		})
	}
	if want := []string{"namespace", "link", "container"}; !slices.Equal(s.Pending(), want) {
		t.Errorf("Pending: got %q, want %q", s.Pending(), want)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("second Close: %v", err)
	}
	want := []string{"container", "link", "namespace"}
	if !slices.Equal(got, want) {
		t.Errorf("order: got %q, want %q", got, want)
	}
	if !slices.Equal(s.Removed(), want) {
		t.Errorf("Removed: got %q, want %q", s.Removed(), want)
	}
	if len(s.Pending()) != 0 {
		t.Errorf("Pending after Close: %q", s.Pending())
	}
}

// Failing, panicking, hanging and goroutine-ending undos are all named, and none
// keeps the others from running.
func TestCloseGoesOnAndNamesWhatFailed(t *testing.T) {
	var s cleanup.Stack
	busy := errors.New("device or resource busy")
	hang := make(chan struct{})
	defer close(hang)
	ran := 0
	fine := func(context.Context) error { ran++; return nil }

	s.Push("first", time.Second, fine)
	s.Push("veth of node1", time.Second, func(context.Context) error { return busy })
	s.Push("second", time.Second, fine)
	s.Push("veth of node2", time.Second, func(context.Context) error { panic("out of luck") })
	s.Push("veth of node3", time.Millisecond, func(context.Context) error { <-hang; return nil })
	s.Push("veth of node4", time.Second, func(context.Context) error { runtime.Goexit(); return nil })
	s.Push("third", time.Second, fine)

	err := s.Close(t.Context())
	if ran != 3 {
		t.Errorf("undos that ran: got %d, want 3", ran)
	}
	if !errors.Is(err, busy) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close lost a cause: %v", err)
	}
	for _, want := range []string{
		"veth of node1: device or resource busy",
		"veth of node2: panic: out of luck",
		"veth of node3: not done after 1ms",
		"veth of node4: ended its goroutine",
		"stack_test.go", // where the panic came from
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Close's error lacks %q:\n%v", want, err)
		}
	}
	if want := []string{"third", "second", "first"}; !slices.Equal(s.Removed(), want) {
		t.Errorf("Removed: got %q, want %q", s.Removed(), want)
	}
}

func TestUndoOutlivesTheScenariosContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, "kept"))
	cancel()
	var s cleanup.Stack
	s.Push("thing", time.Minute, func(ctx context.Context) error {
		if ctx.Err() != nil || ctx.Value(ctxKey{}) != "kept" {
			return fmt.Errorf("context: value %v, err: %w", ctx.Value(ctxKey{}), ctx.Err())
		}
		left, ok := ctx.Deadline()
		if d := time.Until(left); !ok || d > time.Minute || d < 30*time.Second {
			return fmt.Errorf("deadline in %v (%v), want the undo's own minute", d, ok)
		}
		return nil
	})
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestTheUndosOwnErrorWinsOverItsTimeLimit(t *testing.T) {
	var s cleanup.Stack
	s.Push("task of node1", time.Millisecond, func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("still in state D")
	})
	if err := s.Close(t.Context()); err == nil || err.Error() != "task of node1: still in state D" {
		t.Errorf("got %v", err)
	}
}

func TestConstructorHandsOver(t *testing.T) {
	build := func(fail bool) (kept *cleanup.Stack, undone []string, err error) {
		var undo cleanup.Stack
		defer func() { undone = undo.Removed() }()
		defer undo.CloseOnError(t.Context(), &err)
		undo.Push("part one", 0, nothing)
		if fail {
			return nil, nil, errors.New("part two: no")
		}
		undo.Push("part two", 0, nothing)
		return undo.Release(), nil, nil
	}

	kept, undone, err := build(false)
	if err != nil || len(undone) != 0 {
		t.Fatalf("success: undone %q, err %v", undone, err)
	}
	if want := []string{"part one", "part two"}; !slices.Equal(kept.Pending(), want) {
		t.Errorf("handed over: got %q, want %q", kept.Pending(), want)
	}

	_, undone, err = build(true)
	if err == nil || !slices.Equal(undone, []string{"part one"}) {
		t.Errorf("failure: undone %q, err %v", undone, err)
	}
}

func TestCloseOnErrorKeepsBothErrors(t *testing.T) {
	first, second := errors.New("make: no"), errors.New("unmake: no")
	var undo cleanup.Stack
	undo.Push("thing", 0, func(context.Context) error { return second })
	err := first
	undo.CloseOnError(t.Context(), &err)
	if !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("got %v", err)
	}
}

func TestWhatComesTooLateIsUndoneAtOnce(t *testing.T) {
	var s cleanup.Stack
	s.Push("early", 0, func(context.Context) error {
		s.Push("during", 0, nothing)
		return nil
	})
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Push("late", 0, nothing)
	s.Push("late and stuck", 0, func(context.Context) error { return errors.New("stuck") })
	if want := []string{"early", "during", "late"}; !slices.Equal(s.Removed(), want) {
		t.Errorf("Removed: got %q, want %q", s.Removed(), want)
	}
	if err := s.Close(t.Context()); err == nil || err.Error() != "late and stuck: stuck" {
		t.Errorf("next Close: got %v", err)
	}
}

// Pushes and closes from many goroutines lose no undo and run none twice.
func TestConcurrentUse(t *testing.T) {
	var s cleanup.Stack
	var mu sync.Mutex
	times := map[string]int{}
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 50 {
				name := fmt.Sprintf("%d/%d", g, i)
				s.Push(name, 0, func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					times[name]++
					return nil
				})
				if i%10 == 9 {
					if err := s.Close(context.Background()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(times) != 16*50 || len(s.Removed()) != 16*50 {
		t.Errorf("undone: %d names, Removed %d; want %d", len(times), len(s.Removed()), 16*50)
	}
	for name, n := range times {
		if n != 1 {
			t.Errorf("%s: undone %d times", name, n)
		}
	}
}
