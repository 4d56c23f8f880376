package clock

import (
	"bytes"
	"context"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// near fails unless got is within 100 ms of want: both clocks were read by one
// program, at one moment.
func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := got - want; d.Abs() > 100*time.Millisecond {
		t.Errorf("%s: off by %v, want %v", what, got, want)
	}
}

// about is for what was read some time ago, on a busy machine.
func about(t *testing.T, what string, read int64, want time.Duration) {
	t.Helper()
	if d := time.Until(time.Unix(0, read)) - want; d.Abs() > 20*time.Second {
		t.Errorf("%s: off by %v, want %v", what, time.Until(time.Unix(0, read)), want)
	}
}

// check reads all clocks and compares them with real time plus want.
func check(t *testing.T, r *reader, want time.Duration) reading {
	t.Helper()
	v := r.read()
	near(t, "CLOCK_REALTIME", v.skew(), want)
	near(t, "CLOCK_REALTIME_COARSE", time.Duration(v.coarse-v.raw), want)
	near(t, "gettimeofday", time.Duration(v.gettimeofday-v.raw), want)
	about(t, "system call", v.raw, 0)
	return v
}

func TestJumps(t *testing.T) {
	for _, name := range []string{"c-dynamic", "c-static", "go-static"} {
		for _, threads := range []int{0, 8} {
			t.Run(name+map[int]string{0: "", 8: " busy"}[threads], func(t *testing.T) {
				n := newNode(t)
				r, outside := n.start(t, threads, program(t, name)), (*testNode)(nil).start(t, 0, program(t, name))
				c := newClock(t, n)
				before := vdsoOf(t, r)
				m := check(t, r, 0).mono
				set(t, c, Skew{Offset: 5 * time.Minute})
				v := check(t, r, 5*time.Minute)
				if d := time.Duration(v.mono - m); d < 0 || d > time.Minute {
					t.Errorf("CLOCK_MONOTONIC jumped by %v", d)
				}
				if name == "c-dynamic" {
					near(t, "time", time.Duration(v.time-v.raw/1e9*1e9)/time.Second*time.Second, 5*time.Minute)
				}
				set(t, c, Skew{Offset: -10 * time.Minute})
				check(t, r, -5*time.Minute)
				later := n.start(t, threads, program(t, name))
				check(t, later, -5*time.Minute)
				about(t, "first reading", later.said, -5*time.Minute)
				check(t, outside, 0)
				near(t, "this process", ownSkew(), 0)
				began := time.Now()
				restore(t, c)
				took := time.Since(began)
				check(t, r, 0)
				check(t, later, 0)
				if !bytes.Equal(vdsoOf(t, r), before) || !bytes.Equal(vdsoOf(t, later), before) {
					t.Error("the vDSO is not what it was")
				}
				rc := c.Receipt()
				t.Logf("set right in %v; %+v", took, rc)
				if rc.Processes != 2 || rc.Started != 1 || rc.Changes != 3 || len(rc.Uncovered) > 0 {
					t.Errorf("receipt %+v", rc)
				}
			})
		}
	}
}

// ownSkew is how far this process's clock is from the kernel's.
func ownSkew() time.Duration {
	var raw unix.Timespec
	_, _, _ = unix.Syscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&raw)), 0)
	return time.Duration(time.Now().UnixNano() - raw.Nano())
}

func vdsoOf(t *testing.T, r *reader) []byte {
	t.Helper()
	im, err := loadImage()
	if err != nil {
		t.Fatal(err)
	}
	p, err := openProcess(r.cmd.Process.Pid, im)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	got := make([]byte, len(im.original))
	if _, err := p.mem.ReadAt(got, p.vdso); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDrift(t *testing.T) {
	n := newNode(t)
	r := n.start(t, 2, program(t, "go-static"))
	c := newClock(t, n)
	for _, rate := range []float64{1.1, 0.9} {
		set(t, c, Skew{Rate: rate})
		a := r.read()
		time.Sleep(time.Second) // the time that drift is measured over
		b := r.read()
		got := float64(b.real-a.real) / float64(b.raw-a.raw)
		if got < rate-0.002 || got > rate+0.002 {
			t.Errorf("rate %v, want %v", got, rate)
		}
		if d := float64(b.mono-a.mono) / float64(b.raw-a.raw); d < 0.998 || d > 1.002 {
			t.Errorf("CLOCK_MONOTONIC runs at %v", d)
		}
	}
	// What was gained stays gained when the rate is right again.
	set(t, c, Skew{Rate: 1, Offset: time.Hour})
	check(t, r, time.Hour)
	if s := c.Skew(); s.Rate != 1 || s.Offset < time.Hour-time.Second || s.Offset > time.Hour+time.Second {
		t.Errorf("skew %+v", s)
	}
	if err := c.Set(context.Background(), Skew{Offset: -100 * 365 * 24 * time.Hour}); err == nil {
		t.Error("a clock before 1970 was taken")
	}
	check(t, r, time.Hour)
}
