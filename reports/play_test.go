package reports

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"brine.test/brine/world/record"
)

// play writes the record of a made-up run on a clock that it moves by hand, so that all formats come out the same each time.
type play struct {
	t   *testing.T
	rec *record.Recorder
	now time.Duration
	dir string
}

const hostile = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">\x1b[31mred\x1b[0m \x1b]0;owned\x07 \u202eevil"

func newPlay(t *testing.T, dir string) *play {
	t.Helper()
	p := &play{t: t, dir: dir}
	boot := int64(5_000_000_000_000)
	start := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC).UnixNano()
	clock := func() record.Time { return record.Time{Mono: boot + int64(p.now), Wall: start + int64(p.now)} }
	rec, err := record.OpenAt(filepath.Join(dir, "events.jsonl"), record.RunInfo{
		ID: "k3x9a2pq", Seed: 42, Again: "BRINE_SEED=42 make run", Engine: "containerd 2.4.2", FaultHook: "tc",
		Machine:   record.Machine{Host: "testhost", OS: "Debian GNU/Linux 12 (bookworm)", Kernel: "6.18.0", Arch: "amd64", Go: "go1.26.6", CPUs: 2, Memory: 8 << 30},
		Versions:  []record.Version{{Name: "runc", Version: "1.4.0"}, {Name: "etcd", Version: "3.6.8"}},
		Selection: record.Selection{Features: []string{"features/etcd"}, Concurrency: 1},
	}, clock)
	if err != nil {
		t.Fatal(err)
	}
	p.rec = rec
	return p
}

func (p *play) wait(d time.Duration) { p.now += d }

func (p *play) finish() *record.Run {
	p.t.Helper()
	p.rec.End(nil)
	if err := p.rec.Close(); err != nil {
		p.t.Fatal(err)
	}
	run, err := record.Read(filepath.Join(p.dir, "events.jsonl"))
	if err != nil {
		p.t.Fatal(err)
	}
	return run
}

// logs are the output files of a scenario, grown together with the record.
type logs struct {
	p     *play
	sc    *record.Scenario
	files map[string]*os.File
	names map[string]string
}

func (p *play) logs(sc *record.Scenario, nodes ...string) *logs {
	l := &logs{p: p, sc: sc, files: map[string]*os.File{}, names: map[string]string{}}
	for _, n := range nodes {
		path, file := sc.Artifact(n + "-etcd-stderr.log")
		f, err := os.Create(path)
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { _ = f.Close() })
		l.files[n], l.names[n] = f, file
		sc.Log(record.LogFile{Service: "etcd", Node: n, Stream: "stderr", File: file})
	}
	return l
}

func (l *logs) say(node, format string, args ...any) {
	f := l.files[node]
	if _, err := fmt.Fprintf(f, format+"\n", args...); err != nil {
		l.p.t.Fatal(err)
	}
	at, err := f.Seek(0, 1)
	if err != nil {
		l.p.t.Fatal(err)
	}
	l.sc.LogPosition(l.names[node], at)
}

var nodes = []string{"node1", "node2", "node3"}

// cluster plays the start of three nodes of etcd.
func (p *play) cluster(sc *record.Scenario) *logs {
	topo := record.Topology{Clients: []string{"10.77.255.1"}}
	for i, n := range nodes {
		topo.Nodes = append(topo.Nodes, record.TopologyNode{
			Name: n, Zone: fmt.Sprintf("az%d", i/2+1), Addresses: []string{fmt.Sprintf("10.77.0.%d", i+2)},
			Services: []record.TopologyService{{Name: "etcd", Version: "3.6.8", Ports: []record.Port{{Name: "client", Number: 2379}}}},
		})
	}
	p.wait(12 * time.Millisecond)
	sc.Topology(topo)
	l := p.logs(sc, nodes...)
	for _, n := range nodes {
		sc.State(record.ServiceState{Service: "etcd", Node: n, State: record.Starting})
		p.wait(40 * time.Millisecond)
		l.say(n, `{"level":"info","msg":"starting etcd","name":"%s"}`, n)
	}
	p.wait(180 * time.Millisecond)
	for i, n := range nodes {
		p.wait(9 * time.Millisecond)
		sc.Probe(record.Probe{Service: "etcd", Node: n, Kind: "http", OK: true, Answer: `200 {"health":"true"}`, Took: time.Millisecond})
		sc.State(record.ServiceState{Service: "etcd", Node: n, State: record.Ready})
		if i == 1 {
			sc.State(record.ServiceState{Service: "etcd", Node: n, State: record.Leader, Term: 2})
			l.say(n, `{"level":"info","msg":"raft: %s became leader at term 2"}`, n)
		}
	}
	return l
}

