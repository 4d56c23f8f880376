package clock

import (
	"fmt"
	"testing"
	"time"
)

// A child between vfork and exec has its parent's memory. Where the parent is
// outside of the node it is not to be touched; the child's program is.
func TestVforkIntoTheNode(t *testing.T) {
	n := newNode(t)
	c := newClock(t, n)
	r := (*testNode)(nil).start(t, 0, program(t, "vforker"), n.folder+"/cgroup.procs", program(t, "c-static"))
	before := vdsoOf(t, r)
	set(t, c, Skew{Offset: time.Hour})
	if string(vdsoOf(t, r)) != string(before) {
		t.Error("a process outside of the node was patched")
	}
	r.exec()
	check(t, r, time.Hour)
	if string(vdsoOf(t, r)) != string(before) {
		t.Error("a process outside of the node was patched")
	}
}

// A parent that waits for its child in the kernel does not stop when it is told to.
func TestVforkInTheNode(t *testing.T) {
	n := newNode(t)
	c := newClock(t, n)
	r := n.start(t, 0, program(t, "vforker"), "-", program(t, "c-static"))
	before := vdsoOf(t, r)
	set(t, c, Skew{Offset: time.Hour})
	if string(vdsoOf(t, r)) == string(before) {
		t.Error("the parent was not patched")
	}
	r.exec()
	check(t, r, time.Hour)
	restore(t, c)
	check(t, r, 0)
	if string(vdsoOf(t, r)) != string(before) {
		t.Error("the parent is not as it was")
	}
}

// exec lets the vforker's child execute its program.
func (r *reader) exec() {
	r.t.Helper()
	if _, err := r.in.WriteString("\n"); err != nil {
		r.t.Fatal(err)
	}
	if _, err := fmt.Sscan(r.line(), &r.said); err != nil {
		r.t.Fatal(err)
	}
}
