package pxl

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"brine.test/brine/observe/table"
)

// methods are the functions of a DataFrame.
var methods map[string]func(*machine, *frame, arguments) value

func init() {
	methods = map[string]func(*machine, *frame, arguments) value{
		"groupby": func(m *machine, df *frame, a arguments) value {
			keys := m.strings(a.at, m.one(a, "groupby", "by"))
			m.selectColumns(a.at, df, keys)
			return grouped{df, keys}
		},
		"agg":    func(m *machine, df *frame, a arguments) value { return m.agg(df, nil, a) },
		"head":   head,
		"drop":   drop,
		"merge":  merge,
		"append": union,
		"stream": func(_ *machine, df *frame, _ arguments) value { return df },
	}
}

func methodNames() string {
	return strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
}

// one gives the only argument, by place or by name.
func (m *machine) one(a arguments, what, name string) value {
	v, _ := m.argument(a, what, 0, name, true)
	return v
}

// argument gives an argument by its place or its name.
func (m *machine) argument(a arguments, what string, place int, name string, needed bool) (value, bool) {
	if v, ok := a.named[name]; ok {
		return v, true
	}
	if place >= 0 && place < len(a.pos) {
		return a.pos[place], true
	}
	if needed {
		m.failf(a.at, "%s: %s is missing", what, name)
	}
	return nil, false
}

func (m *machine) selectColumns(at syntax.Position, df *frame, names []string) *frame {
	for _, name := range names {
		if find(df.cols, name) < 0 {
			m.noColumn(at, df, name)
		}
	}
	return df.only(names)
}

// head gives the first n rows, 5 where no number is given.
func head(m *machine, df *frame, a arguments) value {
	n := int64(5)
	if v, ok := m.argument(a, "head", 0, "n", false); ok {
		var is bool
		if n, is = v.(int64); !is || n < 0 {
			m.failf(a.at, "head: a number from 0 on is expected, got %s", typeOf(v))
		}
	}
	return df.keep(func(row int) bool { return int64(row) < n })
}

func drop(m *machine, df *frame, a arguments) value {
	gone := m.strings(a.at, m.one(a, "drop", "columns"))
	m.selectColumns(a.at, df, gone)
	var left []string
	for _, name := range df.names() {
		if !slices.Contains(gone, name) {
			left = append(left, name)
		}
	}
	return df.only(left)
}

// union puts the rows of DataFrames of the same columns one after the other.
func union(m *machine, df *frame, a arguments) value {
	objs := m.one(a, "append", "objs")
	others, ok := objs.(list)
	if !ok {
		others = list{objs}
	}
	out := &frame{rows: df.rows, table: df.table}
	for i := range df.cols {
		c := df.cols[i].made()
		copied := gather(c, iota32(c.Len()))
		out.cols = append(out.cols, part{name: df.cols[i].name, data: copied})
	}
	for _, o := range others {
		other, ok := o.(*frame)
		if !ok {
			m.failf(a.at, "append: a DataFrame is expected, got %s", typeOf(o))
		}
		for i := range out.cols {
			name := out.cols[i].name
			c := other.column(name)
			if c == nil {
				m.noColumn(a.at, other, name)
			}
			if c.Type != out.cols[i].data.Type {
				m.failf(a.at, "append: %s is %s here and %s there", name, out.cols[i].data.Type, c.Type)
			}
			appendAll(out.cols[i].data, c)
		}
		out.rows += other.rows
	}
	return out
}

func appendAll(to, from *table.Column) {
	to.Bools = append(to.Bools, from.Bools...)
	to.Ints = append(to.Ints, from.Ints...)
	to.Floats = append(to.Floats, from.Floats...)
	to.Strings = append(to.Strings, from.Strings...)
}

