package run

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A pid that another process has by now is left alone, by the sweep too.
func TestPidUsedAgainIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "pids"), 0o700); err != nil {
		t.Fatal(err)
	}
	stranger, err := sleeper(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := adopt(dir, "server", stranger); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "pids", strconv.Itoa(stranger))
	truth, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	born, _, _ := strings.Cut(string(truth), "\n")
	boot, ticks, _ := strings.Cut(born, "/")

	for _, other := range []string{boot + "/1" + ticks, "another-boot/" + ticks, "", "/"} {
		if err := os.WriteFile(file, []byte(other+"\nserver\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if left := killAdopted(t.Context(), dir); len(left) != 0 {
			t.Errorf("birth %q: taken for ours: %v", other, left)
		}
		killBorn(stranger, other)
		if !aliveBorn(stranger, born) {
			t.Fatalf("birth %q: the stranger was killed", other)
		}
	}

	if err := os.WriteFile(file, truth, 0o600); err != nil {
		t.Fatal(err)
	}
	if left := killAdopted(t.Context(), dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if aliveBorn(stranger, born) {
		t.Error("with its true birth it was not killed")
	}
}

func TestKillInSparesWhoLeftTheCgroup(t *testing.T) {
	pid, err := sleeper(true)
	if err != nil {
		t.Fatal(err)
	}
	born, err := birth(pid)
	if err != nil {
		t.Fatal(err)
	}
	killIn(pid, "/brine/aaaaaaaa")
	if !aliveBorn(pid, born) {
		t.Error("a process outside the cgroup was killed")
	}
	killBorn(pid, born)
	eventually(t, 2*time.Second, "it is dead", func() bool { return !aliveBorn(pid, born) })
}

func TestInCgroup(t *testing.T) {
	text := "9:name=systemd:/\n6:freezer:/brine/k3x9a2pq/s-1/node1\n0::/brine/k3x9a2pqq\n"
	for path, want := range map[string]bool{
		"/brine/k3x9a2pq":           true,
		"/brine/k3x9a2pq/s-1/node1": true,
		"/brine/k3x9a2p":            false,
		"/brine/k3x9a2pqq":          true,
		"/k3x9a2pq":                 false,
	} {
		if got := inCgroup(text, path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}

func TestParseMounts(t *testing.T) {
	const text = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:30 / /run/brine/a\040volume rw - tmpfs tmpfs rw
41 22 0:31 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
`
	got, err := parseMounts(strings.NewReader(text))
	want := []mount{
		{"254:0", "/", "ext4"},
		{"0:30", "/run/brine/a volume", "tmpfs"},
		{"0:31", "/sys/fs/cgroup/cpu,cpuacct", "cgroup"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v\nwant %v", got, err, want)
	}
	if _, err := parseMounts(strings.NewReader("not a mount\n")); err == nil {
		t.Error("nonsense was taken")
	}
}

// The reaper has a session of its own and nothing of ours open: no lock, no
// writing end of its pipe, no terminal.
func TestReaperInheritsNothing(t *testing.T) {
	var pipe [2]int // as a shell may leave one open to the runner: not close-on-exec
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])

	r := startRun(t, t.TempDir())
	pid := reaperOf(t, r.ID)
	if sid, err := unix.Getsid(pid); err != nil || sid != pid {
		t.Errorf("session %d, %v; want its own, %d", sid, err, pid)
	}
	eventually(t, 5*time.Second, "it has nothing open but its own", func() bool {
		strange := strangeFiles(t, pid)
		return len(strange) == 0
	})
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if want := reaperEnv + "=" + r.Dir + "\x00"; err != nil || string(env) != want {
		t.Errorf("environment %q, %v; want %q", env, err, want)
	}
}

// strangeFiles lists what a reaper has open, but for its stdio, its pipe, and what
// the Go runtime keeps.
func strangeFiles(t *testing.T, pid int) []string {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	var strange []string
	for _, e := range entries {
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, e.Name()))
		switch {
		case to == "/dev/null", strings.HasSuffix(to, "/reaper.log"):
		case strings.HasPrefix(to, "anon_inode:"), strings.HasPrefix(to, "/sys/fs/cgroup/"):
		case strings.HasPrefix(to, "pipe:") && e.Name() == "3":
		default:
			strange = append(strange, to)
		}
	}
	return strange
}

// Signals sent to end the runner do not end its reaper.
func TestReaperOutlastsSignals(t *testing.T) {
	r := startRun(t, t.TempDir())
	pid := reaperOf(t, r.ID)
	eventually(t, 5*time.Second, "the reaper ignores signals", func() bool {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		_, mask, _ := strings.Cut(string(text), "SigIgn:\t")
		mask, _, _ = strings.Cut(mask, "\n")
		bits, _ := strconv.ParseUint(mask, 16, 64)
		return bits&(1<<(unix.SIGTERM-1)) != 0
	})
	for _, s := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
		if err := unix.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	// Close, at the test's end, fails if the reaper did not end by itself, with 0.
}

func reaperOf(t *testing.T, id string) int {
	t.Helper()
	pid := 0
	eventually(t, 5*time.Second, "the reaper of "+id+" runs", func() bool {
		pid = findReaper(id)
		return pid != 0
	})
	return pid
}

// findReaper looks for the process whose arguments are a reaper's of that run.
func findReaper(id string) int {
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		if text, _ := os.ReadFile(path); string(text) == "brine-reaper\x00"+id+"\x00" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return pid
		}
	}
	return 0
}

func killReaper(t *testing.T, id string) {
	t.Helper()
	pid := reaperOf(t, id)
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, 2*time.Second, "the reaper is dead", func() bool { return findReaper(id) == 0 })
}

// waitNoReaper waits for the end of the vigils of killed runs' reapers.
func waitNoReaper(t *testing.T, killed ...*victim) {
	t.Helper()
	for _, v := range killed {
		eventually(t, vigil+3*time.Second, "the reaper of "+v.ID+" is gone", func() bool { return findReaper(v.ID) == 0 })
	}
}

// groupMembers waits for the second process in a group and lists all.
func groupMembers(t *testing.T, leader int) []int {
	t.Helper()
	var pids []int
	eventually(t, 5*time.Second, "the group has two members", func() bool {
		pids = nil
		paths, _ := filepath.Glob("/proc/[0-9]*")
		for _, path := range paths {
			pid, _ := strconv.Atoi(filepath.Base(path))
			if group, err := unix.Getpgid(pid); err == nil && group == leader {
				pids = append(pids, pid)
			}
		}
		return len(pids) >= 2
	})
	return pids
}
