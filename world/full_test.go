package world

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAFullStateFolderIsTold(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it mounts a small file system")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	w := &World{dir: dir}
	failed := errors.New("node1/etcd is not ready")
	if got := w.Explain(failed).Error(); strings.Contains(got, "full") {
		t.Errorf("with room left: %s", got)
	}
	if err := os.WriteFile(dir+"/data", make([]byte, 3<<19), 0o600); err != nil {
		t.Fatal(err)
	}
	err := w.Explain(failed)
	var f *failure
	if got := err.Error(); !strings.Contains(got, dir+", which holds") || !strings.Contains(got, "BRINE_STATE") {
		t.Errorf("without room: %s", got)
	}
	if !errors.As(err, &f) || len(f.Verdict().Ended) != 1 {
		t.Errorf("the verdict has nothing of it: %+v", err)
	}
}

func TestTooFewOpenFilesAreHinted(t *testing.T) {
	err := (&World{}).Explain(fmt.Errorf("node1/etcd: %w", os.NewSyscallError("pipe2", unix.EMFILE)))
	if !strings.Contains(err.Error(), "hint: ") || !strings.Contains(err.Error(), "ulimit -n") {
		t.Errorf("expected to be told of ulimit, got %v", err)
	}
}