func iota32(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// merge joins on equal keys. Columns of one name get the suffixes, the keys as well, as Pixie does.
func merge(m *machine, df *frame, a arguments) value {
	right, ok := m.one(a, "merge", "right").(*frame)
	if !ok {
		m.fail(a.at, "merge: a DataFrame is expected", "df.merge(other, how='inner', left_on=['a'], right_on=['a'])")
	}
	how := "inner"
	if v, ok := m.argument(a, "merge", 1, "how", false); ok {
		how, _ = v.(string)
	}
	if !slices.Contains([]string{"inner", "left", "right", "outer"}, how) {
		m.fail(a.at, "merge: how: unsupported", "inner, left, right, outer")
	}
	on, _ := m.argument(a, "merge", 2, "left_on", true)
	leftOn := m.strings(a.at, on)
	on, _ = m.argument(a, "merge", 3, "right_on", true)
	rightOn := m.strings(a.at, on)
	if len(leftOn) != len(rightOn) || len(leftOn) == 0 {
		m.failf(a.at, "merge: left_on has %d columns, right_on %d", len(leftOn), len(rightOn))
	}
	suffixes := []string{"_x", "_y"}
	if v, ok := m.argument(a, "merge", 4, "suffixes", false); ok {
		if suffixes = m.strings(a.at, v); len(suffixes) != 2 {
			m.failf(a.at, "merge: two suffixes are expected, got %d", len(suffixes))
		}
	}
	m.selectColumns(a.at, df, leftOn)
	m.selectColumns(a.at, right, rightOn)
	lk, rk := keysOf(df, leftOn), keysOf(right, rightOn)
	ln, rn := match(lk, rk, how)
	return joined(m, a.at, df, right, ln, rn, suffixes)
}

// match pairs rows of equal keys; -1 stands for no row.
func match(left, right []string, how string) (ln, rn []int32) {
	by := map[string][]int32{}
	for i, k := range right {
		by[k] = append(by[k], int32(i))
	}
	used := make([]bool, len(right))
	for i, k := range left {
		rows := by[k]
		for _, j := range rows {
			ln, rn = append(ln, int32(i)), append(rn, j)
			used[j] = true
		}
		if len(rows) == 0 && (how == "left" || how == "outer") {
			ln, rn = append(ln, int32(i)), append(rn, -1)
		}
	}
	if how == "right" || how == "outer" {
		for j := range right {
			if !used[j] {
				ln, rn = append(ln, -1), append(rn, int32(j))
			}
		}
	}
	return ln, rn
}

func joined(m *machine, at syntax.Position, left, right *frame, ln, rn []int32, suffixes []string) *frame {
	out := &frame{rows: len(ln), table: left.table}
	add := func(df, other *frame, numbers []int32, suffix string) {
		for i := range df.cols {
			name := df.cols[i].name
			if find(other.cols, name) >= 0 {
				name += suffix
			}
			if find(out.cols, name) >= 0 {
				m.fail(at, "merge: two columns would be called "+name, "suffixes=['', '_x']")
			}
			out.cols = append(out.cols, part{name: name, data: gatherOrZero(df.cols[i].made(), numbers)})
		}
	}
	add(left, right, ln, suffixes[0])
	add(right, left, rn, suffixes[1])
	return out
}

// gatherOrZero is gather where -1 stands for a zero value, as Pixie has no null.
func gatherOrZero(c *table.Column, numbers []int32) *table.Column {
	if slices.Contains(numbers, -1) {
		n := int32(c.Len())
		c = gather(c, iota32(c.Len()))
		appendAll(c, zeroOf(c.Type))
		numbers = slices.Clone(numbers)
		for i := range numbers {
			if numbers[i] < 0 {
				numbers[i] = n
			}
		}
	}
	return gather(c, numbers)
}

func zeroOf(t table.Type) *table.Column {
	switch t {
	case table.Boolean:
		return &table.Column{Bools: []bool{false}}
	case table.Int64, table.Time64NS:
		return &table.Column{Ints: []int64{0}}
	case table.Float64:
		return &table.Column{Floats: []float64{0}}
	}
	return &table.Column{Strings: []string{""}}
}
