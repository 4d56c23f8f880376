package record

import "slices"

// Merge puts runs of several machines or shards together as one. Their monotonic clocks have nothing to do with each
// other, so the whole run's begin and end are wall times on both clocks; within a scenario all times stay as they are.
func Merge(runs ...*Run) *Run {
	if len(runs) == 1 {
		return runs[0]
	}
	out := &Run{Result: &RunResult{}}
	seen, sources := map[string]bool{}, map[string]bool{}
	for _, r := range runs {
		if seen[r.Info.ID] {
			continue // the same run, given twice
		}
		seen[r.Info.ID] = true
		if len(out.Shards) == 0 {
			out.Info, out.Begin, out.End = r.Info, r.Begin, r.End
			out.Info.Again = ""
		}
		if r.Begin.Wall < out.Begin.Wall {
			out.Begin = r.Begin
		}
		if r.End.Wall > out.End.Wall {
			out.End = r.End
		}
		out.Shards = append(out.Shards, r.Info)
		out.Scenarios = append(out.Scenarios, r.Scenarios...)
		out.Notes = append(out.Notes, r.Notes...)
		out.Events += r.Events
		out.Truncated = out.Truncated || r.Truncated
		for _, s := range r.Sources {
			if !sources[s.URI] {
				sources[s.URI] = true
				out.Sources = append(out.Sources, s)
			}
		}
		out.Result = mergeResults(out.Result, r.Result)
	}
	out.Begin.Mono, out.End.Mono = out.Begin.Wall, out.End.Wall
	slices.SortStableFunc(out.Scenarios, func(a, b *ScenarioRun) int {
		switch {
		case a.URI < b.URI:
			return -1
		case a.URI > b.URI:
			return 1
		}
		return a.Line - b.Line
	})
	return out
}

// mergeResults is nil, as of a killed run, when either is.
func mergeResults(a, b *RunResult) *RunResult {
	if a == nil || b == nil {
		return nil
	}
	out := RunResult{Interrupted: a.Interrupted, Leftovers: append(slices.Clone(a.Leftovers), b.Leftovers...)}
	if b.Interrupted != "" {
		out.Interrupted = b.Interrupted
	}
	return &out
}
