package pxl

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"brine.test/brine/observe/table"
)

// addTexts adds the functions of texts.
func addTexts(add func(call func(*machine, arguments) value, names ...string)) {
	add(text2("px.has_service_name", table.Boolean, func(out *table.Column, s, name string) { out.Bools = append(out.Bools, hasServiceName(s, name)) }), "has_service_name")
	add(text2("px.contains", table.Boolean, func(out *table.Column, s, part string) { out.Bools = append(out.Bools, strings.Contains(s, part)) }), "contains")
	add(text2("px.find", table.Int64, func(out *table.Column, s, part string) { out.Ints = append(out.Ints, int64(strings.Index(s, part))) }), "find")
	add(text2("px.pluck", table.String, func(out *table.Column, s, name string) { out.Strings = append(out.Strings, plucked(s, name)) }), "pluck")
	add(text2("px.pluck_int64", table.Int64, func(out *table.Column, s, name string) { out.Ints = append(out.Ints, pluck(s, name).Int()) }), "pluck_int64")
	add(text2("px.pluck_float64", table.Float64, func(out *table.Column, s, name string) { out.Floats = append(out.Floats, pluck(s, name).Float()) }), "pluck_float64")
	add(text2("px.strip_prefix", table.String, func(out *table.Column, prefix, s string) {
		out.Strings = append(out.Strings, strings.TrimPrefix(s, prefix))
	}), "strip_prefix")
	add(regexMatch, "regex_match")
	add(equalsAny, "equals_any")
	add(substring, "substring")
	add(text1(table.Int64, func(_ *machine, out *table.Column, s string) { out.Ints = append(out.Ints, int64(len(s))) }), "length")
	toText := func(f func(*machine, string) string) func(*machine, arguments) value {
		return text1(table.String, func(m *machine, out *table.Column, s string) { out.Strings = append(out.Strings, f(m, s)) })
	}
	add(toText(func(_ *machine, s string) string { return strings.ToLower(s) }), "tolower")
	add(toText(func(_ *machine, s string) string { return strings.ToUpper(s) }), "toupper")
	add(toText(func(_ *machine, s string) string { return strings.TrimSpace(s) }), "trim")
	// A pod's id is its name here; an address that nobody has stays an address, as Pixie's nslookup does.
	add(toText(func(m *machine, s string) string {
		if pod := m.env.Pods[s]; pod != "" {
			return pod
		}
		return s
	}), "nslookup")
	add(toText(func(m *machine, s string) string { return m.env.Pods[s] }), "ip_to_pod_id")
	add(toText(func(_ *machine, s string) string { return s }), "pod_id_to_pod_name", "service_id_to_service_name")
	add(toText(func(m *machine, s string) string { return m.env.Services[s] }), "pod_id_to_service_name", "pod_name_to_service_name", "pod_id_to_service_id")
	add(toText(func(m *machine, s string) string { return m.env.Services[m.env.Pods[s]] }), "ip_to_service_id")
	add(toText(func(_ *machine, s string) string {
		namespace, _, ok := strings.Cut(s, "/")
		if !ok {
			return ""
		}
		return namespace
	}), "pod_id_to_namespace", "pod_name_to_namespace")
}

// text1 makes a function of one text.
func text1(result table.Type, f func(m *machine, out *table.Column, s string)) func(*machine, arguments) value {
	return func(m *machine, a arguments) value {
		o := m.operand(a.at, m.one(a, "a function of a text", "s"))
		if !isText(o.Column) {
			m.failf(a.at, "a text is expected, got %s", o.Type)
		}
		_, scalar := m.rows(a.at, o)
		out := &table.Column{Type: result}
		for _, s := range o.Strings {
			f(m, out, s)
		}
		return scalarOf(out, scalar)
	}
}

// text2 makes a function of two texts.
func text2(name string, result table.Type, f func(out *table.Column, s, t string)) func(*machine, arguments) value {
	return func(m *machine, a arguments) value {
		if len(a.pos) != 2 || len(a.named) > 0 {
			m.failf(a.at, "%s: two texts are expected", name)
		}
		x, y := m.operand(a.at, a.pos[0]), m.operand(a.at, a.pos[1])
		n, scalar := m.rows(a.at, x, y)
		if !isText(x.Column) || !isText(y.Column) {
			m.failf(a.at, "%s: two texts are expected, got %s and %s", name, x.Type, y.Type)
		}
		out := &table.Column{Type: result}
		for i := range n {
			f(out, x.Strings[i*x.step], y.Strings[i*y.step])
		}
		return scalarOf(out, scalar)
	}
}

// hasServiceName holds when s is the name, or a JSON array with it.
func hasServiceName(s, name string) bool {
	if s == name {
		return true
	}
	if len(s) == 0 || s[0] != '[' {
		return false
	}
	var all []string
	return json.Unmarshal([]byte(s), &all) == nil && slices.Contains(all, name)
}

// plucked gives a field as text: a string as it is, anything else as JSON.
func plucked(s, name string) string {
	return pluck(s, name).String()
}

func regexMatch(m *machine, a arguments) value {
	if len(a.pos) != 2 {
		m.fail(a.at, "px.regex_match: a pattern and a text are expected", "px.regex_match('^/api/.*', df.req_path)")
	}
	pattern, ok := a.pos[0].(string)
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if !ok || err != nil {
		m.failf(a.at, "px.regex_match: no regular expression (RE2)")
	}
	a.pos = a.pos[1:]
	return text1(table.Boolean, func(_ *machine, out *table.Column, s string) { out.Bools = append(out.Bools, re.MatchString(s)) })(m, a)
}

func equalsAny(m *machine, a arguments) value {
	if len(a.pos) != 2 {
		m.fail(a.at, "px.equals_any: a text and a list are expected", "px.equals_any(df.req_method, ['GET', 'HEAD'])")
	}
	any := m.strings(a.at, a.pos[1])
	a.pos = a.pos[:1]
	return text1(table.Boolean, func(_ *machine, out *table.Column, s string) { out.Bools = append(out.Bools, slices.Contains(any, s)) })(m, a)
}

// substring is px.substring(text, from, length).
func substring(m *machine, a arguments) value {
	if len(a.pos) != 3 {
		m.fail(a.at, "px.substring: a text, a place and a length are expected", "px.substring(df.req_path, 0, 10)")
	}
	s, from, length := m.operand(a.at, a.pos[0]), m.operand(a.at, a.pos[1]), m.operand(a.at, a.pos[2])
	n, scalar := m.rows(a.at, s, from, length)
	if !isText(s.Column) || !isInt(from.Column) || !isInt(length.Column) {
		m.failf(a.at, "px.substring: a text and two whole numbers are expected, got %s, %s, %s", s.Type, from.Type, length.Type)
	}
	out := &table.Column{Type: table.String, Strings: make([]string, n)}
	for i := range n {
		text := s.Strings[i*s.step]
		size := int64(len(text))
		begin := min(max(from.Ints[i*from.step], 0), size)
		end := begin + min(max(length.Ints[i*length.step], 0), size-begin)
		out.Strings[i] = text[begin:end]
	}
	return scalarOf(out, scalar)
}

func tableNames(tables map[string]*table.Table) string {
	return strings.Join(slices.Sorted(maps.Keys(tables)), ", ")
}

// supported lists the functions that there are.
func supported() string {
	return "px." + strings.Join(slices.Sorted(maps.Keys(builtins)), ", px.")
}

func aggregators() string {
	var names []string
	for name, b := range builtins {
		if b.group != nil {
			names = append(names, "px."+name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
