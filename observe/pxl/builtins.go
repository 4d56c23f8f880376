package pxl

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"brine.test/brine/observe/table"
)

// builtin is px.name: a function, an aggregate for agg, or both.
type builtin struct {
	name  string
	call  func(*machine, arguments) value
	group func(c *table.Column, of []int32, n int) *table.Column
}

func (b *builtin) run(m *machine, a arguments) value {
	if b.call == nil {
		m.fail(a.at, "px."+b.name+" is an aggregate", "agg(x=('column', px."+b.name+"))")
	}
	return b.call(m, a)
}

var builtins map[string]*builtin

func init() {
	builtins = map[string]*builtin{}
	add := func(call func(*machine, arguments) value, names ...string) {
		for _, name := range names {
			if builtins[name] == nil {
				builtins[name] = &builtin{name: name}
			}
			builtins[name].call = call
		}
	}
	for name, group := range map[string]func(*table.Column, []int32, int) *table.Column{
		"count": groupCount, "sum": groupSum, "mean": groupMean, "quantiles": groupQuantiles,
		"min": groupBest(less),
		"max": groupBest(func(c *table.Column, i, j int32) bool { return less(c, j, i) }),
		"any": groupBest(func(*table.Column, int32, int32) bool { return false }),
	} {
		builtins[name] = &builtin{name: name, group: group}
	}
	add(dataFrame, "DataFrame")
	add(display, "display", "debug")
	// What only tells a reader how to show a value changes nothing.
	add(same, "DurationNanos", "Percent", "Bytes", "Time", "Service", "Pod", "Node", "Namespace", "Container", "String", "UPID", "script_reference")
	for unit, ns := range units {
		add(lengthOf(ns), unit)
	}
	add(now, "now")
	add(onFloats(math.Floor), "floor")
	add(onFloats(math.Ceil), "ceil")
	add(onFloats(math.RoundToEven), "round")
	add(onFloats(math.Abs), "abs")
	add(onFloats(math.Sqrt), "sqrt")
	add(bin, "bin")
	add(choose, "select")
	addTexts(add)
	addMore(add)
}

var units = map[string]time.Duration{
	"nanoseconds": 1, "microseconds": time.Microsecond, "milliseconds": time.Millisecond, "seconds": time.Second,
	"minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour,
}

func same(m *machine, a arguments) value {
	if len(a.pos) == 0 {
		m.fail(a.at, "a value is missing", "")
	}
	return a.pos[0]
}

func lengthOf(unit time.Duration) func(*machine, arguments) value {
	return func(m *machine, a arguments) value {
		n, ok := m.one(a, "a length of time", "unit").(int64)
		if !ok {
			m.fail(a.at, "a whole number is expected", "px.seconds(5)")
		}
		return n * int64(unit)
	}
}

func now(m *machine, _ arguments) value { return m.env.Now.UnixNano() }

// onFloats applies f to numbers. Whole numbers stay as they are.
func onFloats(f func(float64) float64) func(*machine, arguments) value {
	return func(m *machine, a arguments) value {
		o := m.operand(a.at, m.one(a, "a function of numbers", "x"))
		n, scalar := m.rows(a.at, o)
		if !isNumber(o.Column) {
			m.failf(a.at, "a number is expected, got %s", o.Type)
		}
		if isInt(o.Column) {
			if f(-1) > 0 { // abs
				out := &table.Column{Type: o.Type, Ints: make([]int64, n)}
				for i, v := range o.Ints {
					out.Ints[i] = max(v, -v)
				}
				return scalarOf(out, scalar)
			}
			if f(4) == 4 {
				return scalarOf(o.Column, scalar)
			}
		}
		out := &table.Column{Type: table.Float64, Floats: make([]float64, n)}
		for i, v := range floats(o.Column) {
			out.Floats[i] = f(v)
		}
		return scalarOf(out, scalar)
	}
}

// bin gives the begin of the window that a value falls into: a − a mod b.
func bin(m *machine, a arguments) value {
	x, _ := m.argument(a, "px.bin", 0, "value", true)
	size, _ := m.argument(a, "px.bin", 1, "bin_size", true)
	v, s := m.operand(a.at, x), m.operand(a.at, size)
	n, scalar := m.rows(a.at, v, s)
	if !isInt(v.Column) || !isInt(s.Column) {
		m.failf(a.at, "px.bin: whole numbers are expected, got %s and %s", v.Type, s.Type)
	}
	out := &table.Column{Type: v.Type, Ints: make([]int64, n)}
	for i := range n {
		x, y := v.Ints[i*v.step], s.Ints[i*s.step]
		if y == 0 {
			m.fail(a.at, "px.bin: by zero", "")
		}
		out.Ints[i] = x
		if y != -1 {
			out.Ints[i] -= x % y
		}
	}
	return scalarOf(out, scalar)
}

