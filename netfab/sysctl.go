package netfab

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// sysctl is one setting below /proc/sys/net, which shows each thread the
// settings of the namespace that it is in.
type sysctl struct{ path, value string }

// nodeSysctls is every setting of a new namespace that a host could have
// changed and that tests depend on. A new namespace copies the IPv4 settings
// of the host's first namespace (net.core.devconf_inherit_init_net), so they
// are stated, not assumed. "default" is what eth0 takes when it is made.
var nodeSysctls = []sysctl{
	{"ipv4/conf/all/rp_filter", "0"},     // the larger of all and eth0 counts
	{"ipv4/conf/default/rp_filter", "0"}, // one-way harm is asymmetric routing to this filter
	{"ipv4/conf/all/forwarding", "0"},    // a node is no router, whatever the host is
	{"ipv4/ping_group_range", "0\t2147483647"},
	{"ipv4/ip_unprivileged_port_start", "0"}, // containers listen on port 80 without being root
	{"ipv6/conf/all/disable_ipv6", "0"},
	{"ipv6/conf/default/disable_ipv6", "0"},
	{"ipv6/conf/default/accept_dad", "0"}, // addresses are ours to give; no second's wait to use them
	{"ipv6/conf/default/accept_ra", "0"},
	{"ipv6/conf/default/autoconf", "0"},
	{"ipv6/conf/default/addr_gen_mode", "1"}, // no link-local address, so no router solicitations
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

// setHere writes settings of the namespace that the calling thread is in.
// Only a visitor may call it. A kernel without IPv6 fails here, by name.
func setHere(settings []sysctl) error {
	for _, s := range settings {
		if err := writeOnce("/proc/sys/net/"+s.path, s.value); err != nil {
			return fmt.Errorf("/proc/sys/net/%s: write %q: %w", s.path, s.value, err)
		}
	}
	return nil
}

// writeOnce is os.WriteFile in three system calls: eleven settings for each of
// a thousand nodes make the difference show.
func writeOnce(path, value string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(value))
	if cerr := unix.Close(fd); err == nil {
		err = cerr
	}
	return err
}
