package netfab

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkOfUnshare is a whole network of so many nodes, made at once as a
// scenario's is with its first cluster, as a ratio to unshare alone of as many
// namespaces, which are three more: its switch, clients and services. The two
// are taken in turn; it is the median of the rounds' own ratios.
func BenchmarkOfUnshare(b *testing.B) {
	needRoot(b)
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			names := nodeNames(size)
			rounds := 9
			if size >= 1000 {
				rounds = 3
			}
			var ratios, took []float64
			for range rounds {
				alone := unshareTime(b, size+3)
				begin := time.Now()
				n, err := New(b.Context(), Config{Nodes: names, Switch: func(*Namespace) (Switch, error) { return nullSwitch{}, nil }})
				if err != nil {
					b.Fatal(err)
				}
				whole := time.Since(begin)
				ratios, took = append(ratios, float64(whole)/float64(alone)), append(took, whole.Seconds()*1000)
				settle(b, n)
			}
			for b.Loop() { //nolint:revive // measured above
			}
			slices.Sort(ratios)
			slices.Sort(took)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(took[len(took)/2], "up-ms")
			b.ReportMetric(ratios[len(ratios)/2], "of-unshare")
		})
	}
}

// unshareTime makes namespaces and nothing else, and lets go of them.
func unshareTime(b *testing.B, size int) time.Duration {
	b.Helper()
	held := make([]*Namespace, 0, size)
	begin := time.Now()
	if err := visit(func() error {
		for range size {
			ns, err := unshareHere("bare")
			if err != nil {
				return err
			}
			held = append(held, ns)
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begin)
	for _, ns := range held {
		if err := ns.Close(); err != nil {
			b.Fatal(err)
		}
	}
	settled(b)
	return took
}
