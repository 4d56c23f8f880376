//go:build browser

package reports

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// A run of 500 scenarios with 200 MB of logs makes a file below 20 MB that answers within 2 s.
func TestABigRunStaysUsable(t *testing.T) {
	dir := t.TempDir()
	p := newPlay(t, dir)
	for i := range 500 {
		sc := p.rec.Scenario(record.ScenarioInfo{URI: fmt.Sprintf("features/f%d.feature", i/10), Line: i, Feature: fmt.Sprintf("Feature %d", i/10), Name: fmt.Sprintf("Scenario %d of many", i),
			Steps: []record.StepInfo{{Keyword: "Given ", Text: "a 3-node cluster running etcd"}, {Keyword: "Then ", Text: "a write to node1 succeeds"}}})
		l := p.logs(sc, nodes...)
		p.step(sc, 0, func() {
			for j := range 300 {
				p.wait(2 * time.Millisecond)
				for _, n := range nodes {
					l.say(n, `{"level":"info","ts":"2026-03-14T09:26:53.589Z","msg":"applied an entry of some length, number %d","payload":"%0380d"}`, j, i*j)
				}
			}
		})
		p.step(sc, 1, func() {
			for range 200 {
				p.wait(time.Millisecond)
				sc.Operation(record.Operation{Workload: "registers", Kind: "write", Outcome: record.OutcomeOK, Start: p.rec.Now().Mono - 1e6, End: p.rec.Now().Mono})
			}
		})
		for _, f := range l.files {
			_ = f.Close()
		}
		status := record.Passed
		if i%50 == 49 {
			status = record.Failed
		}
		sc.End(status, nil)
	}
	run := p.finish()
	began := time.Now()
	if err := Write(dir, run); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s of logs, rendered in %s, page of %s", size(treeSize(t, filepath.Join(dir, "artifacts"))), time.Since(began).Round(time.Millisecond), size(uint64(st.Size())))
	if st.Size() > 20<<20 {
		t.Errorf("the page has %s", size(uint64(st.Size())))
	}
	b := newBrowser(t)
	b.open(filepath.Join(dir, "report.html"), "", "light", 1280, 860)
	ready := b.eval(`performance.getEntriesByType("navigation")[0].domComplete`).(float64)
	t.Logf("complete after %.0f ms", ready)
	if ready > 2000 {
		t.Errorf("the page was complete only after %.0f ms", ready)
	}
	for what, js := range map[string]string{
		"search": `document.getElementById("search").value = "number"; document.getElementById("search").dispatchEvent(new Event("input"))`,
		"open":   `location.hash = "k3x9a2pq-50"`,
	} {
		took := b.eval(`new Promise((f) => { const t = performance.now(); ` + js + `; requestAnimationFrame(() => setTimeout(() => f(performance.now() - t))); })`).(float64)
		t.Logf("%s: %.0f ms", what, took)
		if took > 1000 {
			t.Errorf("%s took %.0f ms", what, took)
		}
	}
	b.clean()
}

func treeSize(t *testing.T, dir string) (n uint64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err == nil {
			n += uint64(st.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
