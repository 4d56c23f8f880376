package shrink_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brine.test/brine/world/random"
	"brine.test/brine/world/shrink"
)

// schedule has n faults, a second apart, of 2 s each.
func schedule(n int) random.File {
	s := random.Schedule{Asked: "random faults strike", Length: time.Duration(n+2) * time.Second}
	for i := range n {
		s.Strikes = append(s.Strikes, random.Strike{At: time.Duration(i+1) * time.Second, For: 2 * time.Second, Fault: fmt.Sprintf("fault %d", i)})
	}
	return random.File{Scenario: "x", Schedules: []random.Schedule{s}}
}

// needs fails when all of the faults strike, each for at least so long.
func needs(least time.Duration, which ...int) shrink.Try {
	return func(_ context.Context, f random.File) (bool, error) {
		for _, i := range which {
			if !slices.ContainsFunc(f.Schedules[0].Strikes, func(k random.Strike) bool {
				return k.Fault == fmt.Sprintf("fault %d", i) && k.For >= least
			}) {
				return false, nil
			}
		}
		return true, nil
	}
}

func TestSmallest(t *testing.T) {
	tried := atomic.Int64{}
	try := needs(400*time.Millisecond, 5)
	got, err := shrink.Smallest(t.Context(), schedule(8), func(ctx context.Context, f random.File) (bool, error) {
		tried.Add(1)
		return try(ctx, f)
	}, shrink.Options{Parallel: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := "these faults strike for 2s:\n  | at    | for   | fault   |\n  | 500ms | 500ms | fault 5 |\n"
	if got.Schedules[0].String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.Schedules[0], want)
	}
	if tried.Load() > 20 {
		t.Errorf("%d runs for 1 of 8", tried.Load())
	}
}

// Whatever faults are needed together, those and no others are left.
func TestOnlyWhatIsNeededIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "faults")
		which := rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, n, rapid.ID).Draw(t, "needed")
		try := needs(0, which...)
		got, err := shrink.Smallest(context.Background(), schedule(n), try, shrink.Options{Parallel: rapid.IntRange(1, 4).Draw(t, "parallel")})
		if err != nil {
			t.Fatal(err)
		}
		if fails, _ := try(context.Background(), got); !fails || len(got.Schedules[0].Strikes) != len(which) {
			t.Fatalf("needed %v, got %s", which, got)
		}
		for i, k := range got.Schedules[0].Strikes {
			if i > 0 && k.At < got.Schedules[0].Strikes[i-1].At {
				t.Fatalf("out of order: %s", got)
			}
		}
	})
}

func TestFailsWithoutAnyFault(t *testing.T) {
	got, err := shrink.Smallest(t.Context(), schedule(8), needs(0), shrink.Options{})
	if err != nil || got.Strikes() != 0 {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestAnErrorKeepsTheSmallestSoFar(t *testing.T) {
	broken := errors.New("the engine broke")
	tries := 0
	got, err := shrink.Smallest(t.Context(), schedule(8), func(ctx context.Context, f random.File) (bool, error) {
		if tries++; tries > 3 {
			return false, broken
		}
		return needs(0, 1)(ctx, f)
	}, shrink.Options{})
	if !errors.Is(err, broken) || got.Strikes() != 2 {
		t.Errorf("got %d strikes, %v", got.Strikes(), err)
	}
}
