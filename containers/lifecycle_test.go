package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAContainerRunsInItsNetworkNamespace(t *testing.T) {
	f := setup(t)
	s := f.start("sleep")
	f.wantLog(s, "up")
	if got := string(f.exec(s, "links").Stdout); got != "lo\n" {
		t.Errorf("links in the container: %q, want lo alone", got)
	}
	if got := string(f.exec(s, "host").Stdout); got != "node1\n" {
		t.Errorf("host name %q, want node1", got)
	}
	for file, want := range map[string]string{"/etc/hosts": "127.0.0.1 localhost\n", "/etc/resolv.conf": "nameserver 10.77.0.1\n", "/etc/hostname": "node1\n"} {
		if got := string(f.exec(s, "cat", file).Stdout); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
	raw := string(f.exec(s, "raw").Stdout)
	if !strings.Contains(raw, "raw socket: false operation not permitted") || !strings.Contains(raw, "set clock: operation not permitted") {
		t.Errorf("forbidden things:\n%s", raw)
	}
}

func TestKilledAndStartedAgainOnTheSameDisk(t *testing.T) {
	f := setup(t)
	s := f.add(f.node("node1"), ServiceSpec{Args: []string{"sleep"}, Data: "/data"})
	f.must(s.Start(f.ctx))
	first := s.State().PID
	f.exec(s, "write", "/data/x", "volume")
	f.exec(s, "write", "/y", "root")
	f.must(s.Kill(f.ctx))
	if st := s.State(); st.Status != Exited || st.Code != 137 || st.Signal != 9 || st.OOM {
		t.Errorf("after kill: %+v", st)
	}
	if err := unix.Kill(first, 0); err == nil {
		t.Errorf("process %d is still there", first)
	}
	if err := s.Kill(f.ctx); !errors.Is(err, ErrNotRunning) {
		t.Errorf("kill what is dead: %v", err)
	}
	f.must(s.Start(f.ctx))
	if got := string(f.exec(s, "cat", "/data/x").Stdout) + string(f.exec(s, "cat", "/y").Stdout); got != "volumeroot" {
		t.Errorf("on the disk: %q", got)
	}
	if st := s.State(); st.Status != Running || st.Starts != 2 || st.PID == first {
		t.Errorf("after start: %+v", st)
	}
	if err := s.Start(f.ctx); !errors.Is(err, ErrRunning) {
		t.Errorf("start what runs: %v", err)
	}
}

func TestStopGivesTimeAndThenKills(t *testing.T) {
	f := setup(t)
	n := f.node("node1")
	polite := f.add(n, ServiceSpec{Name: "polite", Args: []string{"term"}})
	stubborn := f.add(n, ServiceSpec{Name: "stubborn", Args: []string{"sleep"}})
	f.must(polite.Start(f.ctx))
	f.wantLog(polite, "up")
	f.must(polite.Stop(f.ctx, unix.SIGTERM, 5*time.Second))
	if st := polite.State(); st.Code != 7 || st.Signal != 0 {
		t.Errorf("polite: %+v", st)
	}
	f.wantLog(polite, "terminated")
	f.must(stubborn.Start(f.ctx))
	began := time.Now()
	f.must(stubborn.Stop(f.ctx, unix.SIGWINCH, 200*time.Millisecond))
	if st := stubborn.State(); st.Signal != 9 || time.Since(began) < 200*time.Millisecond {
		t.Errorf("stubborn after %s: %+v", time.Since(began), st)
	}
}

func TestExec(t *testing.T) {
	f := setup(t)
	s := f.start("sleep")
	res := f.exec(s, "say", "out", "err")
	if string(res.Stdout) != "out\n" || string(res.Stderr) != "err\n" || res.Code != 0 {
		t.Errorf("%q %q %d", res.Stdout, res.Stderr, res.Code)
	}
	if res := f.exec(s, "exit", "3"); res.Code != 3 {
		t.Errorf("code %d, want 3", res.Code)
	}
	big := strings.Repeat("0123456789abcdef", 20_000)
	res, err := s.Exec(f.ctx, ExecSpec{Args: []string{"/box", "copy"}, Stdin: []byte(big)})
	if err != nil || string(res.Stdout) != big {
		t.Errorf("copied %d of %d bytes: %v", len(res.Stdout), len(big), err)
	}
	res, err = s.Exec(f.ctx, ExecSpec{Args: []string{"/box", "env"}, Env: map[string]string{"COLOUR": "blue"}})
	if err != nil || !strings.Contains(string(res.Stdout), "COLOUR=blue\n") {
		t.Errorf("environment: %s %v", res.Stdout, err)
	}
	_, err = s.Exec(f.ctx, ExecSpec{Args: []string{"nosuch", "x"}})
	if !errors.Is(err, ErrNoProgram) || !strings.HasPrefix(err.Error(), "node1: box: exec: nosuch: no such program in the image") {
		t.Errorf("missing program: %v", err)
	}
	f.must(s.Kill(f.ctx))
	if _, err = s.Exec(f.ctx, ExecSpec{Args: []string{"/box"}}); !errors.Is(err, ErrNotRunning) {
		t.Errorf("in a dead container: %v", err)
	}
}

func TestAMissingProgramIsSaid(t *testing.T) {
	f := setup(t)
	s := f.add(f.node("node1"), ServiceSpec{Command: []string{"/nosuch"}})
	err := s.Start(f.ctx)
	if !errors.Is(err, ErrNoProgram) || !strings.Contains(err.Error(), "/nosuch") {
		t.Errorf("start: %v", err)
	}
	if st := s.State(); st.Status != Exited {
		t.Errorf("state: %+v", st)
	}
}

func TestFilesUserAndEnvironment(t *testing.T) {
	f := setup(t)
	img := *f.img
	img.User = "1234:99"
	s := f.add(f.node("node1"), ServiceSpec{
		Image: &img, Args: []string{"sleep"}, Env: map[string]string{"A": "b"},
		Files: map[string]string{"/etc/motd": "hello", "/deep/er/file": "#!/box"},
	})
	f.must(s.Start(f.ctx))
	if got := string(f.exec(s, "id").Stdout); got != "1234 99\n" {
		t.Errorf("user %q", got)
	}
	if got := string(f.exec(s, "cat", "/etc/motd").Stdout); got != "hello" {
		t.Errorf("motd %q", got)
	}
	f.exec(s, "write", "/etc/motd", "changed")
	if got := string(f.exec(s, "cat", "/etc/motd").Stdout); got != "changed" {
		t.Errorf("motd after writing as its user: %q", got)
	}
	if got := string(f.exec(s, "env").Stdout); !strings.Contains(got, "A=b\n") || !strings.Contains(got, "PATH=") {
		t.Errorf("environment:\n%s", got)
	}
}

func TestAServiceRunsAsItsUserAndWritesToItsVolume(t *testing.T) {
	f := setup(t)
	s := f.add(f.node("node1"), ServiceSpec{Args: []string{"sleep"}, User: "4321:77", Data: "/data"})
	f.must(s.Start(f.ctx))
	if got := string(f.exec(s, "id").Stdout); got != "4321 77\n" {
		t.Errorf("user %q", got)
	}
	f.exec(s, "write", "/data/mine", "x")
	if got := string(f.exec(s, "cat", "/data/mine").Stdout); got != "x" {
		t.Errorf("in the volume: %q", got)
	}
	bad := ServiceSpec{Name: "other", Image: f.img, Args: []string{"sleep"}, User: "nosuch"}
	if _, err := s.node.Add(f.ctx, bad); err == nil || !strings.Contains(err.Error(), `user "nosuch": not in the image's /etc/passwd`) {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestLinesAreSeenAsTheyAreWritten(t *testing.T) {
	f := setup(t)
	s := f.add(f.node("node1"), ServiceSpec{Args: []string{"say", "one", "two"}})
	lines := s.Follow(f.ctx)
	f.must(s.Start(f.ctx))
	began := time.Now()
	got := map[string]bool{}
	for len(got) < 2 {
		select {
		case l := <-lines:
			got[l.Text] = true
			if l.Stderr != (l.Text == "two") || l.Time.Before(began.Add(-time.Minute)) {
				t.Errorf("%+v", l)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("lines seen: %v", got)
		}
	}
	if all := s.Lines(); len(all) != 2 {
		t.Errorf("kept: %+v", all)
	}
}

func TestLogsKeepStreamsApartAndOverRestarts(t *testing.T) {
	f := setup(t)
	s := f.start("say", "to-out", "to-err")
	if _, err := s.Wait(f.ctx); err != nil {
		t.Fatal(err)
	}
	f.must(s.Start(f.ctx))
	if _, err := s.Wait(f.ctx); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := s.LogPaths()
	out, _ := os.ReadFile(stdout)
	errs, _ := os.ReadFile(stderr)
	if string(out) != "to-out\nto-out\n" || string(errs) != "to-err\nto-err\n" {
		t.Errorf("stdout %q, stderr %q", out, errs)
	}
}

// TestGroupClosedAtOnce closes groups while their shims are still on the way,
// with a caller who has given up too.
func TestGroupClosedAtOnce(t *testing.T) {
	f := setup(t)
	for i := range 5 {
		ctx, cancel := context.WithCancel(f.ctx)
		g, err := f.rt.NewGroup(ctx, fmt.Sprintf("%s-%d", f.group.Name, i))
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		f.must(g.Close(f.ctx))
		left, err := g.Leftovers(f.ctx)
		f.must(err)
		if len(left) > 0 {
			t.Errorf("left behind: %s", strings.Join(left, ", "))
		}
	}
}