func (p *play) step(sc *record.Scenario, i int, during func()) {
	st := sc.Step(sc.Info().Steps[i])
	during()
	p.wait(3 * time.Millisecond)
	st.End(record.Passed, nil)
}

func (p *play) isolate(sc *record.Scenario, node string) *record.Harm {
	var links []record.Link
	for _, n := range append([]string{"clients"}, nodes...) {
		if n != node {
			links = append(links, record.Link{From: n, To: node}, record.Link{From: node, To: n})
		}
	}
	h := sc.Harm(record.HarmInfo{Kind: "isolate", Effect: record.EffectCut, Asked: node + " is isolated", Targets: []string{node}, Links: links, InjectTime: 40 * time.Microsecond})
	p.wait(2 * time.Millisecond)
	return h
}

func (p *play) touched(n uint64, since time.Duration) record.Receipt {
	now := p.rec.Now().Mono
	c := record.Count{Packets: n, Bytes: n * 90}
	return record.Receipt{
		Matched: c, Dropped: c, FirstTouched: now - int64(since), LastTouched: now - int64(time.Millisecond), Proof: "8 of 8 probes dropped, 4 of 4 passed",
		Links: []record.LinkReceipt{{Link: record.Link{From: "node1", To: "node2"}, Matched: c, Dropped: c}, {Link: record.Link{From: "node3", To: "node2"}}},
	}
}

// judged is an assertion's error, as the world makes them.
type judged struct{ v record.Verdict }

func (j judged) Error() string {
	return fmt.Sprintf("node2: stale read of \"k\": expected %s, got %s\nhint: %s", j.v.Expected, j.v.Got, j.v.Hint)
}
func (j judged) Verdict() record.Verdict { return j.v }

const uri = "features/etcd/partition.feature"

