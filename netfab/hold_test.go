package netfab

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// holdNetwork is what the test program does when it runs itself as the owner
// of a network that will be killed: it makes one of the given number of nodes,
// says where the first one's namespace is, and waits for its end.
func holdNetwork(size string) {
	count, err := strconv.Atoi(size)
	if err != nil {
		panic(err)
	}
	n, err := New(context.Background(), Config{})
	if err != nil {
		panic(err)
	}
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("node%d", i+1)
	}
	nodes, err := n.AddNodes(context.Background(), names...)
	if err != nil {
		panic(err)
	}
	fmt.Println(nodes[0].NS().Path())
	select {}
}

// TestKilledOwner kills a process that holds a network, while one namespace of
// it is kept open from outside, as by a container that survived: the switch
// and its links must go at once, the survivor's eth0 with them, and nothing
// may refer to the other namespaces.
func TestKilledOwner(t *testing.T) {
	needRoot(t)
	for _, size := range []string{"3", "100"} {
		t.Run(size, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), "NETFAB_TEST_HOLD="+size)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Wait() }() // killed below: always an error
			defer func() { _ = cmd.Process.Kill() }()
			path, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			survivor := openNamespace(t, strings.TrimSpace(path))
			if got := linksOf(t, survivor); got != "eth0 lo" {
				t.Fatalf("links before: expected eth0 lo, got %s", got)
			}
			killed := time.Now()
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, 5*time.Second, "the survivor to lose eth0", func() bool { return linksOf(t, survivor) == "lo" })
			t.Logf("%s nodes: eth0 gone %v after the kill", size, time.Since(killed).Round(time.Millisecond))
		})
	}
}

func openNamespace(t *testing.T, path string) *Namespace {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	ns := &Namespace{name: path, fd: fd}
	t.Cleanup(func() { _ = ns.Close() })
	return ns
}

// linksOf lists the links of a namespace, sorted, as ip sees them.
func linksOf(t *testing.T, ns *Namespace) string {
	t.Helper()
	return strings.Join(sortedLinks(t, ns), " ")
}

// waitFor polls for a state of the kernel that it does not announce.
func waitFor(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", limit, what)
		}
	}
}
