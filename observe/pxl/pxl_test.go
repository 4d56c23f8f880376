package pxl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brine.test/brine/observe/table"
)

var epoch = time.Unix(1_700_000_000, 0)

// httpEvents makes n requests to default/consumer during the last 100 s before epoch, each at both ends: the i-th took
// i%100+1 ms, every 50th failed, every 10th was a health check.
func httpEvents(n int) *table.Table {
	t := table.New("http_events",
		table.Spec{Name: "time_", Type: table.Time64NS}, table.Spec{Name: "upid", Type: table.Uint128},
		table.Spec{Name: "remote_addr", Type: table.String}, table.Spec{Name: "trace_role", Type: table.Int64},
		table.Spec{Name: "req_path", Type: table.String}, table.Spec{Name: "resp_status", Type: table.Int64},
		table.Spec{Name: "resp_body_size", Type: table.Int64}, table.Spec{Name: "latency", Type: table.Int64},
	)
	for _, name := range []string{"service", "pod"} {
		t.Context = append(t.Context, &table.Column{Name: name, Type: table.String})
	}
	col := t.Columns
	for i := range n {
		at := epoch.Add(-100*time.Second + time.Duration(i)*100*time.Second/time.Duration(n)).UnixNano()
		col[0].Ints = append(col[0].Ints, at)
		col[1].Strings = append(col[1].Strings, "1")
		col[2].Strings = append(col[2].Strings, "10.77.0.9")
		col[3].Ints = append(col[3].Ints, int64(1+(i/10)%2))
		path, status, service := "/", int64(200), "default/consumer"
		if i%10 == 0 {
			path = "/healthz"
		}
		if i%50 == 1 {
			status = 500
		}
		if i%3 == 0 {
			service = `["default/consumer","default/other"]`
		}
		col[4].Strings = append(col[4].Strings, path)
		col[5].Ints = append(col[5].Ints, status)
		col[6].Ints = append(col[6].Ints, 10)
		col[7].Ints = append(col[7].Ints, int64(i%100+1)*1e6)
		t.Context[0].Strings = append(t.Context[0].Strings, service)
		t.Context[1].Strings = append(t.Context[1].Strings, fmt.Sprintf("default/node%d", i%5+1))
	}
	return t
}

func envOf(tables ...*table.Table) Env {
	e := Env{Tables: map[string]*table.Table{}, Now: epoch, Pods: map[string]string{"10.77.0.9": "default/node9"}, Services: map[string]string{"default/node9": "default/front"}}
	for _, t := range tables {
		e.Tables[t.Name] = t
	}
	return e
}

func run(t testing.TB, source string, env Env, calls ...Call) *table.Table {
	t.Helper()
	r, err := Run(context.Background(), Script{Name: "test.py", Source: source, Calls: calls}, env)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Table("")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// text draws a table as lines of values.
func text(t *table.Table) string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(t.Names(), ", ", " "))
	for i := range t.Rows() {
		b.WriteString("\n")
		for j, c := range t.Columns {
			if j > 0 {
				b.WriteString(" ")
			}
			fmt.Fprint(&b, c.At(i))
		}
	}
	return b.String()
}

// small is six rows with round numbers.
func small() *table.Table {
	t := table.New("t", table.Spec{Name: "time_", Type: table.Time64NS}, table.Spec{Name: "who", Type: table.String}, table.Spec{Name: "n", Type: table.Int64})
	for i, who := range []string{"a", "b", "a", "c", "b", "a"} {
		t.Columns[0].Ints = append(t.Columns[0].Ints, epoch.UnixNano()-int64(60-10*i)*1e9)
		t.Columns[1].Strings = append(t.Columns[1].Strings, who)
		t.Columns[2].Ints = append(t.Columns[2].Ints, int64(i+1))
	}
	return t
}

