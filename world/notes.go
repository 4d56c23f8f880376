package world

import (
	"context"
	"strings"
	"time"

	"brine.test/brine/world/catalogue"
	"brine.test/brine/world/record"
	"brine.test/brine/xdpfault"
)

// choice writes down what a selector stood for.
func (w *World) choice(_ context.Context, selector string, stood []string) {
	w.rec.Choice(selector, stood, "")
}

// serviceState writes down what a service is doing.
func (w *World) serviceState(s *Service, state record.State, detail string) {
	st := record.ServiceState{Service: s.Name, Node: s.node.Name, State: state, Detail: detail}
	if s.box != nil && state.Alive() {
		st.PID = s.box.State().PID
	}
	w.rec.State(st)
}

// noteLeader writes down a claim to lead, once per term and node.
func (w *World) noteLeader(service string, c claim) {
	w.mu.Lock()
	last := w.claimed[service]
	now := claimed{c.node, c.Term}
	w.claimed[service] = now
	w.mu.Unlock()
	if last != now {
		w.rec.State(record.ServiceState{Service: service, Node: c.node.Name, State: record.Leader, Term: c.Term})
	}
}

// claimed is the last claim that was written down.
type claimed struct {
	node *Node
	term uint64
}

// effects say how a kind of harm is drawn.
var effects = map[harmKind]record.Effect{
	kindIsolate: record.EffectCut, kindSplit: record.EffectCut, kindCut: record.EffectCut, kindDrop: record.EffectLossy,
	kindLoss: record.EffectLossy, kindCorrupt: record.EffectLossy, kindDuplicate: record.EffectLossy, kindReorder: record.EffectLossy,
	kindDelay: record.EffectSlow, kindRate: record.EffectSlow, kindFlap: record.EffectCut,
	kindRefuse: record.EffectLossy, kindHang: record.EffectLossy, kindReset: record.EffectCut, kindNames: record.EffectNames,
	kindKill: record.EffectDown, kindStop: record.EffectDown, kindPause: record.EffectPaused,
	kindPower: record.EffectDown, kindOOM: record.EffectDown, kindMemory: record.EffectLimited, kindCPU: record.EffectLimited,
	kindStress: record.EffectLimited, kindDisk: record.EffectDisk, kindJump: record.EffectClock, kindDrift: record.EffectClock,
}

// harmBegan writes down a harm's begin.
func (w *World) harmBegan(a *active, l Length) {
	info := record.HarmInfo{
		ID: a.id, Kind: string(a.kind), Effect: effects[a.kind], Asked: a.named(), Detail: a.more(),
		Targets: nodeNames(a.who), For: l.D, InjectTime: a.inject, Momentary: a.kind.momentary(),
	}
	if a.handle != nil {
		info.Links = w.linkNames(a.handle.Links())
	}
	a.rec = w.rec.Harm(info)
}

// harmEnded writes down its end with its receipt.
func (w *World) harmEnded(a *active) {
	why := a.why
	if why == "" {
		why = record.HealedBySentence
	}
	a.rec.End(why, a.Receipt())
}

func (w *World) portName(port int) string {
	switch port {
	case clientsPort:
		return "clients"
	case xdpfault.Services:
		return "the outside"
	}
	for _, n := range w.allNodes() {
		if n.Port() == port {
			return n.Name
		}
	}
	return "?"
}

// topology writes down the whole cluster after a change.
func (w *World) topology() {
	t := record.Topology{Internet: w.internet, Clients: []string{w.net.Clients().IP.String(), w.net.Clients().IP6.String()}}
	for _, n := range w.allNodes() {
		tn := record.TopologyNode{
			Name: n.Name, Cluster: n.cluster.name, Zone: n.Zone,
			Addresses: []string{n.net.IP.String(), n.net.IP6.String()}, Aliases: w.aliases[n.Name],
		}
		for _, s := range n.services {
			ts := record.TopologyService{Name: s.Name, Version: strings.TrimPrefix(s.version, catalogue.AnyVersion), Image: s.inst.Image}
			for name, number := range s.def.Ports {
				ts.Ports = append(ts.Ports, record.Port{Name: name, Number: number})
			}
			tn.Services = append(tn.Services, ts)
		}
		t.Nodes = append(t.Nodes, tn)
	}
	w.rec.Topology(t)
}

// stage writes down the begin of something long; the function returned ends it.
func (w *World) stage(name string) func(error) {
	began := time.Now()
	w.rec.Stage(record.Stage{Name: name})
	return func(err error) {
		st := record.Stage{Name: name, Over: true, Took: time.Since(began)}
		if err != nil {
			st.Error = strings.SplitN(err.Error(), "\n", 2)[0]
		}
		w.rec.Stage(st)
	}
}