// choose is px.select(condition, then, otherwise).
func choose(m *machine, a arguments) value {
	if len(a.pos) != 3 {
		m.fail(a.at, "px.select: three values are expected", "px.select(condition, a, b)")
	}
	cond, x, y := m.operand(a.at, a.pos[0]), m.operand(a.at, a.pos[1]), m.operand(a.at, a.pos[2])
	n, scalar := m.rows(a.at, cond, x, y)
	if cond.Type != table.Boolean || x.Type != y.Type {
		m.failf(a.at, "px.select: a condition and two values of one type are expected, got %s, %s, %s", cond.Type, x.Type, y.Type)
	}
	both := gather(x.Column, iota32(x.Len()))
	appendAll(both, y.Column)
	numbers := make([]int32, n)
	for i := range n {
		if cond.Bools[i*cond.step] {
			numbers[i] = int32(i * x.step)
		} else {
			numbers[i] = int32(x.Len() + i*y.step)
		}
	}
	return scalarOf(gather(both, numbers), scalar)
}

var relative = regexp.MustCompile(`^([-+]?\d+)(ns|us|ms|s|m|h|d)$`)

// moment reads a time: a number of ns since 1970, or a text relative to now such as "-2m".
func (m *machine) moment(a arguments, v value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case string:
		if r := relative.FindStringSubmatch(strings.TrimSpace(v)); r != nil {
			n, err := strconv.ParseInt(r[1], 10, 64)
			unit := map[string]time.Duration{"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86400e9}[r[2]]
			if err == nil && n > -1<<40 && n < 1<<40 {
				return m.env.Now.UnixNano() + n*int64(unit)
			}
		}
	}
	m.fail(a.at, "a time is expected", `"-2m", "-30s", "-1h", px.now() - px.minutes(2)`)
	return 0
}

// dataFrame reads a table: px.DataFrame(table='http_events', select=[…], start_time='-2m', end_time=…).
func dataFrame(m *machine, a arguments) value {
	v, _ := m.argument(a, "px.DataFrame", 0, "table", true)
	name, _ := v.(string)
	t := m.env.Tables[name]
	if t == nil {
		m.fail(a.at, "px.DataFrame: "+strconv.Quote(name)+": no such table", "tables: "+tableNames(m.env.Tables))
	}
	for arg := range a.named {
		switch arg {
		case "table", "select", "start_time", "end_time":
		default:
			m.fail(a.at, "px.DataFrame: "+arg+": unsupported", "table, select, start_time, end_time")
		}
	}
	df := frameOf(t)
	start, hasStart := m.argument(a, "px.DataFrame", 2, "start_time", false)
	end, hasEnd := m.argument(a, "px.DataFrame", 3, "end_time", false)
	if hasStart || hasEnd {
		from, until := int64(math.MinInt64), int64(math.MaxInt64)
		if hasStart && start != nil {
			from = m.moment(a, start)
		}
		if hasEnd && end != nil {
			until = m.moment(a, end)
		}
		if times := df.column("time_"); times != nil {
			df = df.keep(func(row int) bool { return times.Ints[row] >= from && times.Ints[row] <= until })
		}
	}
	if names, ok := m.argument(a, "px.DataFrame", 1, "select", false); ok && names != nil {
		return m.selectColumns(a.at, df, m.strings(a.at, names))
	}
	return df
}

// display makes a table of the result.
func display(m *machine, a arguments) value {
	df, ok := m.one(a, "px.display", "data").(*frame)
	if !ok {
		m.fail(a.at, "px.display: a DataFrame is expected", "px.display(df, 'name')")
	}
	name, _ := m.argument(a, "px.display", 1, "name", false)
	text, _ := name.(string)
	m.show(df, text)
	return nil
}

func (m *machine) show(df *frame, name string) {
	if name == "" {
		name = DefaultTable
	}
	made := df.out(name)
	for i, t := range m.result.Tables {
		if t.Name == name {
			m.result.Tables[i] = made
			return
		}
	}
	m.result.Tables = append(m.result.Tables, made)
}

// pluck reads a field of a JSON text.
func pluck(text, name string) gjson.Result {
	return gjson.Get(text, gjson.Escape(name))
}
