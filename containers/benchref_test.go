package containers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"
)

// BenchmarkBareRunc creates and starts the same containers with runc alone,
// eight at a time, on a plain folder: what BenchmarkCluster adds to it is
// containerd, its shim, snapshots and this package.
func BenchmarkBareRunc(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root")
	}
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
	dir := b.TempDir()
	root := filepath.Join(dir, "root")
	build := exec.Command("go", "build", "-o", filepath.Join(root, "box"), "./testdata/box")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as the image's: there is no C library
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%s %v", out, err)
	}
	// The mount points, which the 25 would make at the same time.
	for _, name := range []string{"etc/hosts", "etc/resolv.conf", "etc/hostname", "proc/x", "sys/x", "dev/x"} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), nil, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	g, err := rt.NewGroup(ctx, id+"-1")
	if err != nil {
		b.Fatal(err)
	}
	node, err := g.NewNode(ctx, NodeSpec{Name: "node1", NetNS: newNetNS(b), Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	runc := func(args ...string) error {
		cmd := exec.Command(rt.engine.Programs.Runc, append([]string{"--root", filepath.Join(dir, "runc"), "--log", filepath.Join(dir, "log")}, args...)...)
		if err := cmd.Run(); err != nil {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			return fmt.Errorf("runc %s: %w\n%s", args[0], err, log)
		}
		return nil
	}
	n := 0
	for b.Loop() {
		var pool errgroup.Group
		pool.SetLimit(width)
		for range 25 {
			n++
			name := fmt.Sprintf("bare%d", n)
			s := &Service{Name: name, node: node, cgroup: node.cgroup.Child(name), spec: ServiceSpec{Image: img, Args: []string{"sleep"}}}
			sp := s.ociSpec(newProcess(img, s.spec, noUser))
			sp.Root.Path = root
			text, err := json.Marshal(sp)
			if err != nil {
				b.Fatal(err)
			}
			bundle := filepath.Join(dir, name)
			if err := os.Mkdir(bundle, 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(bundle, "config.json"), text, 0o600); err != nil {
				b.Fatal(err)
			}
			pool.Go(func() error {
				if err := runc("create", "--bundle", bundle, name); err != nil {
					return err
				}
				return runc("start", name)
			})
		}
		if err := pool.Wait(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if pids, err := node.cgroup.Pids(); err != nil || len(pids) < 25 {
			b.Fatalf("%d programs run, want 25: %v", len(pids), err)
		}
		if err := node.cgroup.Kill(ctx); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "up-ms")
}
