package pxl

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"brine.test/brine/observe/table"
)

// keysOf gives each row's key in some columns as one text.
func keysOf(df *frame, names []string) []string {
	out := make([]string, df.rows)
	for _, name := range names {
		c := df.column(name)
		for i := range out {
			var text string
			switch v := c.At(i).(type) {
			case string:
				text = strconv.Itoa(len(v)) + ":" + v
			case int64:
				text = strconv.FormatInt(v, 10) + ";"
			default:
				text = fmt.Sprint(v, ";")
			}
			out[i] += text
		}
	}
	return out
}

// groups gives each row's group, and each group's first row, in the order of appearance.
func groups(df *frame, names []string) (of []int32, first []int32) {
	of = make([]int32, df.rows)
	if len(names) == 0 {
		return of, make([]int32, min(1, df.rows))
	}
	count := int32(1)
	for _, name := range names {
		of, count = split(of, count, df.column(name))
	}
	first = make([]int32, 0, count)
	for row, g := range of {
		if int(g) == len(first) {
			first = append(first, int32(row))
		}
	}
	return of, first
}

// split cuts groups finer by one more column. Groups are numbered in the order of appearance.
func split(of []int32, count int32, c *table.Column) ([]int32, int32) {
	switch c.Type {
	case table.Boolean:
		return splitBy(of, c.Bools)
	case table.Int64, table.Time64NS:
		return splitBy(of, c.Ints)
	case table.Float64:
		return splitBy(of, c.Floats)
	}
	return splitBy(of, c.Strings)
}

func splitBy[T comparable](of []int32, values []T) ([]int32, int32) {
	type key struct {
		group int32
		v     T
	}
	seen := map[key]int32{}
	out := make([]int32, len(of))
	var last key
	lastGroup := int32(-1)
	for i, v := range values {
		k := key{of[i], v}
		if lastGroup < 0 || k != last {
			g, ok := seen[k]
			if !ok {
				g = int32(len(seen))
				seen[k] = g
			}
			last, lastGroup = k, g
		}
		out[i] = lastGroup
	}
	return out, int32(len(seen))
}

// agg makes one row of each group: name=('column', px.function).
func (m *machine) agg(df *frame, keys []string, a arguments) value {
	if len(a.pos) > 0 {
		m.fail(a.at, "agg: names are expected", "agg(n=('latency', px.count))")
	}
	of, first := groups(df, keys)
	out := &frame{rows: len(first), table: df.table}
	for _, key := range keys {
		out.cols = append(out.cols, part{name: key, data: gather(df.column(key), first)})
	}
	for _, name := range a.order {
		pair, ok := a.named[name].(list)
		if !ok || len(pair) != 2 {
			m.fail(a.at, "agg: "+name+": a column and a function are expected", "agg(n=('latency', px.count))")
		}
		column, isName := pair[0].(string)
		f, isFunc := pair[1].(*builtin)
		if !isName || !isFunc {
			m.fail(a.at, "agg: "+name+": a column and a function are expected", "agg(n=('latency', px.count))")
		}
		c := df.column(column)
		if c == nil {
			m.noColumn(a.at, df, column)
		}
		if f.group == nil {
			m.fail(a.at, "agg: px."+f.name+" makes no one value of many", "functions that do: "+aggregators())
		}
		made := f.group(c, of, len(first))
		if made == nil {
			m.failf(a.at, "agg: px.%s: unsupported for a column of %s", f.name, c.Type)
		}
		if find(out.cols, name) >= 0 {
			m.failf(a.at, "agg: two columns would be called %s", name)
		}
		out.cols = append(out.cols, part{name: name, data: made})
	}
	return out
}

func groupCount(_ *table.Column, of []int32, n int) *table.Column {
	out := &table.Column{Type: table.Int64, Ints: make([]int64, n)}
	for _, g := range of {
		out.Ints[g]++
	}
	return out
}

func groupSum(c *table.Column, of []int32, n int) *table.Column {
	switch {
	case c.Type == table.Float64:
		out := &table.Column{Type: table.Float64, Floats: make([]float64, n)}
		for i, g := range of {
			out.Floats[g] += c.Floats[i]
		}
		return out
	case isNumber(c):
		out := &table.Column{Type: table.Int64, Ints: make([]int64, n)}
		values := ints(c)
		for i, g := range of {
			out.Ints[g] += values[i]
		}
		return out
	}
	return nil
}

func groupMean(c *table.Column, of []int32, n int) *table.Column {
	if !isNumber(c) {
		return nil
	}
	sums, counts := make([]float64, n), make([]float64, n)
	values := floats(c)
	for i, g := range of {
		sums[g] += values[i]
		counts[g]++
	}
	for g := range sums {
		sums[g] /= counts[g]
	}
	return &table.Column{Type: table.Float64, Floats: sums}
}

// groupBest gives the lowest or highest of each group.
func groupBest(better func(c *table.Column, i, j int32) bool) func(*table.Column, []int32, int) *table.Column {
	return func(c *table.Column, of []int32, n int) *table.Column {
		best := make([]int32, n)
		for g := range best {
			best[g] = -1
		}
		for i, g := range of {
			if best[g] < 0 || better(c, int32(i), best[g]) {
				best[g] = int32(i)
			}
		}
		return gather(c, best)
	}
}

func less(c *table.Column, i, j int32) bool {
	switch c.Type {
	case table.Boolean:
		return !c.Bools[i] && c.Bools[j]
	case table.Int64, table.Time64NS:
		return c.Ints[i] < c.Ints[j]
	case table.Float64:
		return c.Floats[i] < c.Floats[j]
	}
	return c.Strings[i] < c.Strings[j]
}

// quantileNames are the parts of px.quantiles' JSON.
var quantileNames = []struct {
	name string
	at   float64
}{{"p01", 0.01}, {"p10", 0.1}, {"p25", 0.25}, {"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p99", 0.99}}

func groupQuantiles(c *table.Column, of []int32, n int) *table.Column {
	if !isNumber(c) {
		return nil
	}
	sizes := make([]int, n)
	for _, g := range of {
		sizes[g]++
	}
	each := make([][]float64, n)
	for g := range each {
		each[g] = make([]float64, 0, sizes[g])
	}
	values := floats(c)
	for i, g := range of {
		each[g] = append(each[g], values[i])
	}
	out := &table.Column{Type: table.String, Strings: make([]string, n)}
	for g, v := range each {
		slices.Sort(v)
		var b strings.Builder
		for i, q := range quantileNames {
			sep := byte(',')
			if i == 0 {
				sep = '{'
			}
			b.WriteByte(sep)
			b.WriteString(`"` + q.name + `":` + strconv.FormatFloat(quantile(v, q.at), 'f', -1, 64))
		}
		b.WriteByte('}')
		out.Strings[g] = b.String()
	}
	return out
}

// quantile interpolates between sorted values as a t-digest does whose centroids hold one value each: value i stands at
// i + 1/2, below the first and beyond the last nothing is made up (Dunning and Ertl 2019, "Computing extremely accurate
// quantiles using t-digests").
func quantile(sorted []float64, q float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	at := q*float64(n) - 0.5
	low := int(math.Floor(at))
	switch {
	case low < 0:
		return sorted[0]
	case low >= n-1:
		return sorted[n-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}
