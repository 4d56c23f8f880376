package diskfault

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// model is a disk in memory. What is durable of it is found by doing again, from
// the last loss of power on, the changes of names that are durable, where the
// volume undoes those that are not.
type model struct {
	strict bool
	nodes  []*inode // by number; 1 is the root
	base   []map[string]int
	log    []*entry
}

type inode struct {
	folder map[string]int // nil: not a folder
	link   bool
	data   []byte
	safe   []byte
}

// entry is one change of names: which name in which folder stands for what from
// then on (0: nothing).
type entry struct {
	set     []binding
	touches []int // folders
	names   []int // what it is about
	rename  bool
	durable bool
}

type binding struct {
	folder int
	name   string
	ino    int
}

func newModel(strict bool) *model {
	m := &model{strict: strict, nodes: []*inode{nil, {folder: map[string]int{}}}}
	m.rebase()
	return m
}

// rebase makes what there is now the state to come back to.
func (m *model) rebase() {
	m.log, m.base = nil, make([]map[string]int, len(m.nodes))
	for i, n := range m.nodes {
		if n != nil {
			m.base[i] = maps.Clone(n.folder)
		}
	}
}

// find is the folder and the last element of a path, and what it stands for; 0 is
// what is not there.
func (m *model) find(name string) (folder int, last string, ino int) {
	folder = 1
	dir, last := path.Split(name)
	for part := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if part != "" {
			folder = m.nodes[folder].folder[part]
		}
		if m.nodes[folder] == nil {
			return 0, last, 0
		}
	}
	return folder, last, m.nodes[folder].folder[last]
}

func (m *model) add(n *inode) int {
	m.nodes = append(m.nodes, n)
	m.base = append(m.base, maps.Clone(n.folder))
	return len(m.nodes) - 1
}

func (m *model) note(e *entry) {
	for _, b := range e.set {
		if b.ino == 0 {
			delete(m.nodes[b.folder].folder, b.name)
		} else {
			m.nodes[b.folder].folder[b.name] = b.ino
		}
		if !slices.Contains(e.touches, b.folder) {
			e.touches = append(e.touches, b.folder)
		}
	}
	m.log = append(m.log, e)
}

// settle makes changes durable up to the i-th that a condition picks.
func (m *model) settle(before int, pick func(*entry) bool) {
	for i, e := range m.log[:before] {
		if e.durable || !pick(e) {
			continue
		}
		e.durable = true
		for _, folder := range e.touches {
			m.settle(i, func(o *entry) bool { return slices.Contains(o.touches, folder) })
			if !m.strict || e.rename {
				m.settle(i, func(o *entry) bool { return slices.Contains(o.names, folder) })
			}
		}
	}
}

func (m *model) settleNames(ino int) {
	if !m.strict {
		m.settle(len(m.log), func(o *entry) bool { return slices.Contains(o.names, ino) })
	}
}

// did takes note of an action that succeeded.
func (m *model) did(a action) {
	folder, last, ino := m.find(a.name)
	switch a.kind {
	case "create", "mkdir", "symlink":
		n := &inode{link: a.kind == "symlink"}
		if a.kind == "mkdir" {
			n.folder = map[string]int{}
		}
		made := m.add(n)
		m.note(&entry{set: []binding{{folder, last, made}}, names: []int{made}})
	case "unlink":
		m.note(&entry{set: []binding{{folder, last, 0}}, names: []int{ino}})
	case "rmdir":
		m.note(&entry{set: []binding{{folder, last, 0}}, names: []int{ino}, touches: []int{ino}})
	case "link":
		to, toLast, _ := m.find(a.to)
		m.note(&entry{set: []binding{{to, toLast, ino}}, names: []int{ino}})
	case "rename", "exchange":
		m.renamed(a, folder, last, ino)
	case "fsyncdir":
		at := 1
		if name := dirs[a.off%len(dirs)]; name != "" {
			_, _, at = m.find(name)
		}
		m.settle(len(m.log), func(o *entry) bool { return slices.Contains(o.touches, at) })
		m.settleNames(at)
	case "fsync":
		if m.nodes[ino].folder == nil {
			m.nodes[ino].safe = slices.Clone(m.nodes[ino].data)
		}
		m.settleNames(ino)
	default:
		m.nodes[ino].data = a.changed(m.nodes[ino].data)
	}
}

func (m *model) renamed(a action, folder int, last string, ino int) {
	to, toLast, there := m.find(a.to)
	if ino == there {
		return // nothing happens, says POSIX
	}
	e := &entry{set: []binding{{folder, last, 0}, {to, toLast, ino}}, names: []int{ino}, rename: true}
	if a.kind == "exchange" {
		e.set[0].ino = there
		e.names = append(e.names, there)
	} else if there != 0 && m.nodes[there].folder != nil {
		e.touches = append(e.touches, there)
	}
	m.note(e)
}

