package xdpfault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// modelPorts are the nodes, and the UDP ports, of the model.
var (
	modelNodes = []int{0, 2, 3, 4}
	modelPorts = []uint16{4001, 4002}
)

// flow is what the model decides about: one datagram's link and port.
type flow struct {
	Link
	port uint16
}

// modelRule is a rule as the model sees it.
type modelRule struct {
	links  map[Link]bool
	match  Match
	action Action
}

// model is the specification: what arrives, given the rules in force.
type model struct{ harms map[*Handle][]*modelRule }

// copies says how many times a datagram arrives.
func (m *model) copies(f flow) int {
	n := 1
	for _, rules := range m.harms {
		for _, r := range rules {
			if !r.links[f.Link] || r.match.Proto == TCP || r.match.DstPort != 0 && r.match.DstPort != f.port {
				continue
			}
			switch a := r.action.(type) {
			case Drop:
				return 0
			case Loss:
				if a.Share == 1 {
					return 0
				}
			case Corrupt:
				return 0
			case Duplicate:
				n = 2
			}
		}
	}
	return n
}

// bench is the sockets that the model is compared with.
type modelBench struct {
	f    *fabric
	in   map[int]map[uint16]*net.UDPConn
	out  map[int]*net.UDPConn
	next uint32
}

func newModelBench(t *testing.T, f *fabric) *modelBench {
	b := &modelBench{f: f, in: map[int]map[uint16]*net.UDPConn{}, out: map[int]*net.UDPConn{}}
	for _, n := range modelNodes {
		b.out[n] = f.nodes[n].listenUDP(t, f.nodes[n].ip, 0)
		b.in[n] = map[uint16]*net.UDPConn{}
		for _, port := range modelPorts {
			b.in[n][port] = f.nodes[n].listenUDP(t, f.nodes[n].ip, int(port))
		}
	}
	return b
}

