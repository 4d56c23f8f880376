package diskfault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// holder is a program that has a file of a disk open, in a process of its own, and
// reads it again when told to.
func holder(t *testing.T, name string, attr *syscall.SysProcAttr) (*exec.Cmd, io.Writer, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), programVar+"=hold", "FILE="+name)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = attr
	in, err := cmd.StdinPipe()
	ok(t, err)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "open" {
		t.Fatalf("the holder said %q", lines.Text())
	}
	return cmd, in, lines
}

func hold() {
	var f *os.File
	if name := os.Getenv("FILE"); name != "" {
		var err error
		if f, err = os.Open(name); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fmt.Println("open")
	for told := bufio.NewScanner(os.Stdin); told.Scan(); {
		_, err := f.ReadAt(make([]byte, 1), 0)
		fmt.Println("read:", err)
	}
	os.Exit(0)
}

// stop stops a process and waits until all its threads have.
func stop(t *testing.T, pid int) {
	t.Helper()
	ok(t, syscall.Kill(pid, syscall.SIGSTOP))
	deadline := time.Now().Add(5 * time.Second)
	for {
		running := 0
		tasks := must[[]string](t)(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)))
		for _, task := range tasks {
			text, err := os.ReadFile(task)
			if err == nil && !strings.Contains(string(text), ") T ") {
				running++
			}
		}
		if running == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d: %d threads do not stop", pid, running)
		}
	}
}

// quick is what closing takes at most when nobody is in the way: some milliseconds,
// and under the race detector a second, for which each program sleeps at its end.
const quick = 2 * time.Second

// closeWithin closes a volume and fails if that takes long.
func closeWithin(t *testing.T, d *disk, limit time.Duration) {
	t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > limit {
		t.Errorf("closing took %v", took)
	}
	for _, name := range []string{d.cfg.Socket, d.cfg.Undo} {
		wantNone(t, name)
	}
	if n := must[int](t)(mountsAt(d.dir, d.device)); n != 0 {
		t.Errorf("%d mounts are left", n)
	}
	if err := syscall.Kill(d.PID(), 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("server: %v", err)
	}
}

func TestCloseIdle(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("a"), "stays", false)
	f := d.apply(t, Full())
	closeWithin(t, d, quick)
	wantFile(t, filepath.Join(d.backing, "a"), "stays")
	if err := f.Heal(); err != nil {
		t.Errorf("heal after close: %v", err)
	}
	_, err := d.Apply(Full())
	if err == nil || !strings.Contains(err.Error(), "its server is gone") {
		t.Errorf("apply after close: %v", err)
	}
	closeWithin(t, d, quick) // again
}

func TestCloseWithDeadServer(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("a"), "x", false)
	_, tell, said := holder(t, d.path("a"), nil)
	ok(t, syscall.Kill(d.PID(), syscall.SIGKILL))
	<-d.ended
	closeWithin(t, d, quick)
	_, err := fmt.Fprintln(tell)
	ok(t, err)
	if !said.Scan() || !strings.Contains(said.Text(), "not connected") {
		t.Errorf("the holder said %q", said.Text())
	}
}

// A server that does not answer, with a program that waits for it in a call that
// no signal ends.
func TestCloseWithStuckServer(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("a"), "x", false)
	_, tell, said := holder(t, d.path("a"), nil)
	ok(t, d.apply(t, ReadsFail()).Heal()) // nothing of it is in memory now
	stop(t, d.PID())
	_, err := fmt.Fprintln(tell)
	ok(t, err)
	closeWithin(t, d, 6*time.Second)
	// Aborted while it waited, or refused when it asked.
	if !said.Scan() || (!strings.Contains(said.Text(), "connection abort") && !strings.Contains(said.Text(), "not connected")) {
		t.Errorf("the holder said %q", said.Text())
	}
}

// A program that is stopped holds the volume: closing does not wait for it.
func TestCloseWithStoppedUser(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("a"), "x", false)
	cmd, tell, said := holder(t, d.path("a"), nil)
	stop(t, cmd.Process.Pid)
	closeWithin(t, d, 4*time.Second)
	ok(t, cmd.Process.Signal(syscall.SIGCONT))
	_, err := fmt.Fprintln(tell)
	ok(t, err)
	if !said.Scan() || !strings.Contains(said.Text(), "not connected") {
		t.Errorf("the holder said %q", said.Text())
	}
}

func TestAbort(t *testing.T) {
	d := newDisk(t)
	write(t, d.path("a"), "x", false)
	ok(t, abort(d.device))
	select {
	case <-d.ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the server did not notice")
	}
	if _, err := os.ReadFile(d.path("a")); err == nil {
		t.Error("the volume still answers")
	}
	ok(t, abort(d.device)) // is gone
}

