package netfab

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain runs the tests and then demands that nothing is left of them: no
// namespace held, no thread away from home, no link in the host's namespace,
// no goroutine.
func TestMain(m *testing.M) {
	if hold := os.Getenv("NETFAB_TEST_HOLD"); hold != "" {
		holdNetwork(hold)
	}
	before := look()
	code := m.Run()
	if code == 0 {
		// The runtime ends goroutines and the kernel closes sockets a moment
		// after the call that causes it returned.
		var left []string
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if left = look().beyond(before); len(left) == 0 || time.Now().After(deadline) {
				break
			}
		}
		if len(left) > 0 {
			fmt.Fprintln(os.Stderr, "left behind:\n\t"+strings.Join(left, "\n\t"))
			code = 1
		}
	}
	os.Exit(code)
}

type traces struct {
	links      []string
	namespaces int
	away       int
	threads    int
	goroutines int
}

func look() traces {
	var t traces
	ifs, err := net.Interfaces()
	if err != nil {
		panic(err)
	}
	for _, i := range ifs {
		t.links = append(t.links, i.Name)
	}
	fds, _ := filepath.Glob("/proc/self/fd/*")
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err == nil && strings.HasPrefix(target, "net:[") {
			t.namespaces++
		}
	}
	at, _ := os.Readlink("/proc/self/ns/net")
	threads, _ := filepath.Glob("/proc/self/task/*/ns/net")
	t.threads = len(threads)
	for _, thread := range threads {
		if target, err := os.Readlink(thread); err == nil && target != at {
			t.away++
		}
	}
	t.goroutines = runtime.NumGoroutine()
	return t
}

func (t traces) beyond(before traces) (left []string) {
	for _, link := range t.links {
		if !slices.Contains(before.links, link) {
			left = append(left, "link in the host's namespace: "+link)
		}
	}
	if home := 1; t.namespaces > before.namespaces+home {
		left = append(left, fmt.Sprintf("%d namespaces held", t.namespaces-home))
	}
	if t.away > 0 {
		left = append(left, fmt.Sprintf("%d threads away from home", t.away))
	}
	if t.goroutines > before.goroutines {
		buf := make([]byte, 1<<20)
		stacks := string(buf[:runtime.Stack(buf, true)])
		more := t.goroutines - before.goroutines - strings.Count(stacks, "os/signal.loop()") // fuzzing's
		if more > 0 {
			left = append(left, fmt.Sprintf("%d goroutines\n%s", more, stacks))
		}
	}
	return left
}

// newNetwork makes a network that is closed, and looked after, at the test's end.
func newNetwork(t testing.TB, nodes ...string) *Network {
	t.Helper()
	needRoot(t)
	n, err := New(t.Context(), Config{Name: t.Name(), Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		for _, left := range n.Leftovers() {
			t.Error("left behind:", left)
		}
	})
	return n
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// node finds a node that must be there.
func node(t testing.TB, n *Network, name string) *Node {
	t.Helper()
	node, ok := n.Node(name)
	if !ok {
		t.Fatalf("%s: no such node", name)
	}
	return node
}
