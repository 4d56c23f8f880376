package reports

import (
	"sort"
	"strings"

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

// operations counts each operation at the moment it ended, those of workloads from their history. Nil for few of them: a
// sentence's single read is no series.
func operations(c clock, s *record.ScenarioRun, worked []workOp) *opSeries {
	all := worked
	for _, o := range s.Operations {
		all = append(all, workOp{Start: o.Start, End: o.End, Outcome: o.Outcome})
	}
	if len(all) <= fewCalls && len(worked) == 0 {
		return nil
	}
	span := max(c.at(s.End.Mono), 1)
	step := max((span+buckets-1)/buckets, 10_000)
	n := int(span/step) + 1
	v := &opSeries{Step: step, OK: make([]int, n), Failed: make([]int, n), Unknown: make([]int, n), P50: make([]int64, n), P99: make([]int64, n)}
	took := make([][]int64, n)
	for _, o := range all {
		i := min(max(int(c.at(o.End)/step), 0), n-1)
		v.Total++
		switch o.Outcome {
		case record.OutcomeOK:
			v.OK[i]++
			took[i] = append(took[i], (o.End-o.Start)/1000)
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
	Points [][2]float64 `json:"points"`        // µs, value
	Bad    [][2]float64 `json:"bad,omitempty"` // the part of a rate that went wrong
}

// rates are the series that belong to one another: what came, and what of it went wrong. Where none came none was written.
var rates = map[string]struct{ name, bad string }{
	"HTTP requests": {"HTTP", "HTTP errors"},
	"load":          {"load", "load failed"},
}

// short are names of series that fit a row's label.
var short = map[string]string{"p99 latency of HTTP": "HTTP p99", "slowest of load": "load, slowest"}

// samples are the series that were measured. Those of workloads whose every operation is known are left out.
func samples(c clock, s *record.ScenarioRun, worked bool) []sampleSeries {
	var out []sampleSeries
	index := map[string]int{}
	add := func(name, unit string, p record.SampleRun) *sampleSeries {
		if p.Subject != "" {
			name += " · " + p.Subject
		}
		name = plain(name)
		i, ok := index[name]
		if !ok {
			i = len(out)
			index[name] = i
			out = append(out, sampleSeries{Name: name, Unit: unit})
		}
		return &out[i]
	}
	for _, p := range s.Samples {
		point := [2]float64{float64(c.at(p.Mono)), p.Value}
		if rate, ok := rates[p.Series]; ok {
			one := add(rate.name, p.Unit, p)
			one.Points = append(one.Points, point)
			continue
		}
		if worked && ofWork(p.Series) {
			continue
		}
		bad := false
		for _, rate := range rates {
			if p.Series == rate.bad {
				one := add(rate.name, p.Unit, p)
				one.Bad, bad = append(one.Bad, point), true
			}
		}
		if !bad {
			name := p.Series
			if s := short[name]; s != "" {
				name = s
			}
			one := add(name, p.Unit, p)
			one.Points = append(one.Points, point)
		}
	}
	for i := range out {
		out[i].Points, out[i].Bad = thin(out[i].Points, 2*buckets), thin(out[i].Bad, 2*buckets)
	}
	return out
}

// ofWork tells the samples of a workload, of which the history knows more.
func ofWork(series string) bool {
	return strings.HasSuffix(series, ": operations") || strings.HasSuffix(series, ": slowest operation")
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