func TestLanguage(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"filters": {"df = df[df.who == 'a' and not df.n > 4]\ndf = df[['who', 'n']]", "who n\na 1\na 3"},
		"a name that is assigned a column is a new DataFrame": {
			"other = df\ndf.n = df.n * 10\ndf = other[other.n >= 5][['n']]", "n\n5\n6"},
		"arithmetic": {
			"df.q = df.n / 2\ndf.r = df.n % 4 - 7 // 2\ndf.s = df.who + '!'\ndf = df.head(2)[['q', 'r', 's']]",
			"q r s\n0.5 -2 a!\n1 -1 b!"},
		"groups": {
			"df = df.groupby('who').agg(n=('n', px.count), sum=('n', px.sum), mean=('n', px.mean), low=('n', px.min), high=('n', px.max), some=('who', px.any))",
			"who n sum mean low high some\na 3 10 3.3333333333333335 1 6 a\nb 2 7 3.5 2 5 b\nc 1 4 4 4 4 c"},
		"groups by several": {
			"df.big = df.n > 3\ndf = df.groupby(['who', 'big']).agg(n=('n', px.count))",
			"who big n\na false 2\nb false 1\nc true 1\nb true 1\na true 1"},
		"all in one group": {"df = df.agg(n=('n', px.sum))", "n\n21"},
		"joins": {
			"s = df.groupby('who').agg(sum=('n', px.sum))\ndf = df.merge(s, how='inner', left_on=['who'], right_on=['who'], suffixes=['', '_x'])\ndf = df.drop(['who_x', 'time_']).head(3)",
			"who n sum\na 1 10\nb 2 7\na 3 10"},
		"outer join": {
			"a = df[df.n == 1][['who', 'n']]\nb = df[df.n == 2][['who', 'n']]\ndf = a.merge(b, how='outer', left_on='who', right_on='who')",
			"who_x n_x who_y n_y\na 1  0\n 0 b 2"},
		"a constant column": {"df.k = 1\ndf = df.agg(k=('k', px.sum))", "k\n6"},
		"relative times":    {"df = px.DataFrame('t', start_time='-25s')[['n']]", "n\n5\n6"},
		"bins":              {"df.b = (px.bin(df.time_, px.seconds(30)) - px.now()) / px.seconds(1)\ndf = df.groupby('b').agg(n=('n', px.count))", "b n\n-80 1\n-50 3\n-20 2"},
		"texts": {
			"df.c = px.contains(df.who, 'a')\ndf.l = px.length('abc')\ndf.u = px.toupper(df.who)\ndf.x = px.select(df.c, 'yes', df.who)\ndf = df.head(2)[['c', 'l', 'u', 'x']]",
			"c l u x\ntrue 3 A yes\nfalse 3 B b"},
		"names":                       {"df = df.head(1)\ndf.a = '10.77.0.9'\ndf.p = px.nslookup(df.a)\ndf.s = px.pod_id_to_service_name(px.ip_to_pod_id(df.a))\ndf = df[['p', 's']]", "p s\ndefault/node9 default/front"},
		"json":                        {"df = df.head(1)\ndf.j = '{\"a.b\": 1.5, \"q\": {\"x\": 1}}'\ndf.f = px.pluck_float64(df.j, 'a.b')\ndf.g = px.pluck(df.j, 'q')\ndf = df[['f', 'g']]", "f g\n1.5 {\"x\": 1}"},
		"rows appended":               {"df = df.head(1).append(df.head(2))[['n']]", "n\n1\n1\n2"},
		"functions":                   {"def f(d, least: int = 5, *, x: list[str] = ['a']) -> px.DataFrame:\n    '''doc: string'''\n    return d[d.n >= least]\ndf = f(df, least=6)[['n']]", "n\n6"},
		"links and durations":         {"df = df.head(1)\ndf.l = px.script_reference(df.who, 'px/pod', {'pod': df.who, 'start': '-5m'})\ndf.d = px.format_duration(2 * px.parse_duration('-5m'))\ndf = df[['l', 'd']]", "l d\na -600000ms"},
		"more texts":                  {"df = df.head(1)\ndf.r = px.replace('([a-z]+)-([0-9]+)', 'ab-12', '\\\\2')\ndf.i = px.itoa(df.n) + '!'\ndf.p = px.protocol_name(2)\ndf.e = px.pluck(px.pluck_array('[{\"x\": 1}, {\"x\": 7}]', 1), 'x')\ndf.u = px.upid_to_pid('00000007-0000-002a-0000-000000000001')\ndf = df[['r', 'i', 'p', 'e', 'u']]", "r i p e u\n12 1! HTTP2 7 42"},
		"contexts":                    {"d = px.DataFrame('http_events').head(1)\nd.a = d.ctx['pod_name']\nd.b = d.ctx['pod_id']\nd.c = d.ctx['pod'] == d.a\ndf = d[['a', 'b', 'c']]", "a b c\ndefault/node1 default/node1 true"},
		"groups without an aggregate": {"df = df.groupby(['who']).agg()\ndf = df.groupby('who').agg(n=('who', px.count)).head(1)", "who n\na 1"},
		"floor and ceil":              {"df = df.head(1)\ndf.f = px.floor(df.n / 2)\ndf.c = px.ceil(df.n / 2)\ndf = df[['f', 'c']]", "f c\n0 1"},
	} {
		t.Run(name, func(t *testing.T) {
			source := "import px\ndf = px.DataFrame(table='t')\n" + strings.ReplaceAll(test.script, "*, ", "") + "\npx.display(df)\n"
			if got := text(run(t, source, envOf(small(), httpEvents(10)))); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for name, test := range map[string]struct{ script, want string }{
		"unknown function":      {"import px\ndf = px.DataFrame('t')\ndf.x = px.kmeans(df.n)", "test.py:3:11: px.kmeans: unsupported function\nhint: supported: px.Bytes"},
		"unknown table":         {"\ndf = px.DataFrame('mysql_events')", `test.py:2:6: px.DataFrame: "mysql_events": no such table` + "\nhint: tables: t"},
		"unknown column":        {"df = px.DataFrame('t')\ndf = df[df.m > 1]", "test.py:2:12: m: no such column or function of a DataFrame\nhint: columns: time_, who, n"},
		"if":                    {"if True:\n  x = 1", "test.py:1:1: if: unsupported statement"},
		"syntax":                {"df = (1,\n2", "test.py:2:2: got end of file, want ')'"},
		"types":                 {"df = px.DataFrame('t')\ndf = df[df.who > 1]", "test.py:2:16: >: unsupported for a column of STRING and INT64"},
		"an aggregate of texts": {"df = px.DataFrame('t')\ndf = df.agg(x=('who', px.mean))", "test.py:2:9: agg: px.mean: unsupported for a column of STRING"},
		"another DataFrame":     {"df = px.DataFrame('t')\nd = df.head(2)\nd.x = df.n", "test.py:3:1: a column of 6 rows does not fit into a DataFrame of 2"},
		"lambda":                {"x = lambda y: y", "test.py:1:5: lambda: unsupported expression"},
		"after the import":      {"import px; import other\nx = y", "test.py:2:5: y: is not defined"},
		"endless":               {"def f(x):\n  return f(x)\nf(1)", "test.py:2:10: f: calls go deeper than 40"},
		"time":                  {"df = px.DataFrame('t', start_time='yesterday')", "test.py:1:6: a time is expected"},
		"methods":               {"df = px.DataFrame('t').rolling('3s')", "test.py:1:24: rolling: no such column or function of a DataFrame"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Run(context.Background(), Script{Name: "test.py", Source: test.script}, envOf(small()))
			var e *Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v\nwant %s…", err, test.want)
			}
		})
	}
}

