package xdpfault

import (
	"fmt"
	"os/exec"
	"testing"

	"github.com/cilium/ebpf/link"
)

// BenchmarkNew loads the programs.
func BenchmarkNew(b *testing.B) {
	f := newBareFabric(b, 2)
	for b.Loop() {
		e, err := New(f.sw, Config{Hook: HookTC})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRule injects and heals one rule, and proves it.
func BenchmarkRule(b *testing.B) {
	f := newFabric(b, HookTC, 5)
	b.Run("inject+heal", func(b *testing.B) {
		for b.Loop() {
			f.heal(f.drop(Link{2, 3}))
		}
	})
	b.Run("inject+prove+heal", func(b *testing.B) {
		for b.Loop() {
			h := f.drop(isolate(2)...)
			if err := f.engine.Prove(b.Context(), h); err != nil {
				b.Fatal(err)
			}
			f.heal(h)
		}
	})
	b.Run("loss inject+heal", func(b *testing.B) {
		for b.Loop() {
			f.heal(f.apply(Rule{Links: []Link{{2, 3}}, Action: Loss{Share: 0.1}}))
		}
	})
}

// BenchmarkSplit splits N nodes into halves and heals them; beside it, what
// other ways take on the same nodes in the same run.
func BenchmarkSplit(b *testing.B) {
	for _, n := range []int{3, 100, 1000} {
		f := newFabric(b, HookTC, n+2)
		halves := Rule{Links: splitLinks(nodes(2, 2+n/2), nodes(2+n/2, 2+n)), Action: Drop{}}
		b.Run(fmt.Sprintf("%d/xdpfault", n), func(b *testing.B) {
			for b.Loop() {
				f.heal(f.apply(halves))
			}
		})
		b.Run(fmt.Sprintf("%d/XDP attach per node", n), func(b *testing.B) { f.benchXDPAttach(b, n) })
		if n > 100 {
			continue // the others take minutes
		}
		b.Run(fmt.Sprintf("%d/iptables exec per node", n), func(b *testing.B) {
			f.benchExec(b, "iptables", n, func(i int) []string {
				return []string{"-A", "FORWARD", "-s", f.nodes[i].ip.String(), "-j", "DROP"}
			}, []string{"-F"})
		})
		b.Run(fmt.Sprintf("%d/nft exec per node", n), func(b *testing.B) {
			f.benchExec(b, "nft", n, func(i int) []string {
				return []string{fmt.Sprintf("add table inet brine; add chain inet brine f { type filter hook forward priority 0; }; add rule inet brine f ip saddr %s drop", f.nodes[i].ip)}
			}, []string{"flush ruleset"})
		})
	}
}

func nodes(from, to int) (all []int) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// benchXDPAttach attaches a native program to every node's port, as tools do
// that load one per interface, and detaches them.
func (f *fabric) benchXDPAttach(b *testing.B, n int) {
	prog, err := f.engine.loadProgram(verdictProgBrineXdp)
	if err != nil {
		b.Fatal(err)
	}
	defer prog.Close()
	for b.Loop() {
		var links []link.Link
		err := f.sw.Do(func() error {
			for i := 2; i < n+2; i++ {
				l, err := link.AttachXDP(link.XDPOptions{Program: prog, Interface: firstIfIndex + i, Flags: link.XDPDriverMode})
				if err != nil {
					return err
				}
				links = append(links, l)
			}
			return nil
		})
		for _, l := range links {
			_ = l.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func (f *fabric) benchExec(b *testing.B, tool string, n int, args func(int) []string, flush []string) {
	path, err := exec.LookPath(tool)
	if err != nil {
		b.Log(err)
		return
	}
	run := func(args ...string) error {
		return f.sw.Do(func() error {
			out, err := exec.Command(path, args...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%s %q: %w: %s", tool, args, err, out)
			}
			return nil
		})
	}
	for b.Loop() {
		for i := 2; i < n+2; i++ {
			if err := run(args(i)...); err != nil {
				b.Log(err) // the kernel lacks it
				return
			}
		}
		if err := run(flush...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAttach plugs a port in and out.
func BenchmarkAttach(b *testing.B) {
	f := newFabric(b, HookTC, 3)
	for b.Loop() {
		if err := f.engine.Detach(2); err != nil {
			b.Fatal(err)
		}
		if err := f.engine.Attach(f.nodes[2].port); err != nil {
			b.Fatal(err)
		}
	}
}