// changed is what an action makes of a file's data.
func (a action) changed(data []byte) []byte {
	data = slices.Clone(data)
	grow := func(n int) {
		if n > len(data) {
			data = append(data, make([]byte, n-len(data))...)
		}
	}
	switch a.kind {
	case "append":
		data = append(data, a.data()...)
	case "write":
		if a.len > 0 {
			grow(a.off + a.len)
			copy(data[a.off:], a.data())
		}
	case "truncate":
		grow(a.off)
		data = data[:a.off]
	case "fallocate":
		grow(a.off + a.len + 1)
	case "punch":
		if a.off < len(data) {
			clear(data[a.off:min(len(data), a.off+a.len+1)])
		}
	case "map":
		if len(data) > 0 {
			copy(data[a.off%len(data):], a.data())
		}
	}
	return data
}

// losePower leaves what is durable.
func (m *model) losePower() {
	for i, n := range m.nodes {
		if n != nil && n.folder != nil {
			n.folder = maps.Clone(m.base[i])
		} else if n != nil {
			n.data = slices.Clone(n.safe)
		}
	}
	log := m.log
	m.log = nil
	for _, e := range log {
		if e.durable {
			for _, b := range e.set {
				if b.ino == 0 {
					delete(m.nodes[b.folder].folder, b.name)
				} else {
					m.nodes[b.folder].folder[b.name] = b.ino
				}
			}
		}
	}
	m.rebase()
}

// tree is what can be reached from the root.
func (m *model) tree() tree {
	links := map[int]int{}
	m.walk(1, "", func(_ string, ino int) { links[ino]++ })
	out := tree{}
	m.walk(1, "", func(name string, ino int) {
		switch n := m.nodes[ino]; {
		case n.folder != nil:
			out[name] = "folder"
		case n.link:
			out[name] = "link to nowhere"
		default:
			out[name] = fmt.Sprintf("file with %d links, %d bytes: %s", links[ino], len(n.data), runs(n.data))
		}
	})
	return out
}

func (m *model) walk(folder int, top string, f func(name string, ino int)) {
	for name, ino := range m.nodes[folder].folder {
		f(path.Join(top, name), ino)
		if m.nodes[ino].folder != nil {
			m.walk(ino, path.Join(top, name), f)
		}
	}
}

// After any operations, fsyncs, and losses of power the volume has what the model
// says is durable.
func TestLosePowerLikeModel(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Run(fmt.Sprintf("strict=%v", strict), func(t *testing.T) {
			d := newDisk(t, func(c *Config) { c.Strict = strict })
			rapid.Check(t, func(rt *rapid.T) { checkModel(t, rt, d, strict) })
		})
	}
}

func checkModel(t *testing.T, rt *rapid.T, d *disk, strict bool) {
	entries := must[[]os.DirEntry](t)(os.ReadDir(d.dir))
	for _, e := range entries {
		ok(t, os.RemoveAll(d.path(e.Name())))
	}
	ok(t, d.Sync(t.Context()))
	m := newModel(strict)
	for range rapid.IntRange(1, 3).Draw(rt, "losses") {
		var done []string
		for range rapid.IntRange(1, 40).Draw(rt, "actions") {
			a := drawAction(rt)
			if errno := a.do(d.dir); errno == 0 {
				m.did(a)
				done = append(done, a.String())
			}
		}
		if diff := treeOf(t, d.dir).diff(m.tree()); len(diff) > 0 {
			rt.Fatalf("before the loss, volume against model:\n%s\nafter\n%s", strings.Join(diff, "\n"), strings.Join(done, "\n"))
		}
		_, err := d.LosePower(t.Context())
		if err != nil {
			rt.Fatalf("%v\nafter\n%s", err, strings.Join(done, "\n"))
		}
		m.losePower()
		if diff := treeOf(t, d.dir).diff(m.tree()); len(diff) > 0 {
			rt.Fatalf("volume against model:\n%s\nafter\n%s", strings.Join(diff, "\n"), strings.Join(done, "\n"))
		}
	}
	if left := must[[]os.DirEntry](t)(os.ReadDir(d.cfg.Undo)); len(left) != 1 { // the blocks
		rt.Fatalf("the undo folder has %v", left)
	}
	var st unix.Stat_t
	ok(t, unix.Stat(d.cfg.Undo+"/blocks", &st))
	if st.Blocks*512 > 64<<20 {
		rt.Fatalf("kept blocks pile up: %d bytes", st.Blocks*512)
	}
}

func TestModelOfData(t *testing.T) {
	a := action{kind: "write", off: 3, len: 2, fill: 'x'}
	if got := a.changed([]byte("0")); !bytes.Equal(got, []byte("0\x00\x00xx")) {
		t.Errorf("got %q", got)
	}
}