// The mount is in the daemon's mount namespace alone, and goes with the daemon;
// the server goes with the mount.
func TestMountNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	daemon, _, _ := holder(t, "", &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS})
	root := fmt.Sprintf("/proc/%d", daemon.Process.Pid)
	d := newDisk(t, func(c *Config) {
		c.Mountpoint = c.Backing // over itself
		c.MountNS = root + "/ns/mnt"
	})
	inside := func(name string) string { return filepath.Join(root, "root", d.path(name)) }
	ok(t, os.WriteFile(inside("a"), []byte("x"), 0o644))
	wantFile(t, filepath.Join(d.backing, "a"), "x")
	if n := must[int](t)(mountsAt(d.dir, d.device)); n != 0 {
		t.Errorf("mounted %d times out here", n)
	}
	full := d.apply(t, Full())
	wantErr(t, full, OpWrite, os.WriteFile(inside("a"), []byte("y"), 0o644), syscall.ENOSPC)
	ok(t, full.Heal())
	ok(t, os.WriteFile(inside("a"), []byte("yy"), 0o644))
	if loss := d.lose(t); loss.Files != 1 {
		t.Errorf("loss: %+v", loss)
	}
	ok(t, daemon.Process.Kill())
	_ = daemon.Wait() // killed
	select {
	case <-d.ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the server outlives the namespace that it is mounted in")
	}
	closeWithin(t, d, quick)
}

func TestCloseInNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	daemon, _, _ := holder(t, "", &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS})
	d := newDisk(t, func(c *Config) { c.MountNS = fmt.Sprintf("/proc/%d/ns/mnt", daemon.Process.Pid) })
	closeWithin(t, d, quick)
	mounts := must[[]byte](t)(os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", daemon.Process.Pid)))
	if strings.Contains(string(mounts), d.dir) {
		t.Error("still mounted in there")
	}
}

func TestStartErrors(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	top := must[string](t)(os.MkdirTemp("", marker))
	defer os.RemoveAll(top) //nolint:errcheck // a test's
	ok(t, os.Mkdir(filepath.Join(top, "data"), 0o755))
	good := Config{
		Backing: top + "/data", Mountpoint: top + "/data",
		LogFile: top + "/log", Socket: top + "/sock",
	}
	for want, change := range map[string]func(*Config){
		"none: mount: no such file":     func(c *Config) { c.Mountpoint = top + "/none" },
		"none: no such file":            func(c *Config) { c.Backing = top + "/none" },
		"not an absolute path":          func(c *Config) { c.Socket = "sock" },
		"not on the file system of":     func(c *Config) { c.Undo = "/dev/shm/" + filepath.Base(top) },
		"mount namespace: open /proc/1": func(c *Config) { c.MountNS = "/proc/1/ns/none" },
	} {
		cfg := good
		change(&cfg)
		v, err := Start(t.Context(), cfg)
		if err == nil {
			_ = v.Close(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
		for _, name := range []string{cfg.Socket, cfg.Undo} {
			if filepath.IsAbs(name) && name != "" {
				wantNone(t, name)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if v, err := Start(ctx, good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", v, err)
	}
}

// However far the server has come when the start is given up, nothing is left.
func TestStartGivenUp(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	top := must[string](t)(os.MkdirTemp("", marker))
	defer os.RemoveAll(top) //nolint:errcheck // a test's
	ok(t, os.Mkdir(filepath.Join(top, "data"), 0o755))
	for i := range 30 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
		v, err := Start(ctx, Config{
			Backing: top + "/data", Mountpoint: top + "/data", LogFile: top + "/log", Socket: top + "/sock",
		})
		cancel()
		switch {
		case err == nil:
			ok(t, v.Close(t.Context()))
		case !errors.Is(err, context.DeadlineExceeded):
			t.Error(err)
		}
		if left := leaks(0); len(left) > 0 {
			t.Fatalf("given up after %d ms: left behind: %v", i, left)
		}
	}
}

// Paths of sockets may be longer than an address holds.
func TestLongPaths(t *testing.T) {
	long := strings.Repeat("long/", 30)
	d := newDisk(t, func(c *Config) {
		c.Socket = filepath.Join(filepath.Dir(c.Socket), long, "disk.sock")
		ok(t, os.MkdirAll(filepath.Dir(c.Socket), 0o755))
	})
	d.apply(t, Full())
}

// Only root may ask.
func TestSocketIsPrivate(t *testing.T) {
	d := newDisk(t)
	info := must[os.FileInfo](t)(os.Stat(d.cfg.Socket))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	ok(t, os.Chmod(d.cfg.Socket, 0o666))
	ok(t, os.Chmod(filepath.Dir(d.cfg.Socket), 0o755))
	errs := make(chan error, 1)
	go func() { // a thread with another user, which ends with it
		errs <- onThread(func() error {
			if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), 65534, ^uintptr(0)); e != 0 {
				return e
			}
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd) //nolint:errcheck // a test's
			if err := unix.Connect(fd, &unix.SockaddrUnix{Name: d.cfg.Socket}); err != nil {
				return err
			}
			if _, err := unix.Write(fd, []byte(`{"do":"calls"}`+"\n")); err != nil && !errors.Is(err, unix.EPIPE) {
				return err
			}
			n, err := unix.Read(fd, make([]byte, 100))
			if n > 0 {
				return errors.New("it answered")
			}
			if errors.Is(err, unix.ECONNRESET) {
				return nil
			}
			return err
		})
	}()
	ok(t, <-errs)
}
