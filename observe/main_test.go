package observe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestMain runs the tests and then looks for what they left in the kernel.
func TestMain(m *testing.M) {
	code := m.Run()
	if os.Geteuid() == 0 {
		if left := leftovers(5 * time.Second); len(left) > 0 {
			fmt.Fprintln(os.Stderr, "left in the kernel:", strings.Join(left, ", "))
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

func leftovers(wait time.Duration) []string {
	deadline := time.Now().Add(wait)
	for {
		left := held()
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(20 * time.Millisecond) // between two looks; there is nothing to subscribe to
	}
}

func held() []string {
	var left []string
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return []string{err.Error()}
	}
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if strings.Contains(target, "bpf") || strings.HasPrefix(target, "net:") && entry.Name() != fmt.Sprint(homeNS) {
			left = append(left, target)
		}
	}
	return left
}

// testNS is an anonymous network namespace, held by its descriptor.
type testNS struct{ fd int }

var homeNS = func() int {
	fd, err := unix.Open("/proc/self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	return fd
}()

func newTestNS(t testing.TB) *testNS {
	t.Helper()
	type result struct {
		fd  int
		err error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- result{-1, err}
			return
		}
		fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		made <- result{fd, err}
	}()
	r := <-made
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { _ = unix.Close(r.fd) })
	return &testNS{r.fd}
}

func (n *testNS) Do(f func() error) error {
	runtime.LockOSThread()
	if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	err := f()
	if home := unix.Setns(homeNS, unix.CLONE_NEWNET); home != nil {
		return errors.Join(err, home) // the thread stays locked
	}
	runtime.UnlockOSThread()
	return err
}

// pairOfNodes is two namespaces joined by a veth: client at 10.9.0.1, server at 10.9.0.2.
type pairOfNodes struct{ client, server *testNS }

const (
	clientIf, serverIf = 101, 102
	clientIP, serverIP = "10.9.0.1", "10.9.0.2"
)

func newPair(t testing.TB) pairOfNodes {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	p := pairOfNodes{newTestNS(t), newTestNS(t)}
	err := p.client.Do(func() error {
		link := &netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: "eth0", Index: clientIf},
			PeerName:  "eth0", PeerNamespace: netlink.NsFd(p.server.fd), PeerMTU: 1500,
		}
		return netlink.LinkAdd(link)
	})
	if err != nil {
		t.Fatal(err)
	}
	for ip, ns := range map[string]*testNS{clientIP: p.client, serverIP: p.server} {
		err := ns.Do(func() error {
			link, err := netlink.LinkByName("eth0")
			if err != nil {
				return err
			}
			addr, err := netlink.ParseAddr(ip + "/24")
			if err != nil {
				return err
			}
			lo, err := netlink.LinkByName("lo")
			if err != nil {
				return err
			}
			return errors.Join(netlink.AddrAdd(link, addr), netlink.LinkSetUp(link), netlink.LinkSetUp(lo))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (n *testNS) ifindex(t testing.TB) int {
	t.Helper()
	var index int
	err := n.Do(func() error {
		link, err := netlink.LinkByName("eth0")
		if err == nil {
			index = link.Attrs().Index
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return index
}
