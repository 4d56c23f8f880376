package world

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"brine.test/brine/world/record"
	sel "brine.test/brine/world/selector"
)

// rounds of each measurement; the median is reported.
const rounds = 5

// BenchmarkCluster measures whole scenarios from inside: the cluster up, one
// isolation, all gone. The first round is thrown away: it unpacks the image.
func BenchmarkCluster(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root: it runs clusters")
	}
	sleeper := "name: sleeper\nimage: \"host:/bin/sleep\"\nargs: [\"infinity\"]\n"
	for _, bench := range []struct {
		nodes   int
		service string
	}{{3, "sleeper"}, {10, "sleeper"}, {25, "sleeper"}, {3, "etcd"}} {
		b.Run(fmt.Sprintf("%d nodes of %s", bench.nodes, bench.service), func(b *testing.B) {
			suite, err := OpenSuite(context.Background(), SuiteOptions{Out: b.TempDir(), Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer func() {
				if err := suite.Close(context.Background()); err != nil {
					b.Error(err)
				}
			}()
			all := map[string][]float64{}
			for i := range rounds + 1 {
				got, err := scenarioTimes(suite, bench.nodes, bench.service, sleeper)
				if err != nil {
					b.Fatal(err)
				}
				if i == 0 {
					continue
				}
				for name, d := range got {
					all[name] = append(all[name], float64(d.Microseconds())/1000)
				}
			}
			for name, values := range all {
				sort.Float64s(values)
				b.ReportMetric(values[len(values)/2], name+"-ms")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// scenarioTimes runs one scenario and tells what its parts took.
func scenarioTimes(s *Suite, nodes int, service, yaml string) (map[string]time.Duration, error) {
	ctx := context.Background()
	out := map[string]time.Duration{}
	began := time.Now()
	lap := func(name string) {
		out[name] = time.Since(began)
		began = time.Now()
	}
	whole := began
	w, err := s.NewWorld(ctx, Scenario{Info: record.ScenarioInfo{Name: "bench", URI: filepath.Join(s.Out(), "bench.feature")}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close(ctx) }() // for the errors below; closing twice does nothing
	if err := w.DefineService(ctx, "sleeper", yaml); err != nil {
		return nil, err
	}
	if err := w.BuildCluster(ctx, ClusterSpec{Size: nodes, Services: []ServiceRef{{Name: service}}}); err != nil {
		return nil, err
	}
	lap("up")
	if err := w.Isolate(ctx, sel.Only("node2"), nil, Length{}); err != nil {
		return nil, err
	}
	lap("isolate")
	if service == "etcd" {
		if err := w.WriteExpect(ctx, sel.Only("node1"), Succeeds, Bound{}); err != nil {
			return nil, err
		}
		lap("write")
	}
	if err := w.Close(ctx); err != nil {
		return nil, err
	}
	lap("teardown")
	out["whole"] = time.Since(whole)
	return out, nil
}
