package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brine.test/brine/observe/table"
)

// fake is a host that remembers what it did.
type fake struct {
	did  []string
	p99  []float64 // ms, a row each, the next run's
	late float64   // what processes add to them
}

func (f *fake) Script(_ context.Context, name, _, from string) (*table.Table, string, error) {
	f.did = append(f.did, "script "+name+" "+from)
	t := table.New("output", table.Spec{Name: "time_", Type: table.Time64NS}, table.Spec{Name: "latency_p99", Type: table.Float64})
	for i, v := range f.p99 {
		t.Columns[0].Ints, t.Columns[1].Floats = append(t.Columns[0].Ints, int64(i)), append(t.Columns[1].Floats, v*1e6)
	}
	return t, "on what was seen", nil
}

func (f *fake) HTTP(_ context.Context, method, url string, headers map[string]string, body string) (int, map[string]string, string, error) {
	f.did = append(f.did, fmt.Sprint(method, " ", url, " ", headers, " ", body))
	return 200, map[string]string{"X": "y"}, `{"a": {"b": [1, 2]}}`, nil
}

func (f *fake) Process(_ context.Context, program string, args []string) (int, string, string, string, error) {
	f.did = append(f.did, program+" "+strings.Join(args, "|"))
	for i := range f.p99 {
		f.p99[i] += f.late
	}
	return 0, "out", "", "stood in", nil
}

func noEnv(string) (string, bool) { return "", false }

// seed is the experiment of chaostoolkit-pixie's documentation, where it is; it is no part of the project.
func seed(t *testing.T) string {
	t.Helper()
	for dir, _ := filepath.Abs("."); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared", "seeds", "experiment.json")
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above")
		}
	}
}

func TestTheStory(t *testing.T) {
	for _, file := range []string{"../../features/steady/experiment.json", seed(t)} {
		if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) && file != "../../features/steady/experiment.json" {
			continue
		}
		e, err := Read(file, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		for name, test := range map[string]struct {
			host     fake
			want     error
			status   string
			deviated bool
			acts     int
		}{
			"holds":           {fake{p99: []float64{100, 120, 110}}, nil, "completed", false, 3},
			"deviates":        {fake{p99: []float64{100, 120, 110}, late: 200}, ErrDeviated, "failed", true, 3},
			"cannot begin":    {fake{p99: []float64{400, 120, 110}}, ErrNotSteady, "failed", false, 1},
			"too few windows": {fake{p99: []float64{100}}, ErrNotSteady, "failed", false, 1},
		} {
			j, err := e.Run(t.Context(), &test.host)
			if !errors.Is(err, test.want) || j.Status != test.status || j.Deviated != test.deviated || len(test.host.did) != test.acts {
				t.Errorf("%s: %s: %v, %+v, %q", file, name, err, j, test.host.did)
			}
			if test.acts == 3 && !strings.HasPrefix(test.host.did[1], "ddosify -d|") {
				t.Errorf("%s: %q", name, test.host.did)
			}
			var again map[string]any
			b, err := json.Marshal(j)
			if err == nil {
				err = json.Unmarshal(b, &again)
			}
			if err != nil || again["steady_states"] == nil || again["experiment"] == nil || again["run"] == nil {
				t.Errorf("%s: journal %v %s", name, err, b)
			}
		}
	}
}