func TestCallsFromOutside(t *testing.T) {
	got := run(t, "import px\ndef f(start: str, who: px.Pod):\n    df = px.DataFrame('t', start_time=start)\n    return df[df.who == who][['n']]\n", envOf(small()),
		Call{Func: "f", Args: map[string]string{"start": "-35s", "who": "b"}})
	if text(got) != "n\n5" {
		t.Error(text(got))
	}
}

// seeds is where the scripts are that must run as they are; they are not part of the project.
func seeds(t testing.TB) string {
	for dir, _ := filepath.Abs("."); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared", "seeds")
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above")
		}
	}
}

// stories are the script of chaostoolkit-pixie's documentation, where it is, and the project's own of the same story.
func stories(t testing.TB) map[string]string {
	out := map[string]string{}
	for name, file := range map[string]string{"own": "../../features/steady/latency.py", "documentation's": filepath.Join(seeds(t), "pixiescript.py")} {
		b, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) && name != "own" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

func TestStory(t *testing.T) {
	for name, source := range stories(t) {
		t.Run(name, func(t *testing.T) {
			got := run(t, source, envOf(httpEvents(10_000)))
			// 100 s are cut by 11 windows at most; of 10,000 rows half are the server's, a tenth of them health checks.
			if n := got.Rows(); n < 10 || n > 11 {
				t.Fatalf("%d windows\n%s", n, text(got))
			}
			p99 := got.Column("latency_p99")
			for i := range p99.Len() {
				if v, ok := p99.Number(i); !ok || v < 95e6 || v > 100e6 {
					t.Errorf("window %d: p99 %v", i, v)
				}
			}
			rate, _ := got.Column("error_rate").Number(1)
			if rate < 0.01 || rate > 0.04 {
				t.Errorf("error rate %v", rate)
			}
		})
	}
}

// A million rows take less than 2 s.
func TestAMillionRows(t *testing.T) {
	events := httpEvents(1_000_000)
	for name, source := range stories(t) {
		took := time.Hour
		for range 3 { // the best of three: the machine may be busy
			began := time.Now()
			run(t, source, envOf(events))
			took = min(took, time.Since(began))
		}
		t.Logf("%s script: %s", name, took)
		if took > 2*time.Second*slower {
			t.Errorf("%s script took %s", name, took)
		}
	}
}

func BenchmarkMillionRows(b *testing.B) {
	events := httpEvents(1_000_000)
	for name, source := range stories(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				run(b, source, envOf(events))
			}
		})
	}
}

// No script makes the evaluator panic, and preparing keeps the length.
func FuzzRun(f *testing.F) {
	for _, source := range stories(f) {
		f.Add(source)
	}
	f.Add("import px\ndf = px.DataFrame('t')\ndf.a = px.bin(df.n, 0 - 1) % -1 // df.n\npx.display(df.groupby('who').agg(q=('n', px.quantiles)))")
	f.Add("from x import y\ndef f(a: int = 1, b: list[str] = {}) -> str:\n  return a\nf(b='''x''', a=\"\\\"\")")
	f.Fuzz(func(t *testing.T, source string) {
		if len(prepare(source)) != len(source) {
			t.Fatal("the length changed")
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = Run(ctx, Script{Source: source}, envOf(small(), httpEvents(20)))
	})
}
