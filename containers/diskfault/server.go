package diskfault

import (
	"sync"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// server is one volume in its server process.
type server struct {
	harms
	root int   // of the backing folder, O_PATH
	undo *undo // nil: nothing is undone
	top  *node

	mu   sync.Mutex
	open map[*file]struct{}
}

// maxWrite is the most that one read or write of the kernel moves.
const maxWrite = 1 << 20

// serve answers the kernel on the descriptor of a mount until that is gone.
// ready is called when the kernel is connected.
func (s *server) serve(device string, ready func()) error {
	x, err := statAt(s.root, "")
	if err != nil {
		return err
	}
	s.open = map[*file]struct{}{}
	s.top = &node{s: s, fd: s.root}
	at := stable(x)
	mount := fuse.MountOptions{
		Name: fsName, FsName: fsName, MaxWrite: maxWrite,
		DisableReadDirPlus: true,
		// The kernel's cache is dropped by us alone.
		ExplicitDataCacheControl: true,
		// Without it the kernel asks for a file's capabilities before each write.
		ExtraCapabilities: fuse.CAP_HANDLE_KILLPRIV_V2,
	}
	// No time-outs: the kernel asks for names and attributes each time, so that
	// rules reach them and nothing is out of date after a rollback.
	raw := fs.NewNodeFS(s.top, &fs.Options{MountOptions: mount, NullPermissions: true, RootStableAttr: &at})
	conn, err := fuse.NewServer(raw, device, &mount)
	if err != nil {
		return err
	}
	ready()
	conn.Serve()
	return nil
}

func (s *server) opened(f *file) *file {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[f] = struct{}{}
	return f
}

func (s *server) released(f *file) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, f)
}

// withOpen calls f with the descriptor of a handle that is open on a node, if there
// is one.
func (s *server) withOpen(n *node, f func(fd int) error) (done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock() // so that it is not closed meanwhile
	for h := range s.open {
		if h.n == n {
			return true, f(h.fd)
		}
	}
	return false, nil
}

// inodes are the files and directories that the kernel may have in memory.
func (s *server) inodes() map[*fs.Inode]struct{} {
	all := map[*fs.Inode]struct{}{}
	var walk func(*fs.Inode)
	walk = func(n *fs.Inode) {
		if _, ok := all[n]; ok {
			return
		}
		all[n] = struct{}{}
		if n.IsDir() {
			for _, c := range n.Children() {
				walk(c)
			}
		}
	}
	walk(s.top.EmbeddedInode())
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.open { // some have no name any longer
		all[f.n.EmbeddedInode()] = struct{}{}
	}
	return all
}

// dropCache has the kernel write back and forget what it has of these in memory.
// It waits for reads and writes under way, so no lock may be held that they need.
func dropCache(inodes map[*fs.Inode]struct{}) {
	for n := range inodes {
		// The kernel may have forgotten the inode already, which is as good.
		_ = n.NotifyContent(0, 0)
	}
}

// apply puts a rule in force.
func (s *server) apply(id string, r Rule) error {
	if err := r.check(); err != nil {
		return err
	}
	if !setOf(r.Ops).has(OpRead) {
		s.add(id, r)
		return nil
	}
	dropCache(s.inodes()) // what is not written back yet is, before the rule can harm that
	s.add(id, r)
	dropCache(s.inodes())
	return nil
}

// heal takes a rule out of force and returns what it did.
func (s *server) heal(id string) Receipt {
	a := s.remove(id)
	if a == nil {
		return Receipt{}
	}
	if a.ops.has(OpRead) {
		dropCache(s.inodes()) // with the flipped bits
	}
	return a.count.receipt()
}

// losePower takes back what is not durable.
func (s *server) losePower() (Loss, error) {
	known := s.inodes()
	dropCache(known) // stores into mappings arrive now, as writes that nobody synced
	loss, err := s.undo.rollback()
	s.top.RmAllChildren() // names are looked up afresh
	dropCache(known)
	return loss, err
}

// fsName is the file system's type, after "fuse.", and source in mount tables.
const fsName = "brine"
