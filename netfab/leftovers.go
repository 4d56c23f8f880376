package netfab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// heldNamespace is what is remembered of a namespace after it was closed.
type heldNamespace struct {
	name   string
	inode  uint64
	cookie uint64 // 0 where the kernel (before 5.14) has none
}

// remember notes a namespace for Leftovers. socket is any socket in it.
func (n *Network) remember(ns *Namespace, socket int) {
	if cookie, err := unix.GetsockoptUint64(socket, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE); err == nil {
		ns.cookie = cookie
	}
	n.held = append(n.held, heldNamespace{ns.name, ns.inode, ns.cookie})
}

// Namespaces counts those that the network has made.
func (n *Network) Namespaces() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.held)
}

// Leftovers lists what still keeps a namespace of a closed network alive, one
// line each: processes that run in it, descriptors, sockets of this process
// and mounts that refer to it. Nothing listed means that the kernel has freed
// it all, or is about to. An open network lists itself.
//
// It reads all of /proc, as root. Sockets that other processes hold without
// running in the namespace are not found.
func (n *Network) Leftovers() []string {
	look := n.search()
	if len(look.by) == 0 {
		return nil
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return []string{err.Error()}
	}
	for _, dir := range processes {
		look.process(dir)
	}
	look.mounts()
	return look.found
}

// search prepares a look for the network's namespaces.
func (n *Network) search() *search {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := &search{by: map[uint64]heldNamespace{}, same: map[uint64]bool{}}
	for _, h := range n.held {
		s.by[h.inode] = h
	}
	return s
}

// search is one look through /proc.
type search struct {
	by    map[uint64]heldNamespace
	same  map[uint64]bool // by inode: is it the namespace meant, or a later one of that number
	found []string
}

// process looks at the namespace that a process is in and at its open files.
// Processes and files that end meanwhile are no longer of interest.
func (s *search) process(dir string) {
	who := "process " + filepath.Base(dir)
	mine := filepath.Base(dir) == strconv.Itoa(pid)
	if name, err := os.ReadFile(dir + "/comm"); err == nil {
		who += " (" + strings.TrimSpace(string(name)) + ")"
	}
	if !mine { // our own threads visit; they are found by what they leave open
		s.file(dir+"/ns/net", who+" runs in it")
	}
	files, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return
	}
	for _, f := range files {
		path := dir + "/fd/" + f.Name()
		target, err := os.Readlink(path)
		switch {
		case err != nil:
		case strings.HasPrefix(target, "net:["):
			s.file(path, who+" holds descriptor "+f.Name())
		case mine && strings.HasPrefix(target, "socket:["):
			s.socket(f.Name(), who)
		}
	}
}

// file reports a namespace file that is one of ours.
func (s *search) file(path, holder string) {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return
	}
	h, ours := s.by[st.Ino]
	if !ours {
		return
	}
	var fs unix.Statfs_t
	if unix.Statfs(path, &fs) != nil || fs.Type != unix.NSFS_MAGIC {
		return
	}
	same, known := s.same[st.Ino]
	if !known {
		same = h.is(path)
		s.same[st.Ino] = same
	}
	if same {
		s.found = append(s.found, fmt.Sprintf("%s: network namespace %d: %s", h.name, h.inode, holder))
	}
}

// socket reports a socket of this process that is in one of our namespaces.
func (s *search) socket(number, who string) {
	fd, err := strconv.Atoi(number)
	if err != nil {
		return
	}
	ns, err := unix.IoctlRetInt(fd, unix.SIOCGSKNS)
	if err != nil {
		return // closed meanwhile
	}
	s.file(fmt.Sprintf("/proc/self/fd/%d", ns), who+" holds socket "+number)
	_ = unix.Close(ns) // a descriptor made a moment ago
}

// mounts reports namespaces that are bind-mounted in our mount namespace.
func (s *search) mounts() {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) > 4 && strings.HasPrefix(fields[3], "net:[") {
			s.file(fields[4], "mounted at "+fields[4])
		}
	}
}

// is tells whether the file is this very namespace. The kernel gives inode
// numbers of ended namespaces to new ones, cookies never.
func (h heldNamespace) is(path string) bool {
	if h.cookie == 0 {
		return true
	}
	var cookie uint64
	err := visit(func() error {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		err = unix.Setns(fd, unix.CLONE_NEWNET)
		_ = unix.Close(fd) // open or not, it was only for setns
		if err != nil {
			return err
		}
		sock, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		cookie, err = unix.GetsockoptUint64(sock, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
		_ = unix.Close(sock) // nothing was sent on it
		return err
	})
	return err == nil && cookie == h.cookie
}
