package netfab

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLeftovers leaves each kind of holder behind, one after the other, and
// finds it.
func TestLeftovers(t *testing.T) {
	n := newNetwork(t, "node1")
	one := node(t, n, "node1")
	path := one.NS().Path()

	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var sock int
	var sleeper *exec.Cmd
	if err := one.NS().Do(func() error {
		var err error
		if sock, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return err
		}
		sleeper = exec.Command("sleep", "60")
		sleeper.SysProcAttr = &syscall.SysProcAttr{}
		return sleeper.Start()
	}); err != nil {
		t.Fatal(err)
	}
	mount := filepath.Join(t.TempDir(), "held")
	if err := os.WriteFile(mount, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(path, mount, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	other := newNetwork(t, "node1") // may be given the inode numbers that are free again

	for _, step := range []struct {
		holds string
		end   func() error
	}{
		{"holds descriptor", func() error { return unix.Close(fd) }},
		{"holds socket", func() error { return unix.Close(sock) }},
		{"(sleep) runs in it", func() error { _ = sleeper.Process.Kill(); _ = sleeper.Wait(); return nil }},
		{"mounted at", func() error { return unix.Unmount(mount, 0) }},
	} {
		left := strings.Join(n.Leftovers(), "\n")
		if !strings.Contains(left, step.holds) || !strings.Contains(left, "node1") {
			t.Errorf("expected %q in\n%s", step.holds, left)
		}
		if err := step.end(); err != nil {
			t.Fatal(err)
		}
		if left := strings.Join(n.Leftovers(), "\n"); strings.Contains(left, step.holds) {
			t.Errorf("after its end, %q in\n%s", step.holds, left)
		}
	}
	if left := n.Leftovers(); len(left) > 0 {
		t.Errorf("at last: %q", left)
	}
	_ = other
}

// TestVisit goes into a namespace and comes back, whatever the visitor does.
func TestVisit(t *testing.T) {
	n := newNetwork(t, "node1")
	ns := node(t, n, "node1").NS()
	home, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	where := func() string {
		at, err := os.Readlink("/proc/thread-self/ns/net")
		if err != nil {
			t.Error(err)
		}
		return at
	}
	var inside string
	if err := ns.Do(func() error { inside = where(); return nil }); err != nil {
		t.Fatal(err)
	}
	if inside == home || where() != home {
		t.Errorf("home is %s, inside was %s, now at %s", home, inside, where())
	}
	func() {
		defer func() {
			if p := recover(); p != "for the caller" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = ns.Do(func() error { panic("for the caller") })
	}()
	ended := make(chan bool)
	go func() {
		defer close(ended)
		_ = ns.Do(func() error { runtime.Goexit(); return nil })
		t.Error("a Goexit in the visitor did not reach its caller")
	}()
	<-ended
	if away := look().away; away > 0 {
		t.Errorf("%d threads away from home", away)
	}
}
