package xdpfault

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDelayUnderLoad: packets leave the delay line in time while every
// processor is busy with this program's goroutines and their garbage.
func TestDelayUnderLoad(t *testing.T) {
	f := newFabric(t, HookTC, 4)
	stop := make(chan struct{})
	defer close(stop)
	for range 2 * runtime.NumCPU() {
		go func() {
			var keep [][]byte
			for {
				select {
				case <-stop:
					return
				default:
				}
				if keep = append(keep, make([]byte, 1000)); len(keep) > 50_000 {
					keep = nil
				}
			}
		}()
	}
	const by, n = 10 * time.Millisecond, 60
	f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: by}})
	got := f.arrivals(2, 3, n, 0)
	t.Logf("median +%s, p90 +%s", got[n/2]-by, got[n*9/10]-by)
	if got[0] < by {
		t.Errorf("one took only %s", got[0])
	}
	if late := got[n/2] - by; late > time.Millisecond {
		t.Errorf("the median is %s late", late)
	}
}

// TestLineEnds kills the delay line's process: who asks it next is told, and
// nothing hangs.
func TestLineEnds(t *testing.T) {
	f := newFabric(t, HookTC, 4)
	first := f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: time.Millisecond}})
	if got := f.oneWay(2, 3, 5); len(got) != 5 {
		t.Fatalf("%d of 5 arrived", len(got))
	}
	pid := f.engine.line.cmd.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil { // not enough: it has harm to heal
		t.Fatal(err)
	}
	f.oneWay(2, 3, 5)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-f.engine.line.ended
	if got := f.burst(2, 3, 4000, 5, false); got != 0 {
		t.Errorf("%d packets passed a delay that cannot be kept", got)
	}
	if _, err := f.engine.Apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: time.Second}}); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("a second delay: got %v", err)
	}
	if err := first.Heal(); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("heal: got %v", err)
	}
	f.reach(2, 3, true)
	err := f.engine.Close()
	if err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("close: got %v", err)
	}
}

// TestLineGoesWithRunner: the process ends by itself when the engine's has.
func TestLineGoesWithRunner(t *testing.T) {
	f := newFabric(t, HookTC, 4)
	f.apply(Rule{Links: []Link{{2, 3}}, Action: Delay{By: time.Millisecond}})
	l := f.engine.line
	if err := l.conn.Close(); err != nil { // as the kernel does at this process's end
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(2 * time.Second):
		t.Error("it runs on")
	}
	if err := f.engine.Close(); err == nil {
		t.Error("close: no error")
	}
}

// TestSnooze: sleeps end early by what sleeps were late, within a budget.
func TestSnooze(t *testing.T) {
	now := int64(0)
	s := newSnooze(now)
	if got, want := s.sleep(now, 10_000_000), 10_000_000-s.late; got != want {
		t.Errorf("sleep: got %d, want %d", got, want)
	}
	for range 1000 {
		s.woke(40_000)
	}
	if s.late < 30_000 || s.late > 60_000 {
		t.Errorf("late by 40 µs always: %d is expected", s.late)
	}
	if got := s.sleep(now, now+10_000); got != 0 {
		t.Errorf("due soon: sleep %d, want none", got)
	}
	watched := int64(0)
	for ; now < 1_000_000_000; now += 10_000 { // a packet is always due soon
		if s.sleep(now, now+10_000) == 0 {
			s.watched(10_000)
			watched += 10_000
		}
	}
	if share := float64(watched) / 1e9; share > 0.14 || share < 0.10 {
		t.Errorf("watched the clock %.2f of the time, want an eighth", share)
	}
}

// TestSent: a stamp gives back when the packet was sent, never before.
func TestSent(t *testing.T) {
	for _, at := range []int64{0, 1, 1023, 1024, 1 << 26, 1<<40 + 12345} {
		for _, age := range []int64{0, 1, 500, 1024, 100_000, 60_000_000} {
			got := sent(at+age, uint16(at>>stampUnit))
			if got < at || got > at+1024 {
				t.Errorf("sent at %d, read %d later: got %d", at, age, got)
			}
		}
	}
}

// TestLineLoss: what is told of a lost packet arrives as it was.
func TestLineLoss(t *testing.T) {
	want := lineLoss{rule: 7, link: Link{2, 1087}, at: 1 << 40, missed: 3, whole: 9000, frame: []byte("frame")}
	got, err := parseLineLoss(want.append(nil))
	if err != nil || got.rule != want.rule || got.link != want.link || got.at != want.at || got.missed != want.missed || got.whole != want.whole || string(got.frame) != "frame" {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseLineLoss(make([]byte, lineLossHead-1)); err == nil {
		t.Error("too short: no error")
	}
}
