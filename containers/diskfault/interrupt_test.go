package diskfault

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A sync that takes long is not ended by a signal: no disk does that, and programs
// take it for a broken one.
func TestSlowIsNotInterrupted(t *testing.T) {
	d := newDisk(t)
	fd, err := unix.Open(d.path("f"), unix.O_CREAT|unix.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd) //nolint:errcheck // of the test
	if _, err := unix.Write(fd, []byte("x")); err != nil {
		t.Fatal(err)
	}
	const takes = 400 * time.Millisecond
	f, err := d.Apply(SlowFsync(takes))
	if err != nil {
		t.Fatal(err)
	}
	thread, done := make(chan int), make(chan error)
	began := time.Now()
	go func() {
		runtime.LockOSThread()
		thread <- unix.Gettid()
		done <- unix.Fdatasync(fd)
	}()
	tid := <-thread
	signals := 0
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-tick.C:
			ok(t, unix.Tgkill(unix.Getpid(), tid, syscall.SIGURG)) // as Go's own runtime does it
			signals++
			continue
		case err = <-done:
		}
		tick.Stop()
		break
	}
	if took := time.Since(began); err != nil || took < takes || signals < 5 {
		t.Errorf("%v after %v and %d signals, want no error after %v", err, took, signals, takes)
	}
	ok(t, f.Heal())
}

// Whoever is killed while a call waits does not wait on, stopped and let go before or not.
func TestKilledWhileSlow(t *testing.T) {
	for name, before := range map[string][]syscall.Signal{"at once": nil, "after a stop": {syscall.SIGSTOP, syscall.SIGCONT}} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			f, err := d.Apply(SlowFsync(20 * time.Second))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("dd", "if=/dev/zero", "of="+d.path("f"), "bs=1", "count=1", "conv=fsync", "status=none")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(10 * time.Second); f.Receipt().Total() == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("dd does not sync")
				}
			}
			for _, s := range before {
				ok(t, cmd.Process.Signal(s))
				time.Sleep(50 * time.Millisecond) // the signal interrupts the call
			}
			began := time.Now()
			ok(t, cmd.Process.Kill())
			_ = cmd.Wait() // killed
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it ended %v after the kill", took)
			}
			ok(t, f.Heal())
		})
	}
}