// check sends one datagram over every link to every port and demands that
// what arrives is what the model says.
func (b *modelBench) check(t *rapid.T, m *model) {
	sent, want := map[uint32]flow{}, 0
	for _, from := range modelNodes {
		for _, to := range modelNodes {
			for _, port := range modelPorts {
				if from == to {
					continue
				}
				b.next++
				fl := flow{Link{from, to}, port}
				sent[b.next] = fl
				want += m.copies(fl)
				data := binary.BigEndian.AppendUint32(nil, b.next)
				if _, err := b.out[from].WriteToUDP(data, &net.UDPAddr{IP: b.f.nodes[to].ip.AsSlice(), Port: int(port)}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	got := map[flow]int{}
	for total, deadline := 0, time.Now().Add(2*time.Second); ; {
		n := b.drain(t, sent, got)
		total += n
		if n == 0 && (total >= want || time.Now().After(deadline)) {
			break
		}
		if n == 0 {
			time.Sleep(100 * time.Microsecond) // between two looks at 8 sockets
		} else if total >= want { // one more look, for what should not arrive
			deadline = time.Now().Add(time.Millisecond)
		}
	}
	wrong := ""
	for _, fl := range sent {
		if got[fl] != m.copies(fl) {
			wrong += fmt.Sprintf("%s port %d: %d copies arrived, the model says %d\n", fl.Link, fl.port, got[fl], m.copies(fl))
		}
	}
	if wrong != "" {
		t.Fatalf("%sin force: %s", wrong, m)
	}
}

func (b *modelBench) drain(t *rapid.T, sent map[uint32]flow, got map[flow]int) (n int) {
	buf := make([]byte, 64)
	for _, ports := range b.in {
		for _, conn := range ports {
			raw, err := conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			err = raw.Read(func(fd uintptr) bool {
				for {
					k, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
					if errors.Is(err, unix.EAGAIN) {
						return true
					}
					if fl, ok := sent[binary.BigEndian.Uint32(buf[:4])]; err == nil && k == 4 && ok {
						got[fl]++
						n++
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

func (m *model) String() string {
	var s string
	for _, rules := range m.harms {
		for _, r := range rules {
			s += fmt.Sprintf("\n  %T%+v %+v on %v", r.action, r.action, r.match, slices.Collect(maps.Keys(r.links)))
		}
	}
	return s
}

func drawRule(t *rapid.T) (Rule, *modelRule) {
	var pairs []Link
	for _, a := range modelNodes {
		for _, b := range modelNodes {
			if a != b {
				pairs = append(pairs, Link{a, b})
			}
		}
	}
	links := rapid.SliceOfNDistinct(rapid.SampledFrom(pairs), 1, len(pairs), rapid.ID).Draw(t, "links")
	r := Rule{
		Links: links,
		Match: Match{
			Proto:   rapid.SampledFrom([]Proto{Any, Any, UDP, TCP}).Draw(t, "proto"),
			DstPort: rapid.SampledFrom([]uint16{0, 0, 4001, 4002}).Draw(t, "port"),
		},
		Action: rapid.SampledFrom([]Action{
			Drop{}, Drop{}, Loss{Share: 1}, Loss{Share: 0}, Duplicate{Share: 1}, Corrupt{Share: 1},
			Delay{By: time.Millisecond}, Reorder{Share: 1, By: time.Millisecond}, Rate{BitsPerSecond: 1e9},
		}).Draw(t, "action"),
	}
	m := &modelRule{links: map[Link]bool{}, match: r.Match, action: r.Action}
	if rapid.IntRange(0, 5).Draw(t, "wild") == 0 { // all of one node's links
		n := rapid.SampledFrom(modelNodes).Draw(t, "node")
		r.Links = []Link{{n, All}, {All, n}}
		links = slices.DeleteFunc(slices.Clone(pairs), func(l Link) bool { return l.From != n && l.To != n })
	}
	for _, l := range links {
		m.links[l] = true
	}
	return r, m
}

// TestModel adds and heals random faults in random order; after each step,
// traffic is exactly what the model says.
func TestModel(t *testing.T) {
	requireRoot(t)
	for _, hook := range []Hook{HookTC, HookXDP} {
		t.Run(hook.String(), func(t *testing.T) {
			f := newFabric(t, hook, 5)
			b := newModelBench(t, f)
			runs := 0
			rapid.Check(t, func(t *rapid.T) {
				if runs++; runs > 15 && os.Getenv("BRINE_LONG") == "" {
					return
				}
				m := &model{harms: map[*Handle][]*modelRule{}}
				defer func() { // also when it failed, for the next try
					for h := range m.harms {
						if err := h.Heal(); err != nil {
							t.Fatal(err)
						}
					}
				}()
				t.Repeat(m.actions(f, func(t *rapid.T) { b.check(t, m) }))
				for h := range m.harms {
					if err := h.Heal(); err != nil {
						t.Fatal(err)
					}
				}
				clear(m.harms)
				b.check(t, m)
				if n := len(f.engine.sets.index); n != 1 {
					t.Fatalf("%d rule sets are left, want the empty one", n)
				}
			})
		})
	}
}

func (m *model) actions(f *fabric, check func(*rapid.T)) map[string]func(*rapid.T) {
	pick := func(t *rapid.T) *Handle {
		if len(m.harms) == 0 {
			t.Skip("nothing to heal")
		}
		all := slices.SortedFunc(maps.Keys(m.harms), func(a, b *Handle) int { return int(a.rules[0].id) - int(b.rules[0].id) })
		return rapid.SampledFrom(all).Draw(t, "harm")
	}
	return map[string]func(*rapid.T){
		"": check,
		"apply": func(t *rapid.T) {
			var rules []Rule
			var models []*modelRule
			for range rapid.IntRange(1, 3).Draw(t, "rules") {
				r, mr := drawRule(t)
				rules, models = append(rules, r), append(models, mr)
			}
			h, err := f.engine.Apply(rules...)
			if err != nil {
				t.Skip(err) // too many on one link
			}
			m.harms[h] = models
		},
		"heal": func(t *rapid.T) {
			h := pick(t)
			if err := h.Heal(); err != nil {
				t.Fatal(err)
			}
			delete(m.harms, h)
		},
		"release": func(t *rapid.T) {
			h := pick(t)
			n := rapid.SampledFrom(modelNodes).Draw(t, "node")
			of := func(l Link) bool { return l.From == n || l.To == n }
			if err := h.Release(of); err != nil {
				t.Fatal(err)
			}
			for _, r := range m.harms[h] {
				maps.DeleteFunc(r.links, func(l Link, _ bool) bool { return of(l) })
			}
		},
	}
}
