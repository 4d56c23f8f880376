package reports

import (
	"sort"

	"brine.test/brine/world/record"
)

// buckets is how many points a series has at most.
const buckets = 240

// opSeries is what clients did through time: per bucket, how many operations ended how, and latencies of those that
// were acknowledged, in µs.
type opSeries struct {
	Step    int64   `json:"dt"` // µs
	OK      []int   `json:"ok"`
	Failed  []int   `json:"failed"`
	Unknown []int   `json:"unknown"`
	P50     []int64 `json:"p50"` // -1 where nothing was acknowledged
	P99     []int64 `json:"p99"`
	Total   int     `json:"total"`
}

// fewCalls is up to how many operations are shown one by one.
const fewCalls = 60

// call is one operation of few.
type call struct {
	Begin   int64          `json:"b"`
	End     int64          `json:"e"`
	Outcome record.Outcome `json:"o"`
	Text    string         `json:"x"`
}

func calls(c clock, s *record.ScenarioRun) []call {
	if len(s.Operations) > fewCalls {
		return nil
	}
	var out []call
	for _, o := range s.Operations {
		out = append(out, call{c.at(o.Start), c.at(o.End), o.Outcome, operation(c, o).Title})
	}
	return out
}

// operations counts each operation at the moment it ended. Nil for few of them: a sentence's single read is no series.
func operations(c clock, s *record.ScenarioRun) *opSeries {
	if len(s.Operations) <= fewCalls {
		return nil
	}
	span := max(c.at(s.End.Mono), 1)
	step := max((span+buckets-1)/buckets, 10_000)
	n := int(span/step) + 1
	v := &opSeries{Step: step, OK: make([]int, n), Failed: make([]int, n), Unknown: make([]int, n), P50: make([]int64, n), P99: make([]int64, n)}
	took := make([][]int64, n)
	for _, o := range s.Operations {
		i := min(max(int(c.at(o.End)/step), 0), n-1)
		v.Total++
		switch o.Outcome {
		case record.OutcomeOK:
			v.OK[i]++
			took[i] = append(took[i], o.Took().Microseconds())
		case record.OutcomeFailed:
			v.Failed[i]++
		default:
			v.Unknown[i]++
		}
	}
	for i, t := range took {
		v.P50[i], v.P99[i] = rank(t, 50), rank(t, 99)
	}
	return v
}

// rank is the nearest-rank percentile, -1 of nothing. It sorts its argument.
func rank(v []int64, p int) int64 {
	if len(v) == 0 {
		return -1
	}
	sort.Slice(v, func(i, j int) bool { return v[i] < v[j] })
	return v[max((len(v)*p+99)/100-1, 0)]
}

// sampleSeries is a series as it was measured.
type sampleSeries struct {
	Name   string       `json:"name"`
	Unit   string       `json:"unit,omitempty"`
	Points [][2]float64 `json:"points"` // µs, value
}

func samples(c clock, s *record.ScenarioRun) []sampleSeries {
	var out []sampleSeries
	index := map[string]int{}
	for _, p := range s.Samples {
		name := plain(p.Series)
		if p.Subject != "" {
			name += " · " + plain(p.Subject)
		}
		i, ok := index[name]
		if !ok {
			i = len(out)
			index[name] = i
			out = append(out, sampleSeries{Name: name, Unit: p.Unit})
		}
		out[i].Points = append(out[i].Points, [2]float64{float64(c.at(p.Mono)), p.Value})
	}
	for i := range out {
		out[i].Points = thin(out[i].Points, 2*buckets)
	}
	return out
}

// thin keeps of each group of points the highest: a peak must not vanish.
func thin(points [][2]float64, limit int) [][2]float64 {
	if len(points) <= limit {
		return points
	}
	group := (len(points) + limit - 1) / limit
	var out [][2]float64
	for i := 0; i < len(points); i += group {
		best := points[i]
		for _, p := range points[i:min(i+group, len(points))] {
			if p[1] > best[1] {
				best = p
			}
		}
		out = append(out, best)
	}
	return out
}
