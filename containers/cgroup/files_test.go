package cgroup

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A host that only pretends: plain folders with the files that a kernel shows, so
// that what is written where can be read again, on both versions.
type fakeHost struct {
	t    *testing.T
	root string
	tree *Tree
}

// kernelFiles are those that a group has, by hierarchy.
var kernelFiles = map[string]map[string]string{
	"unified": {
		"cgroup.procs": "", "cgroup.subtree_control": "", "cgroup.controllers": "cpuset cpu io memory pids\n",
		"cpu.stat":   "usage_usec 1500\nuser_usec 1000\nnr_periods 7\nnr_throttled 3\nthrottled_usec 42\n",
		"memory.max": "max\n", "memory.swap.max": "max\n", "memory.current": "4096\n",
		"memory.events": "low 0\nhigh 0\nmax 5\noom 2\noom_kill 1\noom_group_kill 0\n",
		"cpu.max":       "max 100000\n", "cpu.weight": "100\n",
	},
	"hybrid": {"cgroup.procs": "", "cpu.stat": "usage_usec 1500\nuser_usec 1000\n"},
	"memory": {
		"cgroup.procs": "", "memory.limit_in_bytes": "9223372036854771712\n", "memory.memsw.limit_in_bytes": "9223372036854771712\n",
		"memory.usage_in_bytes": "8192\n", "memory.max_usage_in_bytes": "12288\n", "memory.failcnt": "6\n",
		"memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
	},
	"cpu": {
		"cgroup.procs": "", "cpu.cfs_period_us": "100000\n", "cpu.cfs_quota_us": "-1\n", "cpu.shares": "1024\n",
		"cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 43000\n",
	},
}

func newFakeHost(t *testing.T, v2 bool) *fakeHost {
	h := &fakeHost{t: t, root: t.TempDir()}
	h.tree = &Tree{unified: filepath.Join(h.root, "unified"), v1: map[string]string{}}
	if !v2 {
		h.tree.v1 = map[string]string{"memory": filepath.Join(h.root, "memory"), "cpu": filepath.Join(h.root, "cpu"), "cpuacct": filepath.Join(h.root, "cpu")}
	}
	return h
}

// group puts a group with its parents there, as a kernel would.
func (h *fakeHost) group(path string) {
	h.t.Helper()
	for ; ; path = filepath.Dir(path) {
		for _, at := range h.tree.dirs("/") {
			kind := filepath.Base(at)
			if kind == "unified" && !h.tree.V2() {
				kind = "hybrid"
			}
			for name, text := range kernelFiles[kind] {
				file := filepath.Join(at, path, name)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					h.t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					h.t.Fatal(err)
				}
			}
		}
		if path == "/" {
			return
		}
	}
}

