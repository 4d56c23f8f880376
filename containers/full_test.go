package containers

import (
	"strings"
	"testing"
)

// A container that fills up what all containers share: it is told so, who comes
// after it learns why it cannot start, and everything is removed as ever.
func TestFullFileSystem(t *testing.T) {
	f := setupWith(t, 64<<20)
	n := f.node("node1")
	greedy := f.add(n, ServiceSpec{Name: "greedy", Args: []string{"fill", "/file"}})
	f.must(greedy.Start(f.ctx))
	f.wantLog(greedy, "no space left on device")
	_, err := n.Add(f.ctx, ServiceSpec{Name: "late", Image: f.img, Files: map[string]string{"/etc/late": strings.Repeat("late", 1<<16)}})
	if err == nil || !strings.Contains(err.Error(), "hint: containers have 0.1 GiB of memory for their file systems") {
		t.Errorf("one more container: %v", err)
	}
	f.must(greedy.Kill(f.ctx))
	f.must(n.Wipe(f.ctx))
	s := f.add(n, ServiceSpec{Name: "again", Args: []string{"say", "there is room", ""}})
	f.must(s.Start(f.ctx))
	f.wantLog(s, "there is room")
}

// What a container writes outside of its data is memory of its service.
func TestFileSystemCountsAsMemory(t *testing.T) {
	f := setup(t)
	s := f.add(f.node("node1"), ServiceSpec{Args: []string{"fill", "/file"}, Memory: 48 << 20})
	f.must(s.Start(f.ctx))
	st, err := s.Wait(f.ctx)
	if err != nil || !st.OOM {
		t.Errorf("%+v, %v; want killed for lack of memory", st, err)
	}
}
