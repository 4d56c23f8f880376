package doctor

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestProbeSaysWhatItFound(t *testing.T) {
	p := probe{name: "tap", disables: "delays", mend: "modprobe tun", essential: true}
	fine := Check{Name: "tap", Status: OK, Found: "made", Essential: true}
	for _, c := range []struct {
		found string
		err   error
		want  Check
	}{
		{"made", nil, fine},
		{"", errors.New("no such device"), Check{"tap", Missing, "no such device", "delays", "modprobe tun", true}},
		{"", errors.New("no\nhint: mknod"), Check{"tap", Missing, "no", "delays", "mknod", true}},
		{"", warning{errors.New("old")}, Check{"tap", Warn, "old", "delays", "modprobe tun", true}},
		{"", fmt.Errorf("x: %w", warning{errors.New("old")}), Check{"tap", Warn, "x: old", "delays", "modprobe tun", true}},
	} {
		p.try = func() (string, error) { return c.found, c.err }
		if got := p.run(); got != c.want {
			t.Errorf("%q, %v: got %+v, want %+v", c.found, c.err, got, c.want)
		}
	}
}

func TestTryRoom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "made", "yet")
	if found, err := tryRoom(dir, 1, 1); err != nil || !strings.Contains(found, dir) {
		t.Errorf("got %q, %v", found, err)
	}
	var w warning
	if _, err := tryRoom(dir, math.MaxUint64, 1); !errors.As(err, &w) {
		t.Errorf("less than wanted: got %v, want a warning", err)
	}
	if _, err := tryRoom(dir, math.MaxUint64, math.MaxUint64); err == nil || errors.As(err, &w) {
		t.Errorf("less than needed: got %v, want an error", err)
	}
}

// Without root there is one clear text, and no more tries.
func TestWithoutRoot(t *testing.T) {
	if os.Getenv("BRINE_DOCTOR_TEST") != "" {
		err := Essential(t.Context())
		fmt.Printf("essential: %v\n", err)
		for _, c := range Run(t.Context(), Options{}) {
			fmt.Printf("check: %s %s\n", c.Name, c.Status)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root: it gives root up in another process")
	}
	program := filepath.Join(t.TempDir(), "doctor.test")
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(program); dir != "/" && strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-test.run=^TestWithoutRoot$")
	cmd.Dir = "/"
	cmd.Env = []string{"BRINE_DOCTOR_TEST=1", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"essential: root: running as user 65534; making network namespaces, BPF programs and containers needs root\nhint: sudo make run",
		"check: root missing", "check: BPF at tc untried", "check: room in the cache",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
}
