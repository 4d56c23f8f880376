//go:build browser

package reports

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// A split of a hundred nodes, and one pair of slow and lossy links among them.
func TestAHundredNodesStayReadable(t *testing.T) {
	dir := t.TempDir()
	p := newPlay(t, dir)
	for _, n := range []int{12, 30, 100, 1000} {
		sc := p.rec.Scenario(record.ScenarioInfo{Name: fmt.Sprintf("%d nodes", n), Steps: []record.StepInfo{{Text: "a cluster"}, {Text: "a split"}}})
		var topo record.Topology
		p.step(sc, 0, func() {
			for i := range n {
				name := fmt.Sprintf("node%d", i+1)
				topo.Nodes = append(topo.Nodes, record.TopologyNode{Name: name, Zone: fmt.Sprintf("az%d", i*3/n+1)})
				sc.State(record.ServiceState{Node: name, Service: "kv", State: record.Starting})
			}
			sc.Topology(topo)
			p.wait(100 * time.Millisecond)
			for i := range n {
				sc.State(record.ServiceState{Node: fmt.Sprintf("node%d", i+1), Service: "kv", State: record.Ready})
			}
			sc.State(record.ServiceState{Node: "node7", Service: "kv", State: record.OOM, Detail: "64 MiB"})
		})
		p.step(sc, 1, func() {
			var cut []record.Link
			for i := range n / 2 {
				for j := n / 2; j < n && n <= 100; j++ {
					a, b := topo.Nodes[i].Name, topo.Nodes[j].Name
					cut = append(cut, record.Link{From: a, To: b}, record.Link{From: b, To: a})
				}
			}
			split := sc.Harm(record.HarmInfo{Kind: "split", Effect: record.EffectCut, Asked: "the network is split into halves", Links: cut})
			slow := sc.Harm(record.HarmInfo{Kind: "delay", Effect: record.EffectSlow, Asked: "packets from node1 to node2 are delayed by 100ms", Links: []record.Link{{From: "node1", To: "node2"}}})
			loss := sc.Harm(record.HarmInfo{Kind: "loss", Effect: record.EffectLossy, Asked: "10% of packets between node3 and node4 are lost", Links: []record.Link{{From: "node3", To: "node4"}, {From: "node4", To: "node3"}}})
			p.wait(time.Second)
			for _, h := range []*record.Harm{split, slow, loss} {
				h.End(record.HealedAtEnd, p.touched(7, time.Second))
			}
		})
		sc.End(record.Passed, nil)
	}
	run := p.finish()
	if err := Write(dir, run); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t)
	for i, s := range run.Scenarios {
		b.open(filepath.Join(dir, "report.html"), "#"+s.ID+"@0.5", "light", 1280, 1100)
		b.want(s.Name+": nodes", `document.querySelectorAll(".topo .node").length`, float64([]int{12, 30, 100, 1000}[i]+1))
		b.want(s.Name+": an asymmetric delay has an arrow", `document.querySelectorAll(".topo .link.slow[marker-end]").length`, 1.0)
		b.want(s.Name+": the dead one", `document.querySelectorAll(".topo .node.dead").length`, 1.0)
		took := b.eval(`new Promise((f) => { const t = performance.now(); document.querySelector(".ptools .btn").click(); requestAnimationFrame(() => setTimeout(() => f(performance.now() - t))); })`).(float64)
		t.Logf("%s: drawn again in %.0f ms", s.Name, took)
		if took > 500 {
			t.Errorf("%s: drawing takes %.0f ms", s.Name, took)
		}
		b.eval(`document.getElementById("picture").scrollIntoView()`)
		b.settle()
		b.shot("nodes-" + fmt.Sprint(i))
	}
	b.clean()
}
