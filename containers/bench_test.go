package containers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// BenchmarkCluster brings clusters of a tiny program up and down: added and
// started eight at a time, as DESIGN's figures were taken (100 containers in
// 1.8 to 2.0 s).
func BenchmarkCluster(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root")
	}
	for _, size := range []int{3, 25, 100} {
		b.Run(fmt.Sprintf("nodes=%d", size), func(b *testing.B) { benchCluster(b, size) })
	}
}

func benchCluster(b *testing.B, size int) {
	ctx := context.Background()
	id := newRunID()
	rt, err := Connect(ctx, Config{RunID: id})
	if err != nil {
		b.Fatal(err)
	}
	defer rt.Close(ctx) //nolint:errcheck // a benchmark
	img, err := rt.Image(ctx, "go:./testdata/box", ".")
	if err != nil {
		b.Fatal(err)
	}
	ns := newNetNS(b)
	var up, down time.Duration
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		g, err := rt.NewGroup(ctx, fmt.Sprintf("%s-%d", id, n))
		if err != nil {
			b.Fatal(err)
		}
		var pool errgroup.Group
		pool.SetLimit(width)
		var mu sync.Mutex
		phase := map[string]time.Duration{}
		took := func(name string, since time.Time) {
			mu.Lock()
			defer mu.Unlock()
			phase[name] += time.Since(since)
		}
		dir := b.TempDir()
		for i := range size {
			pool.Go(func() error {
				at := time.Now()
				node, err := g.NewNode(ctx, NodeSpec{Name: fmt.Sprintf("node%d", i+1), NetNS: ns, Dir: filepath.Join(dir, fmt.Sprint(i))})
				if err != nil {
					return err
				}
				s, err := node.Add(ctx, ServiceSpec{Name: "box", Image: img, Args: []string{"sleep"}})
				if err != nil {
					return err
				}
				took("add", at)
				at = time.Now()
				err = s.Start(ctx)
				took("start", at)
				return err
			})
		}
		if err := pool.Wait(); err != nil {
			b.Fatal(err)
		}
		up += time.Since(began)
		began = time.Now()
		if err := g.Close(ctx); err != nil {
			b.Fatal(err)
		}
		down += time.Since(began)
		b.Logf("add %s, start %s each (8 at a time)", phase["add"]/time.Duration(size), phase["start"]/time.Duration(size))
	}
	b.ReportMetric(float64(up.Milliseconds())/float64(n), "up-ms")
	b.ReportMetric(float64(down.Milliseconds())/float64(n), "down-ms")
	b.ReportMetric(0, "ns/op")
}
