//go:build browser

package reports

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// A violation is drawn in the verdict: the proof, what was near it, and the harm, with text of the system as text.
func TestAViolationIsDrawn(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, drawnRun(t, dir)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "report.html")
	b := newBrowser(t)
	for _, scheme := range []string{"light", "dark"} {
		b.open(file, "#k3x9a2pq-1", scheme, 1280, 1000)
		b.want("operations", `document.querySelectorAll(".verdict .hd-op").length`, 24.0)
		b.want("the proof", `document.querySelectorAll(".verdict .hd-op.proof").length`, 4.0)
		b.want("an end that nobody knows", `document.querySelectorAll(".verdict .hd-op.open").length`, 1.0)
		b.want("the harm", `document.querySelector(".verdict .hd-harmtext").textContent`, "node2 is isolated")
		b.want("the one key is said once", `document.querySelector(".hd-op text").textContent.includes("w1-r1") || !document.querySelector(".history figcaption").textContent.includes("w1-r1")`, false)
		b.want("a row a client, by number", `[...document.querySelectorAll(".verdict .hd-who div")].map((e) => e.textContent).join()`, "client 1,client 2,client 10")
		b.want("the proof is in sight", `(() => { const s = document.querySelector(".hd-scroll").getBoundingClientRect(), p = document.querySelector(".hd-op.proof rect").getBoundingClientRect(); return p.left >= s.left && p.left < s.right; })()`, true)
		b.want("no element of it", `document.querySelectorAll("img[src=x], #app script, #app b b").length`, 0.0)
		b.want("operations per second", `[...document.querySelectorAll(".timeline text title")].some((e) => /^166 operations/.test(e.textContent))`, true)
		b.want("a rate with its errors", `document.querySelectorAll(".timeline .s-rate").length === 1 && /HTTP · node1/.test(document.querySelector(".timeline").textContent)`, true)
		b.shot("violation-" + scheme)
	}
	b.eval(`document.querySelector(".verdict .history summary").click()`)
	b.settle()
	b.want("the proof as a list", `document.querySelectorAll("article .hd-list li").length`, 4.0)
	b.open(file, "#k3x9a2pq-1", "light", 400, 800)
	b.want("not wider than a telephone", `document.documentElement.scrollWidth <= 400`, true)
	b.shot("violation-telephone")
	b.clean()
}

// Thirty harms at once on twenty-five nodes with long names, and a scenario that took no time.
func TestThirtyHarmsAtOnceStayReadable(t *testing.T) {
	dir := t.TempDir()
	p := newPlay(t, dir)
	sc := p.rec.Scenario(record.ScenarioInfo{URI: uri, Name: "Thirty harms with a name that is rather long and tells more than anybody wants to read in one line of a list", Steps: []record.StepInfo{{Text: "random faults strike for 60s"}}})
	var topo record.Topology
	for i := range 25 {
		name := fmt.Sprintf("a-node-with-a-long-name-%d", i+1)
		topo.Nodes = append(topo.Nodes, record.TopologyNode{Name: name, Zone: fmt.Sprintf("zone-of-europe-%d", i/9)})
		sc.State(record.ServiceState{Node: name, Service: "a-service-with-a-long-name", State: record.Ready})
	}
	sc.Topology(topo)
	p.step(sc, 0, func() {
		var all []*record.Harm
		for i := range 30 {
			n := topo.Nodes[i%25].Name
			all = append(all, sc.Harm(record.HarmInfo{Kind: "isolate", Effect: record.EffectCut, Asked: "random faults strike for 60s", Detail: n + " isolated", Targets: []string{n}}))
		}
		p.wait(time.Second)
		for _, h := range all {
			h.End(record.HealedByLength, p.touched(3, time.Second))
		}
		for range 30 {
			h := sc.Harm(record.HarmInfo{Kind: "pause", Effect: record.EffectPaused, Asked: "random faults strike for 60s", Detail: "somebody paused", Targets: []string{topo.Nodes[0].Name}})
			p.wait(100 * time.Millisecond)
			h.End(record.HealedByLength, record.Receipt{Processes: []string{"x"}})
			p.wait(100 * time.Millisecond)
		}
	})
	sc.End(record.Passed, nil)
	short := p.rec.Scenario(record.ScenarioInfo{URI: uri, Name: "Over at once"})
	short.End(record.Passed, nil)
	run := p.finish()
	if err := Write(dir, run); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "report.html")
	b := newBrowser(t)
	for _, width := range []int{1280, 400} {
		b.open(file, "#"+run.Scenarios[0].ID+"@0.5", "light", width, 1000)
		b.want("each harm has a band", `document.querySelectorAll(".timeline .b-harm").length`, 60.0)
		b.want("those that followed each other share a row", `document.querySelector(".timeline svg").getBoundingClientRect().height < 1350`, true)
		b.want("a band tells whom it hit, not only what all of them share", fmt.Sprintf(`/a-node-with-a-long-name-7 isolated/.test(document.querySelector(".timeline").textContent) || %v`, width < 500), true)
		b.want("lanes of long names stay apart", `new Set([...document.querySelectorAll(".timeline text")].map((e) => e.firstChild?.data).filter((x) => /^a-.*…/.test(x))).size >= 20`, true)
		b.want("not wider than the screen", fmt.Sprintf(`document.documentElement.scrollWidth <= %d`, width), true)
		b.eval(`document.getElementById("picture").scrollIntoView()`)
		b.settle()
		b.shot(fmt.Sprintf("thirty-%d", width))
	}
	b.open(file, "#"+run.Scenarios[1].ID, "light", 1280, 800)
	b.want("a scenario without a step", `document.querySelector("h1").textContent`, "Over at once")
	b.shot("empty")
	b.clean()
}