// passing is the mission's scenario.
func (p *play) passing() {
	sc := p.rec.Scenario(record.ScenarioInfo{
		URI: uri, Line: 7, Feature: "A network partition", Name: "A majority goes on without the leader", Tags: []string{"@etcd", "@fast"}, Seed: 42,
		Again: "BRINE_SEED=42 BRINE_FEATURES=features/etcd/partition.feature:7 make run",
		Steps: []record.StepInfo{
			{Keyword: "Given ", Text: "a 3-node cluster running etcd", Line: 8},
			{Keyword: "When ", Text: "the leader is isolated", Line: 9},
			{Keyword: "And ", Text: "3 clients read and write 2 registers for 2s", Line: 10},
			{Keyword: "Then ", Text: "a write to node1 succeeds", Line: 11},
		},
	})
	var l *logs
	p.step(sc, 0, func() { l = p.cluster(sc) })
	var h *record.Harm
	p.step(sc, 1, func() {
		sc.Choice("the leader", []string{"node2"}, "node2 claims term 2")
		h = p.isolate(sc, "node2")
		p.wait(5 * time.Millisecond)
	})
	begun := p.now
	p.step(sc, 2, func() {
		for i := range 400 {
			p.wait(5 * time.Millisecond)
			o := record.Operation{Client: fmt.Sprintf("client %d", i%3+1), Workload: "registers", Kind: []string{"read", "write"}[i%2], Node: nodes[i%3], Key: fmt.Sprintf("r%d", i%2), Outcome: record.OutcomeOK, End: p.rec.Now().Mono}
			o.Start = o.End - int64(time.Duration(2+i%7)*time.Millisecond)
			if i%3 == 1 || i > 20 && i < 80 {
				o.Outcome, o.Error = record.OutcomeUnknown, "context deadline exceeded"
			}
			if i == 130 {
				o.Outcome, o.Error = record.OutcomeFailed, "etcdserver: leader changed"
			}
			sc.Operation(o)
			if i == 90 {
				sc.State(record.ServiceState{Service: "etcd", Node: "node3", State: record.Leader, Term: 3})
				l.say("node3", `{"level":"info","msg":"raft: node3 became leader at term 3"}`)
			}
			if i%40 == 7 {
				l.say("node2", `{"level":"warn","msg":"lost TCP connection to peer","peer":"node1"}`)
			}
		}
	})
	p.step(sc, 3, func() {
		now := p.rec.Now().Mono
		sc.Operation(record.Operation{Client: "clients", Kind: "write", Service: "etcd", Node: "node1", Key: "fresh-1", Value: "v-1", Outcome: record.OutcomeOK, Start: now, End: now + 4e6,
			Attempts: []record.Attempt{{Start: now, End: now + 4e6, Outcome: record.OutcomeOK}}})
		p.wait(4 * time.Millisecond)
	})
	h.End(record.HealedAtEnd, p.touched(1204, p.now-begun))
	p.wait(30 * time.Millisecond)
	sc.Cleanup(record.Cleanup{Removed: []record.Removal{{What: "containers", N: 3}, {What: "namespaces", N: 6}}, Took: 30 * time.Millisecond})
	sc.End(record.Passed, nil)
}

// failing has a verdict, evidence of all kinds, and output that means ill.
func (p *play) failing() {
	sc := p.rec.Scenario(record.ScenarioInfo{
		URI: uri, Line: 13, Feature: "A network partition", Name: "An isolated leader does not serve old data", Tags: []string{"@etcd"}, Seed: 43,
		Description: "Serializable reads may be stale; this one asks how stale.",
		Steps: []record.StepInfo{
			{Keyword: "Given ", Text: "a 3-node cluster running etcd", Line: 14},
			{Keyword: "When ", Text: "node2 is isolated from the other nodes", Line: 15},
			{Keyword: "And ", Text: `"v2" is written to "k" on node1`, Line: 16, Table: [][]string{{"header", "value"}, {"Accept", hostile}}},
			{Keyword: "Then ", Text: `a stale read of "k" from node2 returns "v2" within 2s`, Line: 17, DocString: &record.DocString{Content: "a doc string\nof two lines"}},
			{Keyword: "And ", Text: "the cluster is healthy", Line: 18},
		},
	})
	var l *logs
	p.step(sc, 0, func() { l = p.cluster(sc) })
	var h *record.Harm
	begun := p.now
	p.step(sc, 1, func() { h = p.isolate(sc, "node2") })
	p.step(sc, 2, func() {
		sc.Exchange(record.Exchange{From: "clients", Method: "PUT", URL: "http://node1:2379/v3/kv/put", RequestBody: `{"key":"aw=="}`, Status: 200, ResponseHeaders: []record.Field{{Name: "Content-Type", Value: "application/json"}}, ResponseBody: hostile, Start: p.rec.Now().Mono, Took: 3 * time.Millisecond})
		sc.Command(record.Command{Node: "node1", Args: []string{"etcdctl", "endpoint", "health"}, Code: 1, Stderr: hostile, Took: 20 * time.Millisecond})
		sc.AttachText("answer.json", "application/json", `{"v": "v1"}`)
		sc.AttachText("what changed", "text/x-diff", "  {\n-   \"v\": \"v2\"\n+   \"v\": \"v1\"\n  }")
		path, file := sc.Artifact("dot.png")
		if err := os.WriteFile(path, dot, 0o644); err != nil {
			p.t.Fatal(err)
		}
		sc.Attach(record.Attachment{Name: "dot in a file", MediaType: "image/png", File: file})
		sc.Attach(record.Attachment{Name: "dot", MediaType: "image/png", Data: dot})
		p.wait(40 * time.Millisecond)
	})
	st := sc.Step(sc.Info().Steps[3])
	for range 4 {
		p.wait(500 * time.Millisecond)
		l.say("node2", `{"level":"warn","msg":"prober detected unhealthy status","error":"%s"}`, "dial tcp 10.77.0.2:2380: i/o timeout")
		l.say("node1", "%s", hostile)
	}
	l.say("node2", `{"level":"error","msg":"failed to reach quorum"}`)
	err := judged{record.Verdict{Expected: `"v2"`, Got: `"v1"`, Tried: 2 * time.Second, Looks: 9, Harms: []string{"node2 is isolated from the other nodes (for 2.0 s)"}, Hint: "a serializable read is answered from the node's own data"}}
	st.End(record.Failed, err)
	h.End(record.HealedAtEnd, p.touched(311, p.now-begun))
	sc.Cleanup(record.Cleanup{Removed: []record.Removal{{What: "containers", N: 3}}, Took: 20 * time.Millisecond})
	p.wait(20 * time.Millisecond)
	sc.End(record.Failed, err)
}

