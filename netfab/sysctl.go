package netfab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// sysctl is one setting below /proc/sys/net, which shows each thread the
// settings of the namespace that it is in.
type sysctl struct{ path, value string }

// nodeSysctls is every setting of a new namespace that a host could have
// changed and that tests depend on. A new namespace copies the IPv4 settings
// of the host's first namespace (net.core.devconf_inherit_init_net), so they
// are stated, not assumed. "default" is what eth0 takes when it is made.
//
// What keeps router solicitations, autoconfiguration and duplicate address
// detection away is not here but in the links' and addresses' own flags
// (addressless, addAddr), which cost a hundredth.
var nodeSysctls = []sysctl{
	{"ipv4/conf/all/rp_filter", "0"},     // the larger of all and eth0 counts
	{"ipv4/conf/default/rp_filter", "0"}, // one-way harm is asymmetric routing to this filter
	{"ipv4/conf/all/forwarding", "0"},    // a node is no router, whatever the host is
	{"ipv4/conf/default/forwarding", "0"},
	{"ipv4/ping_group_range", "0\t2147483647"}, // ping without NET_RAW
	{"ipv4/ip_unprivileged_port_start", "0"},   // port 80 without being root
	{"ipv6/conf/all/disable_ipv6", "0"},
	{"ipv6/conf/default/disable_ipv6", "0"},
}

// routerSysctls makes a namespace pass packets between its links.
var routerSysctls = []sysctl{
	{"ipv4/conf/all/forwarding", "1"},
	{"ipv4/conf/default/forwarding", "1"},
	{"ipv4/conf/all/send_redirects", "0"},
	{"ipv4/conf/default/send_redirects", "0"},
	{"ipv6/conf/all/forwarding", "1"},
	{"ipv6/conf/default/forwarding", "1"},
}

// differHere gives the settings that the calling thread's namespace does not
// have. Only a visitor may call it.
//
// The path of a setting leads, in every namespace, through directory entries
// of one name and one parent: the kernel keeps them in one hash chain, and the
// thousandth namespace pays for a thousand comparisons at each step. Namespaces
// made one after the other are born with the same settings; so the first tells
// which have to be written in the others (a third of the time of 1,000 nodes).
func differHere(want []sysctl) ([]sysctl, error) {
	var differ []sysctl
	for _, s := range want {
		is, err := os.ReadFile("/proc/sys/net/" + s.path)
		if err != nil {
			return nil, fmt.Errorf("%w%s", err, ipv6Hint(s))
		}
		if string(bytes.TrimSpace(is)) != s.value {
			differ = append(differ, s)
		}
	}
	return differ, nil
}

// setHere writes settings of the namespace that the calling thread is in.
// Only a visitor may call it.
func setHere(settings []sysctl) error { return sharedProc.setHere(settings) }

// procFS is a proc file system: -1 for the one at /proc.
type procFS int

const sharedProc = procFS(-1)

// freshEvery is how many namespaces are set through one proc file system. In
// each namespace more the walk to a setting is longer (see differHere), and a
// new file system begins with short chains; to make one takes as long as some
// fifty walks of average length.
const freshEvery = 128

// fresh gives another file system where i namespaces were set through this
// one; where the kernel refuses (one proc for each namespace of processes,
// before 5.8), the longer walk is all it costs.
func (p procFS) fresh(i int) (procFS, error) {
	if i == 0 || i%freshEvery != 0 {
		return p, nil
	}
	fs, err := unix.Fsopen("proc", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return p, nil //nolint:nilerr // see above
	}
	made := p
	if unix.FsconfigCreate(fs) == nil {
		if fd, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0); err == nil { // mounted nowhere: it goes with its descriptor
			made = procFS(fd)
		}
	}
	err = unix.Close(fs)
	if made != p {
		err = errors.Join(err, p.close())
	}
	return made, err
}

func (p procFS) close() error {
	if p == sharedProc {
		return nil
	}
	return unix.Close(int(p))
}

// net opens a directory below sys/net.
func (p procFS) net(dir string) (int, error) {
	if p == sharedProc {
		return unix.Open("/proc/sys/net/"+dir, unix.O_PATH|unix.O_CLOEXEC, 0)
	}
	return unix.Openat(int(p), "sys/net/"+dir, unix.O_PATH|unix.O_CLOEXEC, 0)
}

// setHere writes settings. Those below one directory, one after the other,
// share the walk to it (see differHere).
func (p procFS) setHere(settings []sysctl) (err error) {
	dir, fd := "", -1
	defer func() {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
	}()
	for _, s := range settings {
		top, rest, _ := strings.Cut(s.path, "/")
		if top != dir {
			if fd >= 0 {
				if err := unix.Close(fd); err != nil {
					return fmt.Errorf("/proc/sys/net/%s: close: %w", dir, err)
				}
			}
			if fd, err = p.net(top); err != nil {
				return fmt.Errorf("/proc/sys/net/%s: open: %w%s", top, err, ipv6Hint(s))
			}
			dir = top
		}
		if err := writeAt(fd, rest, s.value); err != nil {
			return fmt.Errorf("/proc/sys/net/%s: write %q: %w%s", s.path, s.value, err, ipv6Hint(s))
		}
	}
	return nil
}

func writeAt(dir int, path, value string) error {
	fd, err := unix.Openat(dir, path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(value))
	return errors.Join(err, unix.Close(fd))
}

// ipv6Hint explains why a setting may not be there.
func ipv6Hint(s sysctl) string {
	if strings.HasPrefix(s.path, "ipv6/") {
		return "\nhint: the kernel must have IPv6 (remove ipv6.disable=1 from its command line)"
	}
	return "\nhint: /proc/sys must be writable (in a container: run it privileged)"
}
