package cgroup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const testRoot = "/brinetest-cgroup"

func TestMain(m *testing.M) {
	code := m.Run()
	if tree, err := Open(); err == nil && tree.Group(testRoot).Exists() {
		fmt.Fprintln(os.Stderr, "left behind: cgroup", testRoot)
		code = 1
	}
	os.Exit(code)
}

func makeGroup(t *testing.T) (context.Context, *Group) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	tree, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	g, err := tree.Make(testRoot + "/" + t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tree.Group(testRoot).Remove(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return ctx, g
}

// run starts a shell that waits for a line before it runs the script, in a leaf
// of the group: cgroup2 refuses processes in a group that delegates.
func run(t *testing.T, g *Group, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "read go; "+script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	leaf, err := g.tree.MakeLeaf(g.Path + "/work")
	if err != nil {
		t.Fatal(err)
	}
	if err := leaf.Join(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if at := g.tree.v1["memory"]; at != "" {
		pid := fmt.Sprint(cmd.Process.Pid)
		for _, c := range []string{"memory", "cpu"} {
			if err := write(g.tree.v1[c]+g.Path+"/cgroup.procs", pid); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func cpuTicks(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(text))[13:15], "+")
}

func TestFreezeStopsTheProcessesAndKillReachesThem(t *testing.T) {
	ctx, g := makeGroup(t)
	cmd := run(t, g, "while :; do :; done")
	if err := g.Freeze(ctx); err != nil {
		t.Fatal(err)
	}
	before := cpuTicks(t, cmd.Process.Pid)
	time.Sleep(60 * time.Millisecond) // a running loop would use six ticks
	if after := cpuTicks(t, cmd.Process.Pid); after != before {
		t.Errorf("frozen process used CPU: %s then %s ticks", before, after)
	}
	if err := g.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(interface{ Signal() unix.Signal }).Signal() != unix.SIGKILL {
		t.Errorf("after kill: %v, want SIGKILL", err)
	}
}

func TestKillWithoutCgroupKill(t *testing.T) {
	ctx, g := makeGroup(t)
	cmd := run(t, g, "sleep 100 & sleep 100")
	if err := g.killEach(ctx); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := g.WaitEmpty(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestMemoryLimitKillsAndIsCounted(t *testing.T) {
	_, g := makeGroup(t)
	if err := g.SetMemory(24 << 20); err != nil {
		t.Fatal(err)
	}
	cmd := run(t, g, "x=0123456789abcdef; while :; do x=$x$x; done")
	if err := cmd.Wait(); err == nil {
		t.Fatal("a shell doubling a string ended well within 24 MiB")
	}
	n, err := g.OOMKills()
	if err != nil || n < 1 {
		t.Errorf("kills for lack of memory: %d, %v; want at least 1", n, err)
	}
	if err := g.SetMemory(0); err != nil {
		t.Errorf("lift the limit: %v", err)
	}
}

func TestCPULimitThrottles(t *testing.T) {
	ctx, g := makeGroup(t)
	if err := g.SetCPU(0.1); err != nil {
		t.Fatal(err)
	}
	cmd := run(t, g, "while :; do :; done")
	began := time.Now()
	time.Sleep(time.Second) // the measuring time
	var user, sys int
	if _, err := fmt.Sscanf(cpuTicks(t, cmd.Process.Pid), "%d+%d", &user, &sys); err != nil {
		t.Fatal(err)
	}
	passed := int(time.Since(began) / (10 * time.Millisecond))
	if used := user + sys; used > passed/4 {
		t.Errorf("used %d of %d ticks under a limit of 10%%", used, passed)
	}
	if err := g.SetCPU(0); err != nil {
		t.Error(err)
	}
	if err := g.Kill(ctx); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
}

func TestParse(t *testing.T) {
	hybrid := "30 1 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"31 1 0:2 / /sys/fs/cgroup/cpu,cpuacct rw shared:3 - cgroup cgroup rw,cpu,cpuacct\n" +
		"32 1 0:3 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	tree, err := parse(strings.NewReader(hybrid))
	if err != nil || tree.V2() || tree.v1["cpu"] != "/sys/fs/cgroup/cpu,cpuacct" || len(tree.dirs("/x")) != 3 {
		t.Errorf("hybrid: %+v, %v", tree, err)
	}
	tree, err = parse(strings.NewReader("32 1 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"))
	if err != nil || !tree.V2() || tree.unified != "/sys/fs/cgroup" {
		t.Errorf("v2: %+v, %v", tree, err)
	}
	if _, err := parse(strings.NewReader("")); err == nil {
		t.Error("no cgroup2: no error")
	}
}