func TestEverythingElse(t *testing.T) {
	t.Setenv("WHO", "x")
	t.Setenv("PORT", "8080")
	e, err := Read("testdata/other.yaml", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	var f fake
	j, err := e.Run(t.Context(), &f)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`GET http://node1:8080/x map[Authorization:s3cret] `, `GET http://node1:8080/ map[] `, `true a|1`,
		`true x|y z`, `POST http://node1:8080/ map[] {"k":"x"}`, `GET http://node1:8080/x map[Authorization:s3cret] `,
		`GET http://node1:8080/ map[] `, `true a|1`, `true undone`,
	}
	if !slices.Equal(f.did, want) {
		t.Errorf("did\n%s\nwant\n%s", strings.Join(f.did, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(e.Secrets, []string{"s3cret"}) || len(j.Undone) != 1 || len(j.Run) != 2 || j.States.After == nil || !slices.Contains(j.Notes, "controls are not run: 2 were left out") {
		t.Errorf("%+v", j)
	}
}

// Rollbacks and hypotheses follow the strategies that the experiment asks for, as under Chaos Toolkit.
func TestStrategies(t *testing.T) {
	for name, test := range map[string]struct {
		runtime      string
		first, then  float64 // ms, p99 before and after the method
		checks, acts int     // of the hypothesis; rollbacks
		want         error
	}{
		"met":                        {`{}`, 100, 100, 2, 1, nil},
		"deviated":                   {`{}`, 100, 400, 2, 0, ErrDeviated},
		"deviated, always":           {`{"rollbacks": {"strategy": "always"}}`, 100, 400, 2, 1, ErrDeviated},
		"deviated, when it does":     {`{"rollbacks": {"strategy": "deviated"}}`, 100, 400, 2, 1, ErrDeviated},
		"met, when it deviates":      {`{"rollbacks": {"strategy": "deviated"}}`, 100, 100, 2, 0, nil},
		"never":                      {`{"rollbacks": {"strategy": "never"}}`, 100, 100, 2, 0, nil},
		"could not begin":            {`{}`, 400, 400, 1, 0, ErrNotSteady},
		"could not begin, always":    {`{"rollbacks": {"strategy": "always"}}`, 400, 400, 1, 1, ErrNotSteady},
		"only after the method":      {`{"hypothesis": {"strategy": "after-method-only"}}`, 400, 400, 1, 0, ErrDeviated},
		"only before the method":     {`{"hypothesis": {"strategy": "before-method-only"}}`, 100, 400, 1, 1, nil},
		"no check of the hypothesis": {`{"hypothesis": {"strategy": "skip"}}`, 400, 400, 0, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := parse([]byte(`{"title": "x", "runtime": `+test.runtime+`, "steady-state-hypothesis": {"title": "y", "probes": [
				{"type": "probe", "name": "p", "provider": {"type": "python", "module": "chaospixie.probes", "func": "run_script", "arguments": {"script": "-"}},
				 "tolerance": {"type": "probe", "provider": {"type": "python", "module": "chaospixie.tolerances", "func": "median_should_be_below",
				  "arguments": {"column": "latency_p99", "convert_from_nanoseconds": "milliseconds", "treshold": 300}}}}]},
				"method": [{"type": "action", "name": "m", "provider": {"type": "process", "path": "harm"}}],
				"rollbacks": [{"type": "action", "name": "r", "provider": {"type": "process", "path": "undo"}}]}`), noEnv)
			if err != nil {
				t.Fatal(err)
			}
			f := fake{p99: []float64{test.first}, late: test.then - test.first}
			j, err := e.Run(t.Context(), &f)
			if !errors.Is(err, test.want) {
				t.Error(err)
			}
			checks, undone := 0, 0
			for _, did := range f.did {
				if strings.HasPrefix(did, "script ") {
					checks++
				}
				if strings.HasPrefix(did, "undo") {
					undone++
				}
			}
			if checks != test.checks || undone != test.acts || len(j.Undone) != test.acts {
				t.Errorf("%q, %d rollbacks in the journal", f.did, len(j.Undone))
			}
			if strings.Contains(strings.Join(j.Notes, "\n"), "rollbacks were not made") != (test.acts == 0) {
				t.Errorf("notes %q", j.Notes)
			}
		})
	}
}

func TestWhatIsNotSupportedIsNamed(t *testing.T) {
	_, err := Read("testdata/unsupported.json", noEnv)
	for _, want := range []string{
		`activity "a": provider python chaosaws.ec2.actions.stop_instance: unsupported`, `activity "b": provider grpc: unsupported`,
		`activity "c": tolerance x.y: unsupported`, `activity "d": ref x: unsupported`, "configuration who: WHO is not set",
		`activity "e": tolerance: is missing`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %q in it", err, want)
		}
	}
}
