package world

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"brine.test/brine/netfab"
	"golang.org/x/sys/unix"
)

// BenchmarkNetwork is a scenario's whole network from nothing: programs loaded,
// namespaces, links, addresses and names, and the verdict attached to every
// port. Beside it, as a ratio, unshare alone of as many namespaces, taken in turn.
func BenchmarkNetwork(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root")
	}
	for _, size := range []int{3, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			names := make([]string, size)
			for i := range names {
				names[i] = fmt.Sprintf("node%d", i+1)
			}
			rounds := 9
			if size >= 1000 {
				rounds = 3
			}
			var ratios, ups []float64
			for range rounds {
				alone := unshareAlone(b, size+3) // the switch, the clients, the services
				settled(b)
				begin := time.Now()
				n := networkWithPrograms(b, names)
				up := time.Since(begin)
				ratios, ups = append(ratios, float64(up)/float64(alone)), append(ups, up.Seconds()*1000)
				if err := n.Close(); err != nil {
					b.Fatal(err)
				}
				settled(b)
			}
			for b.Loop() { //nolint:revive // measured above
			}
			slices.Sort(ratios)
			slices.Sort(ups)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ups[rounds/2], "up-ms")
			b.ReportMetric(ratios[rounds/2], "of-unshare")
		})
	}
}

func networkWithPrograms(b *testing.B, names []string) *netfab.Network {
	b.Helper()
	n, err := netfab.New(b.Context(), netfab.Config{Nodes: names, Switch: func(ns *netfab.Namespace) (netfab.Switch, error) {
		e, err := newFaults(ns, 1)
		return faultSwitch{e}, err
	}})
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// unshareAlone makes so many namespaces and nothing else, and lets go of them.
func unshareAlone(b *testing.B, size int) time.Duration {
	b.Helper()
	type result struct {
		took time.Duration
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		held := make([]int, 0, size)
		begin := time.Now()
		var r result
		for range size {
			if r.err = unix.Unshare(unix.CLONE_NEWNET); r.err != nil {
				break
			}
			fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if r.err = err; err != nil {
				break
			}
			held = append(held, fd)
		}
		r.took = time.Since(begin)
		for _, fd := range held {
			_ = unix.Close(fd)
		}
		done <- r
	}()
	r := <-done
	if r.err != nil {
		b.Fatal(r.err)
	}
	return r.took
}

// settled waits until the kernel has taken apart what was closed up to now. It
// does so in batches: when the second of two that come later is gone, so is all
// before.
func settled(b *testing.B) {
	b.Helper()
	for range 2 {
		n := networkWithPrograms(b, nil)
		fd, err := unix.Open(n.Clients().NS().Path(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		if err := n.Close(); err != nil {
			b.Fatal(err)
		}
		if err := linkGone(fd); err != nil {
			b.Fatal(err)
		}
	}
}

// linkGone returns when eth0 is gone from a namespace, whose descriptor it closes.
func linkGone(fd int) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked
		defer unix.Close(fd)   //nolint:errcheck // only read
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		for {
			if _, err := os.Stat("/proc/thread-self/net/dev_snmp6/eth0"); err != nil {
				done <- nil
				return
			}
		}
	}()
	return <-done
}