// others are the scenarios that neither pass plainly nor fail in a step.
func (p *play) others() {
	const uri = "features/etcd/odd.feature"
	sc := p.rec.Scenario(record.ScenarioInfo{URI: uri, Line: 3, Feature: "Odd ends", Name: "A fault that never happened", Seed: 44, Steps: []record.StepInfo{{Keyword: "When ", Text: "traffic to node2 on port 9999 is dropped", Line: 4}}})
	p.step(sc, 0, func() {
		h := sc.Harm(record.HarmInfo{Kind: "drop", Effect: record.EffectCut, Asked: "traffic to node2 on port 9999 is dropped", Targets: []string{"node2"}})
		p.wait(50 * time.Millisecond)
		h.End(record.HealedAtEnd, record.Receipt{Proof: "1 of 1 probes dropped"})
	})
	sc.End(record.Passed, nil)
	sc = p.rec.Scenario(record.ScenarioInfo{URI: uri, Line: 6, Feature: "Odd ends", Name: "A sentence nobody knows <b>", Seed: 45, Steps: []record.StepInfo{{Keyword: "When ", Text: "node2 goes on holiday", Line: 7}, {Keyword: "Then ", Text: "I wait 1s", Line: 8}}})
	sc.Step(sc.Info().Steps[0]).End(record.Undefined, nil)
	sc.End(record.Undefined, nil)
	sc = p.rec.Scenario(record.ScenarioInfo{URI: uri, Line: 10, Feature: "Odd ends", Name: "Something stayed behind", Seed: 46, Steps: []record.StepInfo{{Keyword: "Given ", Text: "a 1-node cluster running etcd", Line: 11}}})
	p.step(sc, 0, func() { p.wait(time.Millisecond) })
	sc.Cleanup(record.Cleanup{Leftovers: []string{"veth brine12"}, Took: time.Millisecond})
	sc.End(record.Failed, errors.New("left behind: veth brine12"))
	sc = p.rec.Scenario(record.ScenarioInfo{URI: uri, Line: 13, Feature: "Odd ends", Name: "Left out today", Seed: 47, Steps: []record.StepInfo{{Keyword: "Given ", Text: "a 1-node cluster running etcd", Line: 14}}})
	sc.End(record.Skipped, nil)
}

// everything is one run with a scenario of each kind.
func everything(t *testing.T, dir string) *record.Run {
	t.Helper()
	p := newPlay(t, dir)
	p.passing()
	p.failing()
	p.others()
	return p.finish()
}

// dot is a PNG of one pixel.
var dot = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82")
