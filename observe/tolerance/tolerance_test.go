package tolerance

import (
	"errors"
	"strings"
	"testing"

	"brine.test/brine/observe/table"
)

// The wanted numbers are those of Python 3.11's statistics.quantiles(values, n=100) and statistics.median.
func TestAsPython(t *testing.T) {
	oneToTen := []float64{10, 1, 9, 2, 8, 3, 7, 4, 6, 5}
	for _, test := range []struct {
		values []float64
		p      int
		want   float64
	}{
		{[]float64{1, 2}, 99, 2.97}, // beyond the largest
		{[]float64{1, 2}, 1, 0.03},
		{[]float64{100, 200, 300}, 99, 396},
		{[]float64{100, 200, 300}, 50, 200},
		{oneToTen, 99, 10.89},
		{oneToTen, 90, 9.9},
		{oneToTen, 1, 0.11},
		{oneToTen, 33, 3.63},
	} {
		got, err := Percentile(test.values, test.p)
		if err != nil || got-test.want > 1e-9 || test.want-got > 1e-9 {
			t.Errorf("p%d of %v: %v, %v, want %v", test.p, test.values, got, err, test.want)
		}
	}
	if m, err := Median([]float64{3, 1, 2, 10}); err != nil || m != 2.5 {
		t.Error(m, err)
	}
}

func TestRules(t *testing.T) {
	rows := table.New("output", table.Spec{Name: "service", Type: table.String}, table.Spec{Name: "latency_p99", Type: table.Float64}, table.Spec{Name: "n", Type: table.Int64})
	for i, s := range []string{"default/consumer", "default/consumer", "default/other", "default/consumer"} {
		rows.Columns[0].Strings = append(rows.Columns[0].Strings, s)
		rows.Columns[1].Floats = append(rows.Columns[1].Floats, float64(i+1)*100e6)
		rows.Columns[2].Ints = append(rows.Columns[2].Ints, int64(i))
	}
	for name, test := range map[string]struct {
		rule Rule
		want bool
	}{
		"the bound is included below": {Rule{Column: "latency_p99", Unit: "milliseconds", Below: true, Threshold: 250}, true},
		"and above":                   {Rule{Column: "latency_p99", Unit: "milliseconds", Threshold: 250}, true},
		"not below":                   {Rule{Column: "latency_p99", Unit: "seconds", Below: true, Threshold: 0.249}, false},
		"rows that match":             {Rule{Column: "latency_p99", Unit: "milliseconds", Below: true, Threshold: 200, Target: &Target{Column: "service", Pattern: "default/c.*"}}, true},
		"matching from the begin":     {Rule{Column: "latency_p99", Unit: "milliseconds", Below: true, Threshold: 200, Target: &Target{Column: "service", Pattern: "default/con"}}, true},
		"no such target column":       {Rule{Column: "latency_p99", Unit: "milliseconds", Threshold: 250, Target: &Target{Column: "pod", Pattern: "x"}}, true},
		"strict, matching anywhere":   {Rule{Column: "latency_p99", Unit: "milliseconds", Below: true, Threshold: 200, Target: &Target{Column: "service", Pattern: "con", Strict: true}}, true},
		"beyond the largest":          {Rule{Column: "latency_p99", Percentile: 99, Unit: "milliseconds", Below: true, Threshold: 400}, false},
	} {
		if got, err := test.rule.Judge(rows); err != nil || got.Holds != test.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestTooFewValuesAreAnError(t *testing.T) {
	rows := table.New("output", table.Spec{Name: "x", Type: table.Int64}, table.Spec{Name: "s", Type: table.String})
	if _, err := (Rule{Column: "x"}).Judge(rows); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	rows.Columns[0].Ints, rows.Columns[1].Strings = []int64{1}, []string{"a"}
	if _, err := (Rule{Column: "x", Percentile: 99}).Judge(rows); !errors.Is(err, ErrTooFew) {
		t.Error(err)
	}
	for _, r := range []Rule{{Column: "y"}, {Column: "s"}, {Column: "x", Unit: "hours"}, {Column: "x", Target: &Target{Column: "s", Pattern: "("}}} {
		if _, err := r.Judge(rows); err == nil {
			t.Errorf("%+v: no error", r)
		}
	}
}

// A sentence that names a column or a value that is not there must not be judged on all rows.
func TestAStrictTargetMustBeThere(t *testing.T) {
	rows := table.New("output", table.Spec{Name: "x", Type: table.Int64}, table.Spec{Name: "s", Type: table.String})
	rows.Columns[0].Ints, rows.Columns[1].Strings = []int64{1, 2}, []string{"a", "b"}
	for want, target := range map[string]Target{
		`column "t": table output has no such column`:                                {Column: "t", Pattern: "a", Strict: true},
		`no row's "s" matches "c": too few values` + "\nhint: there is \"a\", \"b\"": {Column: "s", Pattern: "c", Strict: true},
	} {
		if _, err := (Rule{Column: "x", Target: &target}).Judge(rows); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
