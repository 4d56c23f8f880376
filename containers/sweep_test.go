package containers

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/pkg/namespaces"

	"brine.test/brine/containers/cgroup"
)

// victimVar makes the test binary a run that is going to be killed: it names
// id and its folder, with a colon between.
const victimVar = "BRINE_CONTAINERS_TEST_VICTIM"

// victim starts a cluster, pauses a part of it, says so, and waits for its end.
func victim() {
	ctx := context.Background()
	victimRun, dir, _ := strings.Cut(os.Getenv(victimVar), ":")
	fail := func(err error) {
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	rt, err := Connect(ctx, Config{RunID: victimRun})
	fail(err)
	img, err := rt.Image(ctx, "go:./testdata/box", ".")
	fail(err)
	group, err := rt.NewGroup(ctx, victimRun+"-1")
	fail(err)
	for _, name := range []string{"node1", "node2"} {
		n, err := group.NewNode(ctx, NodeSpec{Name: name, NetNS: "/proc/self/ns/net", Dir: filepath.Join(dir, name)})
		fail(err)
		s, err := n.Add(ctx, ServiceSpec{Name: "box", Image: img, Args: []string{"sleep"}})
		fail(err)
		fail(s.Start(ctx))
		if name == "node2" {
			fail(n.Pause(ctx))
		}
	}
	fmt.Println("ready")
	select {}
}

func TestSweepOfAKilledRunLeavesNothingAndTouchesNoLivingOne(t *testing.T) {
	f := setup(t)
	victimRun := newRunID()
	living := f.start("sleep")
	pid := living.State().PID
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimVar+"="+victimRun+":"+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Fatalf("the victim: %s %v", line, err)
	}
	f.must(cmd.Process.Kill())
	_ = cmd.Wait()
	live := func(id string) bool { return id != victimRun }
	f.must(Sweep(f.ctx, Config{}, []string{victimRun}, live))

	tree, err := cgroup.Open()
	f.must(err)
	if tree.Group(cgroupOf(victimRun)).Exists() {
		t.Error("its cgroup is left")
	}
	found, err := f.rt.client.NamespaceService().List(f.ctx)
	f.must(err)
	if strings.Contains(strings.Join(found, " "), victimRun) {
		t.Errorf("namespaces left: %s", found)
	}
	held, err := f.rt.client.LeasesService().List(namespaces.WithNamespace(f.ctx, sharedNS))
	f.must(err)
	for _, l := range held {
		if strings.Contains(l.ID, victimRun) || l.Labels[labelRun] == victimRun {
			t.Errorf("lease left: %s", l.ID)
		}
	}
	for _, p := range processesOf(victimRun) {
		t.Errorf("left: %s", p)
	}
	if st := living.State(); st.Status != Running || st.PID != pid {
		t.Errorf("the living run's service: %+v", st)
	}
	f.exec(living, "host")
	f.must(Sweep(f.ctx, Config{}, []string{victimRun}, live)) // and again
}
