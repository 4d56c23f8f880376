package shrink

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"brine.test/brine/world/random"
)

// Shortest is what a fault is not made shorter than.
const Shortest = 100 * time.Millisecond

// tail is how long after the last fault a sentence that waits goes on.
const tail = time.Second

// Try runs a candidate and tells whether it fails as the whole does.
type Try func(ctx context.Context, candidate random.File) (fails bool, err error)

// Options say how candidates are tried.
type Options struct {
	Parallel int // candidates at the same time; 0 is 1
	// Tell is called before candidates of one kind are tried: how many strikes each has.
	Tell func(what string, candidates []random.File)
}

// place is a strike of a file.
type place struct{ schedule, strike int }

// shrinker holds what is known so far.
type shrinker struct {
	try  Try
	opts Options
	full random.File
	lens map[place]time.Duration // changed lengths
	lead map[place]time.Duration // time before it, where changed
	seen map[string]bool
}

// Smallest gives the smallest schedule found that fails; full is known to fail. One without any strike tells that the
// faults do not matter. When ctx ends, it gives the smallest one so far, with the error.
func Smallest(ctx context.Context, full random.File, try Try, o Options) (random.File, error) {
	s := &shrinker{
		try: try, opts: o, full: full, seen: map[string]bool{},
		lens: map[place]time.Duration{}, lead: map[place]time.Duration{},
	}
	var all []place
	for i, sch := range full.Schedules {
		for j := range sch.Strikes {
			all = append(all, place{i, j})
		}
	}
	if at, err := s.first(ctx, "no fault at all", [][]place{nil}); at == 0 || err != nil {
		return s.file(nil), err
	}
	left, err := s.ddmin(ctx, all)
	if err == nil {
		err = s.shorten(ctx, left)
	}
	if err == nil {
		err = s.hasten(ctx, left)
	}
	return s.file(left), err
}

// ddmin leaves out strikes as long as the rest fails.
func (s *shrinker) ddmin(ctx context.Context, left []place) ([]place, error) {
	for n := 2; len(left) >= 2; {
		parts := split(left, n)
		at, err := s.first(ctx, "parts", parts)
		if err != nil {
			return left, err
		}
		if at >= 0 {
			left, n = parts[at], 2
			continue
		}
		if n > 2 {
			rest := make([][]place, n)
			for i, part := range parts {
				rest[i] = slices.DeleteFunc(slices.Clone(left), func(p place) bool { return slices.Contains(part, p) })
			}
			if at, err = s.first(ctx, "all but parts", rest); err != nil {
				return left, err
			}
			if at >= 0 {
				left, n = rest[at], n-1
				continue
			}
		}
		if n == len(left) {
			break
		}
		n = min(2*n, len(left))
	}
	return left, nil
}

// shorten halves the length of each strike, as often as it fails so.
func (s *shrinker) shorten(ctx context.Context, left []place) error {
	for _, p := range left {
		was := s.full.Schedules[p.schedule].Strikes[p.strike].For
		var lengths []time.Duration
		for d := was / 2; d >= Shortest; d /= 2 {
			lengths = append(lengths, d.Round(10*time.Millisecond))
		}
		slices.Reverse(lengths) // the shortest that fails is wanted
		if err := s.change(ctx, "shorter", left, s.lens, p, lengths); err != nil {
			return err
		}
	}
	return nil
}

// hasten lets the first strike of each schedule come earlier, and the others with it.
func (s *shrinker) hasten(ctx context.Context, left []place) error {
	done := map[int]bool{}
	for _, p := range left {
		if done[p.schedule] {
			continue
		}
		done[p.schedule] = true
		at := s.full.Schedules[p.schedule].Strikes[p.strike].At
		var leads []time.Duration
		for _, d := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second} {
			if d < at {
				leads = append(leads, d)
			}
		}
		if err := s.change(ctx, "earlier", left, s.lead, p, leads); err != nil {
			return err
		}
	}
	return nil
}

// change tries values of one strike, and keeps the first with which it fails.
func (s *shrinker) change(ctx context.Context, what string, left []place, in map[place]time.Duration, p place, values []time.Duration) error {
	files := make([]random.File, len(values))
	for i, v := range values {
		in[p] = v
		files[i] = s.file(left)
	}
	delete(in, p)
	at, err := s.firstOf(ctx, what, files)
	if at >= 0 {
		in[p] = values[at]
	}
	return err
}

// first tries sets of strikes and gives the first that fails, or -1.
func (s *shrinker) first(ctx context.Context, what string, sets [][]place) (int, error) {
	files := make([]random.File, len(sets))
	for i, set := range sets {
		files[i] = s.file(set)
	}
	return s.firstOf(ctx, what, files)
}

// firstOf tries files, several at a time and those in front first, and gives the first that fails, or -1.
func (s *shrinker) firstOf(ctx context.Context, what string, files []random.File) (int, error) {
	var fresh []random.File
	for _, f := range files {
		if _, known := s.seen[f.String()]; !known {
			fresh = append(fresh, f)
		}
	}
	if s.opts.Tell != nil && len(fresh) > 0 {
		s.opts.Tell(what, fresh)
	}
	for from := 0; from < len(files); from += max(1, s.opts.Parallel) {
		batch := files[from:min(len(files), from+max(1, s.opts.Parallel))]
		fails, err := s.batch(ctx, batch)
		if err != nil {
			return -1, err
		}
		if at := slices.Index(fails, true); at >= 0 {
			return from + at, nil
		}
	}
	return -1, ctx.Err()
}

// batch tries files at the same time.
func (s *shrinker) batch(ctx context.Context, files []random.File) ([]bool, error) {
	fails, errs := make([]bool, len(files)), make([]error, len(files))
	var wg sync.WaitGroup
	for i, f := range files {
		if known, ok := s.seen[f.String()]; ok {
			fails[i] = known
			continue
		}
		wg.Go(func() { fails[i], errs[i] = s.try(ctx, f) })
	}
	wg.Wait()
	for i, f := range files {
		if errs[i] == nil {
			s.seen[f.String()] = fails[i]
		}
	}
	return fails, errors.Join(errs...)
}

// file is the full one with only these strikes, changed as is known; a sentence that waits does so no longer than it has to.
func (s *shrinker) file(set []place) random.File {
	out := s.full
	out.Schedules = slices.Clone(s.full.Schedules)
	for i := range out.Schedules {
		sch := &out.Schedules[i]
		sch.Strikes = nil
		shift := time.Duration(0)
		for j, k := range s.full.Schedules[i].Strikes {
			p := place{i, j}
			if !slices.Contains(set, p) {
				continue
			}
			if lead, ok := s.lead[p]; ok {
				shift = k.At - lead
			}
			if d, ok := s.lens[p]; ok {
				k.For = d
			}
			k.At -= shift
			sch.Strikes = append(sch.Strikes, k)
		}
		if sch.Length > 0 && !sch.Next {
			sch.Length = min(sch.Length, sch.Last()+tail)
		}
	}
	return out
}

// split parts a list into n parts of about the same length.
func split(list []place, n int) [][]place {
	var parts [][]place
	for i := range n {
		from, to := i*len(list)/n, (i+1)*len(list)/n
		parts = append(parts, list[from:to])
	}
	return parts
}