// changed are the files that are not as the kernel showed them, below the root.
func (h *fakeHost) changed() map[string]string {
	h.t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(h.root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(h.root, path)
		kind, _, _ := strings.Cut(name, "/")
		if kind == "unified" && !h.tree.V2() {
			kind = "hybrid"
		}
		if before, ok := kernelFiles[kind][filepath.Base(path)]; !ok || before != string(text) {
			out[name] = string(text)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// What each call writes, and into which file, on version 2 and on version 1. A file of
// the kernel takes each write as a whole; a plain one keeps what a shorter write left.
func TestFilesWritten(t *testing.T) {
	for _, c := range []struct {
		name   string
		do     func(*Group) error
		v2, v1 map[string]string // by file, below the hierarchy's root; the group is /n
	}{
		{
			"memory", func(g *Group) error { return g.SetMemory(67108864) },
			map[string]string{"unified/n/memory.max": "67108864", "unified/n/memory.swap.max": "0ax\n"},
			map[string]string{
				"memory/n/memory.limit_in_bytes":       "67108864" + "36854771712\n",
				"memory/n/memory.memsw.limit_in_bytes": "67108864" + "36854771712\n",
				"memory/n/memory.max_usage_in_bytes":   "02288\n",
			},
		},
		{
			"memory, no more", func(g *Group) error { return g.SetMemory(0) },
			map[string]string{}, // "max" it was
			map[string]string{
				"memory/n/memory.limit_in_bytes":       "-1" + "23372036854771712\n",
				"memory/n/memory.memsw.limit_in_bytes": "-1" + "23372036854771712\n",
				"memory/n/memory.max_usage_in_bytes":   "02288\n",
			},
		},
		{
			"CPU", func(g *Group) error { return g.SetCPU(0.1) },
			map[string]string{"unified/n/cpu.max": "10000 100000"},
			map[string]string{"cpu/n/cpu.cfs_quota_us": "10000"},
		},
		{
			"CPU, the least", func(g *Group) error { return g.SetCPU(0.0001) },
			map[string]string{"unified/n/cpu.max": "1000 100000"},
			map[string]string{"cpu/n/cpu.cfs_quota_us": "1000"},
		},
		{
			"CPU, no more", func(g *Group) error { return g.SetCPU(0) },
			map[string]string{},
			map[string]string{},
		},
		{
			"a process", func(g *Group) error { return g.JoinAll(77) },
			map[string]string{"unified/n/cgroup.procs": "77"},
			map[string]string{"unified/n/cgroup.procs": "77", "memory/n/cgroup.procs": "77", "cpu/n/cgroup.procs": "77"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for v2, want := range map[bool]map[string]string{true: c.v2, false: c.v1} {
				h := newFakeHost(t, v2)
				h.group("/n")
				if err := c.do(h.tree.Group("/n")); err != nil {
					t.Fatal(err)
				}
				if got := h.changed(); !maps.Equal(got, want) {
					t.Errorf("version 2: %v\ngot  %q\nwant %q", v2, got, want)
				}
			}
		})
	}
}

// On version 2 controllers are handed down to the node's children, and to nobody
// whom processes live in; a guest has its weight in its own scale.
func TestGuestOnBothVersions(t *testing.T) {
	for _, v2 := range []bool{true, false} {
		h := newFakeHost(t, v2)
		h.group("/run/node1/guest")
		g, err := h.tree.Group("/run/node1").MakeGuest("guest", 18)
		if err != nil {
			t.Fatal(err)
		}
		if g.Path != "/run/node1/guest" {
			t.Errorf("path %s", g.Path)
		}
		// Each write is one controller; a plain file keeps the last, over longer ones.
		handed := "+pids" + "ry"
		want := map[string]string{
			"unified/cgroup.subtree_control": handed, "unified/run/cgroup.subtree_control": handed,
			"unified/run/node1/cgroup.subtree_control": handed, "unified/run/node1/guest/cpu.weight": "1800",
		}
		if !v2 {
			want = map[string]string{"cpu/run/node1/guest/cpu.shares": "18432"}
		}
		if got := h.changed(); !maps.Equal(got, want) {
			t.Errorf("version 2: %v\ngot  %q\nwant %q", v2, got, want)
		}
	}
}

func TestUsageOnBothVersions(t *testing.T) {
	for v2, want := range map[bool]Usage{
		true:  {CPU: 1500 * time.Microsecond, Throttled: 42 * time.Microsecond, Periods: 7, Held: 3, Memory: 4096, Reached: 5},
		false: {CPU: 1500 * time.Microsecond, Throttled: 43 * time.Microsecond, Periods: 9, Held: 4, Memory: 8192, Reached: 6, Peak: 12288},
	} {
		h := newFakeHost(t, v2)
		h.group("/n")
		got, err := h.tree.Group("/n").Usage()
		if err != nil || got != want {
			t.Errorf("version 2: %v\ngot  %+v, %v\nwant %+v", v2, got, err, want)
		}
		kills, err := h.tree.Group("/n").OOMKills()
		if wanted := map[bool]int{true: 1, false: 2}[v2]; err != nil || kills != wanted {
			t.Errorf("version 2: %v: %d kills, %v; want %d", v2, kills, err, wanted)
		}
	}
}

// A kernel without swap accounting has no file for it, which is no error.
func TestMemoryWithoutSwapAccounting(t *testing.T) {
	for _, v2 := range []bool{true, false} {
		h := newFakeHost(t, v2)
		h.group("/n")
		for _, file := range []string{"unified/n/memory.swap.max", "memory/n/memory.memsw.limit_in_bytes"} {
			_ = os.Remove(filepath.Join(h.root, file)) // there in one of the versions
		}
		if err := h.tree.Group("/n").SetMemory(1 << 30); err != nil {
			t.Errorf("version 2: %v: %v", v2, err)
		}
		got := slices.Sorted(maps.Keys(h.changed()))
		if want := map[bool]string{true: "unified/n/memory.max", false: "memory/n/memory.limit_in_bytes"}[v2]; !slices.Contains(got, want) {
			t.Errorf("version 2: %v: wrote %v, want %s", v2, got, want)
		}
	}
}
