package pxl

import (
	"regexp"
	"strconv"
	"time"

	"github.com/tidwall/gjson"

	"brine.test/brine/observe/table"
)

// dict is {'name': value}: scripts hand it to px.script_reference, which shows it as a link.
type dict struct{}

// addMore adds the functions that Pixie's own scripts of HTTP, services and networks use beside the plain ones.
func addMore(add func(call func(*machine, arguments) value, names ...string)) {
	add(replaceText, "replace")
	add(text1(table.Int64, func(_ *machine, out *table.Column, s string) { out.Ints = append(out.Ints, pidOf(s)) }), "upid_to_pid")
	add(onInts(strconv.FormatInt), "itoa")
	add(onInts(func(v int64, _ int) string { return protocolName(v) }), "protocol_name")
	add(pluckArray, "pluck_array")
	add(func(m *machine, a arguments) value {
		return m.moment(a, m.one(a, "px.parse_duration", "duration")) - m.env.Now.UnixNano()
	}, "parse_duration")
	add(onInts(func(v int64, _ int) string { return strconv.FormatInt(v/int64(time.Millisecond), 10) + "ms" }), "format_duration")
}

// onInts makes a function of whole numbers that gives texts.
func onInts(f func(v int64, base int) string) func(*machine, arguments) value {
	return func(m *machine, a arguments) value {
		o := m.operand(a.at, m.one(a, "a function of numbers", "x"))
		_, scalar := m.rows(a.at, o)
		if !isInt(o.Column) {
			m.failf(a.at, "a whole number is expected, got %s", o.Type)
		}
		out := &table.Column{Type: table.String}
		for _, v := range o.Ints {
			out.Strings = append(out.Strings, f(v, 10))
		}
		return scalarOf(out, scalar)
	}
}

// Protocols by Pixie's numbers.
var protocols = []string{"Unknown", "HTTP", "HTTP2", "MySQL", "CQL", "PGSQL", "DNS", "Redis", "NATS", "Mongo", "Kafka", "Mux", "AMQP", "TLS"}

func protocolName(v int64) string {
	if v < 0 || v >= int64(len(protocols)) {
		return protocols[0]
	}
	return protocols[v]
}

// pidOf is the process id in a UPID: the last 8 digits of its first half.
func pidOf(upid string) int64 {
	if len(upid) < 18 {
		return 0
	}
	n, _ := strconv.ParseInt(upid[9:13]+upid[14:18], 16, 64) // none is 0
	return n
}

// backreference is \1 as RE2 of C++ writes it.
var backreference = regexp.MustCompile(`\\(\d)`)

// replaceText is px.replace(pattern, text, substitute).
func replaceText(m *machine, a arguments) value {
	if len(a.pos) != 3 {
		m.fail(a.at, "px.replace: a pattern, a text and what replaces it are expected", `px.replace('a+', df.req_path, 'b')`)
	}
	pattern, ok := a.pos[0].(string)
	by, also := a.pos[2].(string)
	re, err := regexp.Compile(pattern)
	if !ok || !also || err != nil {
		m.failf(a.at, "px.replace: no regular expression (RE2)")
	}
	by = backreference.ReplaceAllString(by, "$${$1}")
	a.pos = a.pos[1:2]
	return text1(table.String, func(_ *machine, out *table.Column, s string) {
		out.Strings = append(out.Strings, re.ReplaceAllString(s, by))
	})(m, a)
}

// pluckArray is px.pluck_array(json, index).
func pluckArray(m *machine, a arguments) value {
	if len(a.pos) != 2 {
		m.fail(a.at, "px.pluck_array: a JSON array and a place are expected", "px.pluck_array(df.x, 0)")
	}
	place, ok := a.pos[1].(int64)
	if !ok || place < 0 {
		m.failf(a.at, "px.pluck_array: a place from 0 on is expected, got %s", typeOf(a.pos[1]))
	}
	a.pos = a.pos[:1]
	return text1(table.String, func(_ *machine, out *table.Column, s string) {
		out.Strings = append(out.Strings, gjson.Get(s, strconv.FormatInt(place, 10)).String())
	})(m, a)
}
